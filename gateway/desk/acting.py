"""How does a page write? A form of our own page by a logged-in desk, one verb of the month, and a way back."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.api.guard import require_desk
from gateway.composition import Gateway
from gateway.desk.answering import HEADERS, gateway_of, language_of, problem_of
from gateway.desk.wording import Words, words_of
from gateway.health import health_of
from ledger.errors import GscError


async def refusal_of(request: Request) -> GscError | None:
    """Why this form may not write, None if it may: told on a page, not as a problem document."""
    try:
        await require_desk(request)
    except GscError as error:
        return error
    return None


def act(request: Request, refusal: GscError | None, do: Callable[[Gateway, Words], str]) -> Response:
    """Do what the form asks and go to the address that `do` gives; or say on a page why not. Nothing is done twice:
    every verb of the month finds its own work."""
    gateway = gateway_of(request)
    if refusal is not None:
        return problem_of(request, health_of(gateway), refusal)
    language = language_of(request)
    try:
        where = do(gateway, words_of(language))
    except GscError as error:
        return problem_of(request, health_of(gateway), error)
    if request.query_params.get("lang") == language:
        where, _, place = where.partition("#")
        where = f"{where}{'&' if '?' in where else '?'}{urlencode({'lang': language})}{'#' + place if place else ''}"
    return RedirectResponse(where, 303, HEADERS)
