"""What does the API say of itself? OpenAPI 3.1 with security, problems, headers, links and examples.

FastAPI writes the operations; what it cannot know is added here: who may call each, how refusals look, which header a
page and an ETag come in, and which operation takes the id that another one tells.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.api.login.bearing import cookie_name
from gateway.composition import Gateway

Schema = dict[str, Any]
METHODS = ("get", "post", "patch", "delete")
PROBLEM: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457): what was expected, what came, and what to do next.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/malformed"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "expected": {},
        "got": {},
        "todo": {"type": "string"},
        "faults": {
            "type": "array",
            "items": {"type": "object", "properties": {"at": {"type": "string"}, "fault": {"type": "string"}}},
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_REFUSED: Schema = {
    "description": "A refusal; its type leads to a page that says what to do next",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_ETAG: Schema = {"ETag": {"description": "Of this state", "required": True, "schema": {"type": "string"}}}
_PAGE: Schema = {
    "X-Total-Count": {"description": "Rows in all", "schema": {"type": "string", "pattern": r"^\d+$"}},
    "X-Result-Count": {"description": "Rows of this page", "schema": {"type": "string", "pattern": r"^\d+$"}},
    "Link": {"description": "rel=next: the next page, if there is one", "schema": {"type": "string"}},
}
LINKS: tuple[tuple[str, str, str, str], ...] = (
    ("seal", "/batches/0/root", "get_cdrTransaction", "id"),
    ("seal", "/batches/0/root", "commit", "id"),
    ("list_cdrTransaction", "/0/id", "commit", "id"),
    ("list_customerBill", "/0/id", "accept", "id"),
    ("list_dispute", "/0/id", "resolve", "id"),
    ("list_dispute", "/0/id", "withdraw_dispute", "id"),
    ("list_dispute", "/0/id", "investigate", "id"),
    ("list_settlementAccount", "/0/id", "grant_credit", "id"),
    ("post_grant", "/id", "get_grant", "grant_id"),
    ("post_grant", "/id", "delete_grant", "grant_id"),
    ("grants", "/0/id", "get_grant", "grant_id"),
    *(
        (source, pointer, target, "id")
        for source, pointer in (("post_webhook", "/id"), ("list_webhook", "/0/id"))
        for target in ("get_webhook", "test_webhook", "resume_webhook", "delete_webhook")
    ),
    *(
        (source, pointer, target, "id")
        for source, pointer in (("begin_intake", "/id"), ("list_usageIntake", "/0/id"))
        for target in ("get_intake", "append_intake", "stage_intake", "get_intake_declaration", "commit_intake")
    ),
    ("begin_intake", "/id", "delete_intake", "id"),
    ("stage_intake", "/id", "get_job", "id"),
    ("stage_intake", "/id", "follow_job", "id"),
)
"""Which operation takes a member of another one's answer, beside each list's first row at its own address."""


def install_openapi(app: FastAPI) -> None:
    """Let /openapi.json tell all of it."""

    def told() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = told  # type: ignore[method-assign]


def describe(app: FastAPI) -> Schema:
    """The whole document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    gateway: Gateway = app.state.gateway
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Of `gsc login`, for an hour"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": cookie_name(gateway)},
    }
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    operations = list(_operations(document))
    for operation in operations:
        _add(operation)
    _link({operation["operationId"]: operation for operation in operations})
    return document


def _operations(document: Schema) -> Iterator[Schema]:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in METHODS:
                yield operation


def _add(operation: Schema) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["4XX"] = _REFUSED
    responses["503"] = _REFUSED
    if "security" in operation:
        responses["401"] = _REFUSED
    name = operation["operationId"]
    if name.startswith("list_") and name != "list_members":
        responses["200"]["headers"] = _PAGE
    if name.startswith("get_") and "304" in responses:
        responses["200"]["headers"] = responses["304"]["headers"] = _ETAG


def _link(by_name: dict[str, Schema]) -> None:
    pairs = list(LINKS)
    for name in by_name:
        one = name.replace("list_", "get_")
        if name.startswith("list_") and one in by_name:
            pairs.append((name, "/0/id", one, "id"))
    for source, pointer, target, parameter in pairs:
        if source in by_name and target in by_name:
            responses = by_name[source]["responses"]
            success = next(each for each in ("201", "202", "200") if each in responses)
            link = {"operationId": target, "parameters": {parameter: f"$response.body#{pointer}"}}
            responses[success].setdefault("links", {})[target] = link
