"""How does a page write, and what does a browser see when it is refused? A page, never a problem document."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gateway.composition import Gateway
from gateway.desk.answering import HEADERS, gateway_of, language_of, problem_of
from gateway.desk.wording import Words, words_of
from gateway.health import health_of
from ledger.errors import GscError, Malformed, NotFound

NO_PAGE = (404, 405)
"""Statuses of an address that no page has."""


def act(request: Request, do: Callable[[Gateway, Words], str]) -> Response:
    """Do what the form asks and go to the address that `do` gives; or say on a page why not. Nothing is done twice:
    every verb of the month finds its own work."""
    gateway = gateway_of(request)
    language = language_of(request)
    try:
        where = do(gateway, words_of(language))
    except GscError as error:
        return problem_of(request, health_of(gateway), error)
    if request.query_params.get("lang") == language:
        where, _, place = where.partition("#")
        where = f"{where}{'&' if '?' in where else '?'}{urlencode({'lang': language})}{'#' + place if place else ''}"
    return RedirectResponse(where, 303, HEADERS)


def install_pages(app: FastAPI) -> None:
    """Refusals of what is under /desk are pages: of strangers, forged forms and forms that do not fit."""
    for kind in (GscError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _on_pages(app.exception_handlers[kind]))


def _on_pages(elsewhere: Callable[..., Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A page for what is asked for under /desk, the document for everything else."""

    async def handle(request: Request, error: Exception) -> Response:
        path = request.url.path
        is_page = path.startswith("/desk") and not path.startswith("/desk/static")
        if not is_page or (isinstance(error, HTTPException) and error.status_code not in NO_PAGE):
            document: Response = await elsewhere(request, error)
            return document
        return await run_in_threadpool(_page, request, error)

    return handle


def _page(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        faults = ", ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        error = Malformed("the form does not fit", got=faults, todo="Load the page again.")
    if isinstance(error, HTTPException):
        error = NotFound("the desk has no such page", got=request.url.path[:80], todo="Begin at the overview.")
    assert isinstance(error, GscError)
    return problem_of(request, health_of(gateway_of(request)), error)
