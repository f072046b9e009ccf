"""Was it answered before? A write under an Idempotency-Key runs once, also if two come at the same moment."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from gateway.api.guard import require_desk
from gateway.composition import Gateway
from ledger.errors import Malformed
from ledger.store.engine import writing
from ledger.store.idempotency import Answer, answer, ask

KEY_PATTERN = "^[!-~]([ -~]{0,198}[!-~])?$"
"""Of an Idempotency-Key: 1 to 200 printable ASCII characters."""
CALLER = "operator"
WRITES = ("POST", "PATCH", "DELETE")
_YES = ("true", "1", "yes", "on", "t", "y")


class Turns:
    """Whose turn it is under a key: the second of two waits for the first one's answer."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The lock of a key; gone when nobody holds it."""
        return self._locks.setdefault(key, asyncio.Lock())


class OnceRoute(APIRoute):
    """A route whose writes may carry an Idempotency-Key: the same request gets the same answer, another one 409.

    The answer is kept after the work, so what dies in between is asked again: every verb finds its own work, and a
    payment is named by the key in the outbox itself. A dry run does nothing, so it needs no key and leaves none.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if key is None or request.method not in WRITES:
                return await handle(request)
            if re.fullmatch(KEY_PATTERN, key) is None:
                raise Malformed("not an idempotency key", expected="1 to 200 printable ASCII characters")
            await require_desk(request)
            if request.query_params.get("dryRun", "").lower() in _YES:
                return await handle(request)
            turns: Turns = request.app.state.turns
            async with turns.of(key):
                return await _answered(request, key, handle)

        return once


async def _answered(request: Request, key: str, handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    gateway: Gateway = request.app.state.gateway
    hashed = _request_hash(request, await request.body())
    known = await run_in_threadpool(_ask, gateway, key, hashed)
    if known is not None:
        return _again(known)
    response = await handle(request)
    if response.status_code < 400:
        await run_in_threadpool(_keep, gateway, key, response)
    return response


def _again(known: Answer) -> Response:
    headers = {"Idempotent-Replay": "true"}
    if known.status == HTTPStatus.CREATED:
        headers["Location"] = str(json.loads(known.body)["href"])
    return Response(known.body, known.status, headers, known.content_type if known.body else None)


def _request_hash(request: Request, body: bytes) -> bytes:
    head = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(head + body).digest()


def _ask(gateway: Gateway, key: str, hashed: bytes) -> Answer | None:
    with writing(gateway.engine) as connection:
        return ask(connection, CALLER, key, hashed, gateway.clock.now_ms())


def _keep(gateway: Gateway, key: str, response: Response) -> None:
    kept = Answer(response.status_code, response.media_type or "application/json", bytes(response.body))
    with writing(gateway.engine) as connection:
        answer(connection, CALLER, key, kept)
