"""How does a page answer a browser? With its headers, in the reader's language, and a page for each refusal."""

from collections.abc import Callable, Iterable

from fastapi import Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from gateway.api.login.session import Session
from gateway.composition import Gateway
from gateway.desk.drawing import Page, draw
from gateway.desk.filtering import choices_of, filters_of
from gateway.desk.shapes import count
from gateway.desk.sheets.drawn import EXPORT, FORMAT, Address, exported
from gateway.desk.sheets.of_pages import sheets_of
from gateway.desk.wording import Words, choose_language, words_of
from gateway.documents.tables import table_format
from gateway.health import GatewayHealth, health_of
from ledger.errors import GscError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""No inline script or style runs, and a form goes nowhere else. Under no-referrer a browser sends its forms with the
origin "null", which none of ours may have."""


def gateway_of(request: Request) -> Gateway:
    """The gateway of the app."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def session_shown(request: Request) -> Session | None:
    """Who reads, if anybody is logged in; the page's dependency has looked it up. Open readers are nobody here."""
    found = getattr(request.state, "found", None)
    return None if found is None else found.session


def language_of(request: Request) -> str:
    """The language this reader is answered in."""
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def address_of(request: Request) -> Address:
    """Where a page was asked for."""
    return Address(f"{request.url.scheme}://{request.url.netloc}", request.url.path, dict(request.query_params))


def answer(request: Request, template: str, build: Callable[[Gateway, GatewayHealth], object]) -> Response:
    """A page of the view that `build` makes, or one of its tables as a file, or a page that says what was expected,
    what came and what to do."""
    gateway = gateway_of(request)
    health = health_of(gateway)
    try:
        if EXPORT in request.query_params:
            return _taken(request, template, build(gateway, health))
        return page_of(request, template, health, view=build(gateway, health))
    except GscError as error:
        return problem_of(request, health, error)


def _taken(request: Request, template: str, view: object) -> Response:
    """The whole of a table, as a file."""
    address = address_of(request)
    format_ = table_format(address.query.get(FORMAT, "csv"))
    pieces = exported(sheets_of(template), view, filters_of(address.path, address.query), address, format_)
    return file_of(pieces, f"{gateway_of(request).carrier}-{address.query[EXPORT]}.{format_}", format_.media_type)


def file_of(pieces: Iterable[bytes], name: str, media_type: str) -> Response:
    """Bytes to be kept under a name."""
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "-" for each in name)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{kept}"'}
    return StreamingResponse(iter(pieces), media_type=media_type, headers=headers)


def problem_of(request: Request, health: GatewayHealth, error: GscError) -> HTMLResponse:
    """The page of a refusal, with its status."""
    page = page_of(request, "problem.html", health, error=error)
    page.status_code = error.status
    return page


def page_of(request: Request, template: str, health: GatewayHealth, **values: object) -> HTMLResponse:
    """A template, filled, with the headers every page has."""
    language = language_of(request)
    text, mood = _heartbeat(words_of(language), health)
    address = address_of(request)
    page = Page(
        carrier=gateway_of(request).carrier,
        language=language,
        asked_language=request.query_params.get("lang") == language,
        path=request.url.path,
        now_s=health.chain_time,
        health_text=text,
        health_mood=mood,
        origin=address.origin,
        query=address.query,
        filters=filters_of(address.path, address.query),
        choices=choices_of(gateway_of(request)),
        session=session_shown(request),
    )
    return HTMLResponse(draw(template, page, **values), headers=HEADERS)


def _heartbeat(words: Words, health: GatewayHealth) -> tuple[str, str]:
    """What the head of each page says of the chain, and how it looks."""
    if not health.chain_reachable:
        return words("health.down"), "bad"
    if health.lag:
        return words("health.behind_text", count=count(health.lag)), "warn"
    return words("health.ok", block=count(health.head)), ""
