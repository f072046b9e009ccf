"""Which records do both sides have of a direction? TM Forum's usage, ours beside theirs, by cursor.

The list is made by `gsc reconcile` and mapped into memory: a page costs the same at its begin and at its end.
"""

from pathlib import Path as File
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.guard import no_such_resource, require_reader
from gateway.api.models import CarrierText, PeriodText
from gateway.api.resources.kind import Asked, answer_one, asked_of, fields_of, told
from gateway.api.resources.paging import draw_cursor, next_link, question_of, read_cursor
from gateway.api.resources.shapes import (
    CarrierWord,
    Moment,
    MoneyShape,
    PeriodWord,
    Resource,
    ServiceWord,
    moment_ms,
    money,
)
from gateway.composition import Gateway, Partnership, partnerships
from gateway.month.listing import list_path
from gateway.month.parts import Direction
from gateway.records.layout import Match
from gateway.records.reading import Listed, ListedSide, RecordList
from gateway.records.wanted import Wanted
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period, parse_period
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliation
from reconciliation.finding import Cause

router = APIRouter(prefix="/v1", tags=["usage"], dependencies=[Depends(require_reader)])
MatchWord = Literal["exact", "partial", "mismatch", "missing_at_theirs", "missing_at_ours"]
ServiceName = Literal["voice", "sms", "data", "ipl"]


class UsageSide(BaseModel):
    """One side's record."""

    model_config = ConfigDict(extra="forbid")

    row: int
    """In that side's book."""
    usageDate: Moment | None  # noqa: N815
    quantity: str
    amount: MoneyShape


class UsageShape(Resource):
    """One usage record, or a pair of both sides' records of the same event."""

    type: Literal["usage"] = Field(default="usage", serialization_alias="@type")
    partner: CarrierWord
    period: PeriodWord
    creditor: CarrierWord
    usageType: ServiceWord  # noqa: N815
    usageDate: Moment | None  # noqa: N815
    state: Literal["rated"]
    match: MatchWord
    causes: list[str]
    differing: list[str]
    rule: str | None
    offsetMs: int | None  # noqa: N815
    aParty: str  # noqa: N815
    bParty: str  # noqa: N815
    destination: str
    route: str
    ours: UsageSide | None
    theirs: UsageSide | None


class AskedUsage(Asked):
    """Of which direction, and which of its records."""

    partner: CarrierText
    period: PeriodText
    creditor: CarrierText
    service: ServiceName = "voice"
    match: MatchWord | None = None
    differing: bool = False
    cause: Cause | None = None
    destination: str | None = Field(default=None, max_length=120)
    route: str | None = Field(default=None, max_length=120)
    number: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")


@router.get("/usage", response_model=list[UsageShape], operation_id="list_usage")
def list_usage(request: Request, asked: Annotated[asked_of(AskedUsage, UsageShape), Query()]) -> Response:  # type: ignore[valid-type]
    """Records of one direction of a month, ours beside theirs, by page, in order of their start."""
    gateway: Gateway = request.app.state.gateway
    held, direction, period = _direction(gateway, asked.partner, asked.period, asked.creditor, asked.service)
    records = _records(gateway, direction, period)
    wanted = Wanted(
        match=None if asked.match is None else Match[asked.match.upper()],
        differing=asked.differing,
        cause=asked.cause,
        destination=asked.destination,
        route=asked.route,
        number=asked.number,
    )
    secret: bytes = request.app.state.cursor_secret
    question = question_of(request.url.path, asked.filters())
    after = 0 if asked.cursor is None else int(read_cursor(secret, question, asked.cursor))
    page = records.page(wanted, after=after, limit=asked.limit)
    rows = [told(_shape(held, direction, period, row), asked.fields) for row in page.records]
    headers = {"X-Result-Count": str(len(rows))}
    if page.after is not None:
        query = {name: value for name, value in request.query_params.items() if name != "cursor"}
        headers["Link"] = next_link(request.url.path, query, draw_cursor(secret, question, str(page.after)))
    return JSONResponse(rows, headers=headers)


@router.get("/usage/{id}", response_model=UsageShape, operation_id="get_usage")
def get_usage(
    request: Request,
    id: Annotated[str, Path(max_length=140, examples=["GB-B.2026-10.GB-B.voice.1"])],
    fields: fields_of(UsageShape) = None,  # type: ignore[valid-type]
) -> Response:
    """One record or pair, with its ETag."""
    gateway: Gateway = request.app.state.gateway
    parts = id.split(".")
    if len(parts) != 5 or not (parts[4].isascii() and parts[4].isdigit()) or len(parts[4]) > 15:
        raise no_such_resource()
    partner, month, creditor, service, number = parts
    if service not in [each.word for each in Service]:
        raise no_such_resource()
    held, direction, period = _direction(gateway, partner, month, creditor, service)
    row = _records(gateway, direction, period).record(int(number))
    if row is None:
        raise no_such_resource()
    return answer_one(request, _shape(held, direction, period, row), fields)


def _direction(
    gateway: Gateway, partner: str, month: str, creditor: str, service: str
) -> tuple[Partnership, Direction, Period]:
    held = partnerships(gateway.settings).get(CarrierCode(partner))
    if held is None or creditor not in held.carriers:
        raise no_such_resource()
    return held, Direction(held, CarrierCode(creditor), Service[service.upper()]), parse_period(month)


def _records(gateway: Gateway, direction: Direction, period: Period) -> RecordList:
    with reading(gateway.engine) as connection:
        run = latest_reconciliation(connection, direction.scope(gateway.carrier, period))
    path = (
        None if run is None or run.exceptions_path is None else list_path(gateway.settings.home / run.exceptions_path)
    )
    if path is None or not File(path).exists():
        todo = f"gsc reconcile --partner {direction.held.partner} --period {period}"
        raise NotFound("the records of this direction were not compared yet", todo=todo)
    return RecordList(path)


def _shape(held: Partnership, direction: Direction, period: Period, row: Listed) -> UsageShape:
    name = f"{held.partner}.{period}.{direction.creditor}.{direction.service.word}.{row.number}"
    return UsageShape(
        id=name,
        href=f"/v1/usage/{name}",
        partner=held.partner,
        period=str(period),
        creditor=direction.creditor,
        usageType=direction.service.word,
        usageDate=moment_ms(row.start_ms),
        state="rated",
        match=row.match.word,  # type: ignore[arg-type]
        causes=[each.value for each in row.causes],
        differing=sorted(row.differing),
        rule=None if row.rule is None else row.rule.name.lower(),
        offsetMs=row.offset_ms,
        aParty=row.a_party,
        bParty=row.b_party,
        destination=row.destination,
        route=row.route,
        ours=_side(row.ours, held.currency),
        theirs=_side(row.theirs, held.currency),
    )


def _side(side: ListedSide | None, unit: str) -> UsageSide | None:
    if side is None:
        return None
    return UsageSide(
        row=side.row, usageDate=moment_ms(side.start_ms), quantity=str(side.quantity), amount=money(unit, side.micros)
    )
