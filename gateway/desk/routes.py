"""Which address shows which page? Desk pages are read-only; writes go through the API with the operator's token."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from gateway.api.guard import require_reader
from gateway.composition import Gateway
from gateway.desk.assembling import statement_view
from gateway.desk.bypasses import arbitrage_view
from gateway.desk.drawing import Page, choose_language, count, draw, words_of
from gateway.desk.overviewing import overview
from gateway.desk.records import finding_view, record_view
from gateway.health import GatewayHealth, health_of
from ledger.errors import GscError
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/desk", include_in_schema=False, dependencies=[Depends(require_reader)])
_STYLE = (Path(__file__).parent / "style.css").read_text("utf-8")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@router.get("/style.css")
def get_style() -> Response:
    """The one style sheet."""
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=300"})


@router.get("")
def get_overview(request: Request, period: Annotated[str | None, Query()] = None) -> HTMLResponse:
    """What needs a person, then every partner."""

    def drawn(gateway: Gateway, health: GatewayHealth) -> HTMLResponse:
        view = overview(gateway, health, parse_period(period) if period else None)
        return _page(request, "overview.html", health, view=view)

    return _or_problem(request, drawn)


@router.get("/statements/{partner}/{period}")
def get_statement(request: Request, partner: str, period: str) -> HTMLResponse:
    """Both sides of one month with one partner."""

    def drawn(gateway: Gateway, health: GatewayHealth) -> HTMLResponse:
        view = statement_view(gateway, carrier_code(partner), parse_period(period))
        return _page(request, "statement.html", health, view=view)

    return _or_problem(request, drawn)


@router.get("/statements/{partner}/{period}/findings/{number}")
def get_finding(
    request: Request, partner: str, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """The records of one finding."""

    def drawn(gateway: Gateway, health: GatewayHealth) -> HTMLResponse:
        view = finding_view(gateway, carrier_code(partner), parse_period(period), number, after)
        return _page(request, "finding.html", health, view=view)

    return _or_problem(request, drawn)


@router.get("/statements/{partner}/{period}/findings/{number}/records/{record}")
def get_record(request: Request, partner: str, period: str, number: int, record: int) -> HTMLResponse:
    """One call, both sides, down to its proof."""

    def drawn(gateway: Gateway, health: GatewayHealth) -> HTMLResponse:
        view = record_view(gateway, carrier_code(partner), parse_period(period), number, record)
        return _page(request, "record.html", health, view=view)

    return _or_problem(request, drawn)


@router.get("/arbitrage/{period}/{number}")
def get_arbitrage(request: Request, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0) -> HTMLResponse:
    """The records of one finding of arbitrage."""

    def drawn(gateway: Gateway, health: GatewayHealth) -> HTMLResponse:
        view = arbitrage_view(gateway, parse_period(period), number, after)
        return _page(request, "arbitrage.html", health, view=view)

    return _or_problem(request, drawn)


def _or_problem(request: Request, drawn: Callable[[Gateway, GatewayHealth], HTMLResponse]) -> HTMLResponse:
    """A page, or a page that says what was expected, what came and what to do."""
    gateway = _gateway(request)
    health = health_of(gateway)
    try:
        return drawn(gateway, health)
    except GscError as error:
        title = error.slug.replace("-", " ").capitalize()
        page = _page(request, "problem.html", health, title=title, error=error)
        page.status_code = error.status
        return page


def _page(request: Request, template: str, health: GatewayHealth, **values: object) -> HTMLResponse:
    asked = request.query_params.get("lang")
    language = choose_language(asked, request.headers.get("accept-language", ""))
    words = words_of(language)
    if not health.chain_reachable:
        text, mood = words("health.down"), "bad"
    elif health.lag:
        text, mood = words("health.behind_text", count=count(health.lag)), "warn"
    else:
        text, mood = words("health.ok", block=count(health.head)), ""
    page = Page(
        carrier=_gateway(request).carrier,
        language=language,
        asked_language=asked == language,
        path=request.url.path,
        now_s=health.chain_time,
        health_text=text,
        health_mood=mood,
    )
    return HTMLResponse(draw(template, page, **values), headers=HEADERS)


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway
