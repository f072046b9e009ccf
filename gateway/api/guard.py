"""Who may call, how large may a request be, and was it answered before?"""

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import TOO_LARGE, NotTheOperator
from gateway.composition import Gateway
from ledger.errors import Malformed
from ledger.store.engine import writing
from ledger.store.idempotency import Answer, answer, ask

MAX_BODY_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 30
MAX_BRACKETS = 256
"""Opening brackets of a JSON body: ours have fewer than ten, and a reader's stack bears no thousands."""
IMPORTS = "/v1/imports"
MAX_KEY_CHARACTERS = 200
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


def require_desk(request: Request) -> None:
    """Raises NotTheOperator unless the request bears the operator's token."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    expected: str = request.app.state.token
    if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), expected.encode()):
        raise NotTheOperator(
            "only the operator may do this",
            expected="Authorization: Bearer with the token of the home folder's operator.token",
            todo="Send the token.",
        )


def require_reader(request: Request) -> None:
    """The operator, or a browser on this machine that asks for it by a local name (so no page elsewhere can)."""
    host = request.headers.get("host", "").rsplit(":", 1)[0].lower()
    client = request.client.host if request.client else ""
    if host in LOCAL_HOSTS and client in LOCAL_HOSTS:
        return
    require_desk(request)


class BoundedBody:
    """ASGI middleware: a body past the bounds is refused while it is being read, whatever its headers say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bound = MAX_FILE_BYTES if scope["path"] == IMPORTS else MAX_BODY_BYTES
        seen = brackets = 0

        async def bounded() -> Message:
            nonlocal seen, brackets
            message = await receive()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                seen += len(body)
                if seen > bound:
                    raise HTTPException(TOO_LARGE, f"at most {bound} bytes are taken here")
                brackets += body.count(b"[") + body.count(b"{")
                if brackets > MAX_BRACKETS and scope["path"] != IMPORTS:
                    raise HTTPException(HTTPStatus.BAD_REQUEST, f"more than {MAX_BRACKETS} opening brackets")
            return message

        await self._app(scope, bounded, send)


class OnceRoute(APIRoute):
    """A route whose POST may carry an Idempotency-Key: the same request gets the same answer, another one 409.

    The answer is kept after the work, so what dies in between is asked again: every verb finds its own work, and a
    payment is named by the key in the outbox itself.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if key is None or request.method != "POST":
                return await handle(request)
            if not 0 < len(key) <= MAX_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
                raise Malformed("not an idempotency key", expected=f"1 to {MAX_KEY_CHARACTERS} ASCII characters")
            require_desk(request)
            hashed = _request_hash(request, await request.body())
            gateway: Gateway = request.app.state.gateway
            known = await run_in_threadpool(_ask, gateway, key, hashed)
            if known is not None:
                return Response(known.body, known.status, {"Idempotent-Replay": "true"}, known.content_type)
            response = await handle(request)
            if response.status_code < 400:
                await run_in_threadpool(_keep, gateway, key, response)
            return response

        return once


def _request_hash(request: Request, body: bytes) -> bytes:
    head = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(head + body).digest()


def _ask(gateway: Gateway, key: str, hashed: bytes) -> Answer | None:
    with writing(gateway.engine) as connection:
        return ask(connection, "operator", key, hashed, gateway.clock.now_ms())


def _keep(gateway: Gateway, key: str, response: Response) -> None:
    kept = Answer(response.status_code, response.media_type or "application/json", bytes(response.body))
    with writing(gateway.engine) as connection:
        answer(connection, "operator", key, kept)
