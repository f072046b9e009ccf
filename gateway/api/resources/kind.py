"""How is a resource read? One list with filters, fields and cursor, and one address for each: the same for all kinds.

What a caller may not see is left out before anything is looked for, so it answers like what does not exist, after the
same work.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, create_model

from gateway.api.guard import no_such_resource, require_reader, require_session
from gateway.api.login.session import Session
from gateway.api.resources.etags import etag_of, is_known
from gateway.api.resources.paging import DEFAULT_LIMIT, MAX_LIMIT, draw_cursor, next_link, question_of, read_cursor
from gateway.api.resources.shapes import ALWAYS, Resource
from gateway.composition import Gateway
from ledger.errors import Malformed, NotFound
from ledger.identity import CarrierCode

Shape = TypeVar("Shape", bound=Resource)
Told = dict[str, Any]
Guard = Callable[..., Awaitable[Session]]
KNOWN: dict[int | str, dict[str, Any]] = {304: {"description": "The caller has it already"}}
"""`responses` of a route that answers `answer_one`."""


class Asked(BaseModel):
    """What every list takes; other parameters are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Rows of one page")] = DEFAULT_LIMIT
    cursor: Annotated[
        str | None, Field(max_length=500, description="Of the `Link: rel=next` header of the page before")
    ] = None
    fields: Annotated[
        str | None, Field(max_length=500, description="Members to tell, with commas between; always id, href, @type")
    ] = None

    def filters(self) -> dict[str, object]:
        """What rows must be, without how they are told."""
        return self.model_dump(exclude={"limit", "cursor", "fields"}, exclude_none=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Shape]):
    """A kind of resource: its name in paths, its shape, its filters, and where its rows come from."""

    name: str
    shape: type[Shape]
    asked: type[Asked]
    rows: Callable[[Gateway, Any], Sequence[Shape]]
    """All rows in an order that does not change, of which filters and sessions leave some out."""
    id_example: str
    between: Callable[[Shape], str | None] | None = None
    """With which partner a row is shared; None: not for other carriers at all."""


def seen_by(session: Session, kind: Kind[Shape], rows: Sequence[Shape]) -> list[Shape]:
    """The rows that somebody may see."""
    if kind.between is None or session.carrier is None or session.writes:
        return list(rows)
    partners = [kind.between(row) for row in rows]
    return [row for row, code in zip(rows, partners, strict=True) if code and session.sees(CarrierCode(code))]


def find_one(gateway: Gateway, session: Session, kind: Kind[Shape], row_id: str) -> Shape:
    """One row that the session may see. Raises NotFound in the same words for all others."""
    found = [row for row in seen_by(session, kind, kind.rows(gateway, kind.asked())) if row.id == row_id]
    if not found:
        raise no_such_resource()
    return found[0]


def told(row: Resource, fields: str | None = None) -> Told:
    """A row as JSON, whole or some members of it. Raises Malformed for a member that it does not have."""
    whole: Told = row.model_dump(mode="json", by_alias=True)
    if fields is None:
        return whole
    wanted = [each.strip() for each in fields.split(",") if each.strip()]
    unknown = [each for each in wanted if each not in whole]
    if unknown:
        raise Malformed(f"no such member: {unknown[0][:40]!r}", expected=", ".join(whole), todo="Correct `fields`.")
    return {name: value for name, value in whole.items() if name in wanted or name in ALWAYS}


def add_routes(router: APIRouter, kind: Kind[Shape], guard: Guard | None = None) -> None:
    """GET /v1/NAME and GET /v1/NAME/{id}, for who passes the guard; without one the kind says who that is."""
    guard = guard or (require_reader if kind.between is None else require_session)
    add_list(router, kind, guard)
    fields_type = fields_of(kind.shape)

    def get_one(
        request: Request,
        session: Annotated[Session, Depends(guard)],
        id: Annotated[str, Path(max_length=140, examples=[kind.id_example])],
        fields: Any = None,
    ) -> Response:
        gateway: Gateway = request.app.state.gateway
        return answer_one(request, find_one(gateway, session, kind, id), fields)

    get_one.__annotations__["fields"] = fields_type
    get_one.__doc__ = f"{(kind.shape.__doc__ or '').splitlines()[0]} With its ETag."
    router.add_api_route(
        f"/{kind.name}/{{id}}",
        get_one,
        methods=["GET"],
        response_model=kind.shape,
        operation_id=f"get_{kind.name}",
        name=f"get_{kind.name}",
        responses=KNOWN,
    )


def add_list(router: APIRouter, kind: Kind[Shape], guard: Guard) -> None:
    """GET /v1/NAME alone, of what one is more than a resource."""
    asked_type = asked_of(kind.asked, kind.shape)

    def list_them(
        request: Request, session: Annotated[Session, Depends(guard)], asked: Annotated[Any, Query()]
    ) -> Response:
        gateway: Gateway = request.app.state.gateway
        rows = [row for row in seen_by(session, kind, kind.rows(gateway, asked)) if _fits(row, asked.filters())]
        return page_of(request, asked, rows)

    list_them.__annotations__["asked"] = Annotated[asked_type, Query()]
    list_them.__doc__ = f"{(kind.shape.__doc__ or '').splitlines()[0]} By page, oldest first."
    router.add_api_route(
        f"/{kind.name}",
        list_them,
        methods=["GET"],
        response_model=list[kind.shape],  # type: ignore[name-defined]
        operation_id=f"list_{kind.name}",
        name=f"list_{kind.name}",
    )


def fields_of(shape: type[Resource]) -> Any:
    """The type of the parameter `fields` for a shape: its members, with commas between."""
    names = [field.serialization_alias or name for name, field in shape.model_fields.items()]
    some = "|".join(names)
    said = f"Members to tell, with commas between; always {', '.join(ALWAYS)}"
    return Annotated[
        str | None,
        Query(pattern=f"^({some})(,({some}))*$", max_length=500, description=said, examples=[",".join(names[2:4])]),
    ]


def asked_of(asked: type[Asked], shape: type[Resource]) -> type[Asked]:
    """The parameters of a list of that shape."""
    return create_model(asked.__name__, __base__=asked, __doc__=asked.__doc__, fields=(fields_of(shape), None))


def page_of(request: Request, asked: Asked, rows: Sequence[Resource]) -> JSONResponse:
    """One page of rows, with how many there are in all and where the next one begins."""
    secret: bytes = request.app.state.cursor_secret
    question = question_of(request.url.path, asked.filters())
    first = 0
    if asked.cursor is not None:
        last = read_cursor(secret, question, asked.cursor)
        places = [at for at, row in enumerate(rows) if row.id == last]
        if not places:
            raise NotFound("the row of the cursor is gone", todo="Begin again without cursor.")
        first = places[0] + 1
    page = rows[first : first + asked.limit]
    headers = {"X-Total-Count": str(len(rows)), "X-Result-Count": str(len(page))}
    if first + asked.limit < len(rows):
        query = {name: value for name, value in request.query_params.items() if name != "cursor"}
        headers["Link"] = next_link(request.url.path, query, draw_cursor(secret, question, page[-1].id))
    return JSONResponse([told(row, asked.fields) for row in page], headers=headers)


def answer_one(request: Request, row: Resource, fields: str | None = None, status: int = 200) -> Response:
    """One row with its ETag; nothing again to who has it."""
    etag = etag_of(told(row))
    if is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(told(row, fields), status, {"ETag": etag})


def _fits(row: Resource, filters: dict[str, object]) -> bool:
    """A filter is a member of the same name that equals it; one that a row does not have chose the rows already."""
    return all(str(getattr(row, name)) == str(value) for name, value in filters.items() if hasattr(row, name))
