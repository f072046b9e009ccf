"""How does a browser log in and out? A link that is good once, a button, and a cookie that no script can read.

The link opens a page with a button: programs that follow links ahead of people use nothing up.
"""

import hashlib
import re
from base64 import b64encode
from html import escape
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.api.guard import session_of
from gateway.api.login.bearing import cookie_name
from gateway.api.login.opening import BROWSER_MS, open_by_code
from gateway.api.login.routes import attempted, log_out
from gateway.api.problems import ForgedForm
from gateway.composition import Gateway
from ledger.errors import GscError

router = APIRouter(include_in_schema=False)
_STYLE = (
    ":root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1b2330;--line:#d5d1c8;--act:#0f5c63;--on:#fff;"
    "--wash:#eef1f4;--bad:#a23b2e}@media(prefers-color-scheme:dark){:root{--paper:#14181d;--card:#1b2027;--ink:#e6e9ed;"
    "--line:#3a434e;--act:#6cc0c4;--on:#10161c;--wash:#252c35;--bad:#ea9485}}"
    "body{font:15px/1.5 'Inter','Source Sans 3','Segoe UI','Noto Sans','Noto Sans CJK SC','PingFang SC',"
    "'Microsoft YaHei',sans-serif;margin:0;background:var(--paper);color:var(--ink)}"
    "main{max-width:32rem;margin:12vh auto 0;padding:1.6rem 1.9rem 1.9rem;background:var(--card);"
    "border:1px solid var(--line);border-radius:10px}h1{font-size:1.4rem;margin:0 0 .6rem}"
    "input,button{font:inherit;padding:.5rem .8rem;border:1px solid var(--line);border-radius:6px}"
    "input{width:100%;box-sizing:border-box;margin:.3rem 0 1rem;background:var(--paper);color:inherit}"
    "button{background:var(--act);border-color:var(--act);color:var(--on);cursor:pointer}"
    "code{background:var(--wash);padding:.1rem .3rem;border-radius:4px;white-space:nowrap}.bad{color:var(--bad)}"
    "@media(max-width:36rem){main{margin:0;border:0;border-radius:0}}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
WORDS = {
    "en": {
        "title": "Log in",
        "of": "Settlement desk of {carrier}",
        "how": "On the machine with the carrier's keys, run <code>gsc login --browser</code> and open its link within "
        "two minutes. An auditor types the code that the desk gave out.",
        "code": "Code",
        "button": "Log in",
        "refused": "This code opens no session: it was used, has run out, or was taken back. Ask for a new one.",
    },
    "zh": {
        "title": "登录",
        "of": "{carrier} 结算台",
        "how": "在保存运营商密钥的机器上运行 <code>gsc login --browser</code>，并在两分钟内打开它给出的链接。"
        "审计员请输入结算台发放的一次性代码。",
        "code": "一次性代码",
        "button": "登录",
        "refused": "此代码无法登录：已被使用、已过期或已被撤回。请索取新的代码。",
    },
}


@router.get("/login")
def get_login(
    request: Request,
    code: Annotated[str, Query(max_length=64)] = "",
    to: Annotated[str, Query(max_length=300)] = "",
) -> HTMLResponse:
    """The page that a link of `gsc login --browser` opens; `to` is the desk's page to go on to."""
    return _page(request, code, place_after(to))


@router.post("/login")
def post_login(
    request: Request, code: Annotated[str, Form(max_length=64)], to: Annotated[str, Form(max_length=300)] = ""
) -> Response:
    """Use the code up and set the cookie. A form of another page logs nobody in as somebody else."""
    origin = request.headers.get("origin", "")
    if urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise ForgedForm("the request comes from another page", expected="a page of this gateway", got=origin[:80])
    gateway: Gateway = request.app.state.gateway
    now_ms = request.app.state.clock.now_ms()
    try:
        opened = attempted(request, lambda: open_by_code(gateway, code.strip(), now_ms, BROWSER_MS))
    except GscError as error:
        page = _page(request, "", place_after(to), refused=True)
        page.status_code = error.status
        return page
    answer = RedirectResponse(place_after(to), 303, HEADERS)
    answer.set_cookie(
        cookie_name(gateway),
        opened.token,
        max_age=(opened.row.expires_at_ms - now_ms) // 1000,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
async def post_logout(request: Request) -> RedirectResponse:
    """End the session; the form bears its csrf."""
    await session_of(request)
    await log_out(request)
    answer = RedirectResponse("/login", 303, HEADERS)
    answer.delete_cookie(cookie_name(request.app.state.gateway), path="/", httponly=True, samesite="strict")
    return answer


def place_after(to: str) -> str:
    """Where a login leads: a page of our own desk, the first unless another is named."""
    return to if re.fullmatch(r"/desk(/\w[\w.-]*)*", to, re.ASCII) else "/desk"


def _page(request: Request, code: str, to: str, *, refused: bool = False) -> HTMLResponse:
    wishes = [request.query_params.get("lang", ""), *request.headers.get("accept-language", "").split(",")]
    language = next((wish.strip()[:2].lower() for wish in wishes if wish.strip()[:2].lower() in WORDS), "en")
    words = WORDS[language]
    carrier = escape(request.app.state.gateway.carrier)
    said = f"<p class=bad role=alert>{words['refused']}</p>" if refused else ""
    return HTMLResponse(
        f"<!doctype html><html lang={language}><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{words['title']} · {carrier}</title>"
        f"<style>{_STYLE}</style><main><h1>{words['of'].format(carrier=carrier)}</h1>{said}<p>{words['how']}</p>"
        f"<form method=post action=/login><label>{words['code']}"
        f"<input name=code required autocomplete=off autofocus maxlength=64 value='{escape(code)}'></label>"
        f"<input type=hidden name=to value='{escape(to)}'><button>{words['button']}</button></form></main></html>",
        headers=HEADERS,
    )
