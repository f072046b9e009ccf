"""How does an error become an answer? RFC 9457 problem documents: one slug and one status for each class."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.answers import as_json, camel
from ledger.errors import GscError, Malformed, NotFound

PROBLEM_JSON = "application/problem+json"
TOO_LARGE = 413
_log = logging.getLogger("gsc.api")
_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "expected", "got", "todo"})


class NotSignedIn(GscError):
    """What is not for strangers, asked for without a session, or with one that is over."""

    slug, status = "not-signed-in", 401


class NotForThisRole(GscError):
    """A write by who may only read."""

    slug, status = "not-for-this-role", 403


class UnsupportedForm(GscError):
    """Bytes in a form that nobody here reads."""

    slug, status = "unsupported-form", 415


class ForgedForm(GscError):
    """A write by cookie that may come from another page than ours."""

    slug, status = "forged-form", 403


class PreconditionFailed(GscError):
    """A change that was decided on another state than the present one."""

    slug, status = "precondition-failed", 412


class PreconditionRequired(GscError):
    """A change that does not say on which state it was decided."""

    slug, status = "precondition-required", 428


class TooManyAttempts(GscError):
    """More failed logins than somebody makes who has forgotten something."""

    slug, status = "too-many-attempts", 429


def problem_of(error: GscError) -> dict[str, object]:
    """The problem document of an error: integers as strings, bytes as 0x-prefixed digits."""
    document: dict[str, object] = {
        "type": f"/problems/{error.slug}",
        "title": error.slug.replace("-", " ").capitalize(),
        "status": error.status,
        "detail": error.message,
    }
    for name in ("expected", "got"):
        value = getattr(error, name)
        if value is not None:
            document[name] = _member(value) if isinstance(value, bytes | list | tuple) else str(value)
    if error.todo:
        document["todo"] = error.todo
    members = {camel(name): _member(value) for name, value in error.members.items() if name not in _RESERVED}
    return document | members


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method that an address of the API takes, whichever router has it."""
    found = set()
    for template, item in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            found |= {method.upper() for method in item}
    return sorted(found)


def _member(value: object) -> object:
    """A refusal's argument: integers as text, whatever their size."""
    if isinstance(value, list | tuple):
        return [_member(each) for each in value]
    return str(value) if type(value) is int else as_json(value)


def problem_response(error: GscError) -> JSONResponse:
    """The HTTP answer to an error."""
    headers: Mapping[str, str] = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": 'Bearer realm="gsc"'}
    if error.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers = {"Retry-After": str(error.members.get("retry_after", 2))}
    return JSONResponse(problem_of(error), error.status, dict(headers), PROBLEM_JSON)


def install_problems(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""
    app.add_exception_handler(GscError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GscError)
    return problem_response(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [{"at": "/".join(map(str, each["loc"])), "fault": _fault(each)} for each in error.errors()]
    document = problem_of(Malformed("the request does not fit its model", todo="See /openapi.json."))
    return JSONResponse(jsonable_encoder(document | {"faults": faults}), 422, media_type=PROBLEM_JSON)


def _fault(found: Mapping[str, Any]) -> str:
    """What is wrong, in our words where the model's are its own."""
    if found["type"] == "extra_forbidden":
        return "there is no member of this name here"
    return str(found["msg"]).removeprefix("Value error, ")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(NotFound("no such resource", todo="See /openapi.json for what there is."))
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return problem_response(
            Malformed(
                "the request cannot be read",
                expected="a JSON body that fits its model",
                got=str(error.detail),
                todo="See /openapi.json.",
            )
        )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_at(request.app, request.url.path)) or headers.get("Allow", "")
    phrase = "Too large" if error.status_code == TOO_LARGE else HTTPStatus(error.status_code).phrase
    document = {
        "type": f"/problems/{phrase.lower().replace(' ', '-')}",
        "title": phrase,
        "status": error.status_code,
        "detail": str(error.detail),
    }
    return JSONResponse(document, error.status_code, headers, PROBLEM_JSON)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Our own mistake: the log has it under a number, the answer tells nothing else."""
    number = uuid4().hex[:12]
    _log.error("unexpected error %s at %s %r", number, request.method, request.url.path, exc_info=error)
    document = {
        "type": "/problems/our-mistake",
        "title": "Our mistake",
        "status": 500,
        "detail": "The gateway met an error it did not expect. Nothing half-done was kept.",
        "todo": f"Tell the operator the number {number}: the log has it.",
    }
    return JSONResponse(document, 500, media_type=PROBLEM_JSON)
