"""How does a test work at the desk as a clerk does? Logged in by a link; forms filled as the page gave them."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.api.login.bearing import cookie_name
from gateway.api.login.opening import BROWSER_MS, draw_link, open_by_code
from gateway.composition import SystemClock
from tests.gateway.asking import Browser


class Clerk:
    """A browser session of a gateway's own desk."""

    def __init__(self, app: FastAPI, origin: str = "http://127.0.0.1:8100") -> None:
        gateway = app.state.gateway
        now_ms = SystemClock().now_ms()
        code, _ = draw_link(gateway, None, now_ms)
        token = open_by_code(gateway, code, now_ms, BROWSER_MS).token
        self.origin = origin
        self.browser = Browser(app, origin)
        self.browser.headers = {"Cookie": f"{cookie_name(gateway)}={token}"}

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path)

    def submit(
        self, page: str, action: str, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> httpx.Response:
        """Send the form of a page whose action this is, with some fields changed; None leaves a field out."""
        fields = form_of(self.get(page).text, action) | changes
        return self.post(action, {name: value for name, value in fields.items() if value is not None}, headers)

    def post(self, action: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.browser.post(action, headers={"Origin": self.origin, **(headers or {})}, data=dict(fields))


def form_of(html: str, action: str) -> dict[str, Any]:
    """The hidden and checked fields of the form that posts to an address."""
    found = re.search(rf'<form[^>]*method="post"[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.S)
    assert found is not None, f"no form for {action}"
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", found.group(1)):
        said = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if said.get("type") == "hidden" or (said.get("type") == "checkbox" and " checked" in tag):
            before = fields.get(said["name"])
            fields[said["name"]] = (
                said["value"] if before is None else [*([before] if isinstance(before, str) else before), said["value"]]
            )
    return fields
