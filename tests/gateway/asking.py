"""How do tests call the app without a server? httpx over ASGI, one request at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import httpx
from fastapi import FastAPI


class Browser:
    """A caller on this machine; `headers` go with every request."""

    def __init__(self, app: FastAPI, base_url: str = "http://127.0.0.1:8100") -> None:
        self.app = app
        self.base_url = base_url
        self.headers: dict[str, str] = {}

    def get(self, path: str, headers: Mapping[str, Any] | None = None) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, headers: Mapping[str, Any] | None = None, **body: Any) -> httpx.Response:
        return self.request("POST", path, headers=headers, **body)

    def request(self, method: str, path: str, headers: Mapping[str, Any] | None = None, **body: Any) -> httpx.Response:
        """One request; an iterable `chunks` is sent piece by piece."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("127.0.0.1", 5))
            async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
                if "chunks" in body:
                    body["content"] = _later(body.pop("chunks"))
                return await client.request(method, path, headers={**self.headers, **(headers or {})}, **body)

        return asyncio.run(asked())


async def _later(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
