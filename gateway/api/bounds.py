"""How large may a request be, and how are answers kept out of caches? ASGI middleware round the whole app."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import TOO_LARGE

MAX_BODY_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 30
MAX_BRACKETS = 256
"""Opening brackets of a JSON body: ours have fewer than ten, and a reader's stack bears no thousands. Forms with files
are read by no such reader."""
FILE_PATHS = ("/v1/usageImport", "/v1/usageIntake", "/v1/bankStatement", "/desk/imports")
"""Where the body is a file; below an intake, a part of one."""


class BoundedBody:
    """A body past the bounds is refused while it is being read, whatever its headers say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_file = scope["path"] in FILE_PATHS or _is_part(scope)
        kinds = [value for name, value in scope["headers"] if name == b"content-type"]
        is_json = not any(kind.startswith(b"multipart/form-data") for kind in kinds)
        bound = MAX_FILE_BYTES if is_file else MAX_BODY_BYTES
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
                if brackets > MAX_BRACKETS and is_json and not is_file:
                    raise HTTPException(HTTPStatus.BAD_REQUEST, f"more than {MAX_BRACKETS} opening brackets")
            return message

        await self._app(scope, bounded, send)


def _is_part(scope: Scope) -> bool:
    return scope["method"] == "PATCH" and str(scope["path"]).startswith("/v1/usageIntake/")


class PrivateAnswers:
    """Nothing of ours rests in a cache on the way, unless a route says how; and nothing is guessed to be of another
    type. There is no CORS header anywhere: pages elsewhere do not read us."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        await self._app(scope, receive, marked)
