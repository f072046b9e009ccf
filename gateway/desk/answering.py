"""How does a page answer a browser? With its headers, in the reader's language, and a page for each refusal."""

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.composition import Gateway
from gateway.desk.drawing import Page, draw
from gateway.desk.shapes import count
from gateway.desk.wording import Words, choose_language, words_of
from gateway.health import GatewayHealth, health_of
from ledger.errors import GscError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""No inline script or style runs, and a form goes nowhere else."""


def gateway_of(request: Request) -> Gateway:
    """The gateway of the app."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def language_of(request: Request) -> str:
    """The language this reader is answered in."""
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def answer(request: Request, template: str, build: Callable[[Gateway, GatewayHealth], object]) -> HTMLResponse:
    """A page of the view that `build` makes, or a page that says what was expected, what came and what to do."""
    gateway = gateway_of(request)
    health = health_of(gateway)
    try:
        return page_of(request, template, health, view=build(gateway, health))
    except GscError as error:
        return problem_of(request, health, error)


def problem_of(request: Request, health: GatewayHealth, error: GscError) -> HTMLResponse:
    """The page of a refusal, with its status."""
    title = error.slug.replace("-", " ").capitalize()
    page = page_of(request, "problem.html", health, title=title, error=error)
    page.status_code = error.status
    return page


def page_of(request: Request, template: str, health: GatewayHealth, **values: object) -> HTMLResponse:
    """A template, filled, with the headers every page has."""
    language = language_of(request)
    text, mood = _heartbeat(words_of(language), health)
    page = Page(
        carrier=gateway_of(request).carrier,
        language=language,
        asked_language=request.query_params.get("lang") == language,
        path=request.url.path,
        now_s=health.chain_time,
        health_text=text,
        health_mood=mood,
    )
    return HTMLResponse(draw(template, page, **values), headers=HEADERS)


def _heartbeat(words: Words, health: GatewayHealth) -> tuple[str, str]:
    """What the head of each page says of the chain, and how it looks."""
    if not health.chain_reachable:
        return words("health.down"), "bad"
    if health.lag:
        return words("health.behind_text", count=count(health.lag)), "warn"
    return words("health.ok", block=count(health.head)), ""
