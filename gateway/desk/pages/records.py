"""What answers under a month's records? All of a direction, those of a finding, and one record down to its proof."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from gateway.composition import Gateway
from gateway.desk.answering import answer, file_of, gateway_of, problem_of
from gateway.desk.filtering import choices_of
from gateway.desk.sheets.drawn import EXPORT, FORMAT
from gateway.desk.views.records.directions import compared_directions, direction_of
from gateway.desk.views.records.finding import finding_view
from gateway.desk.views.records.listing import asked_of, records_view, wanted_of
from gateway.desk.views.records.one import record_view
from gateway.documents.tables import export, table_format
from gateway.health import health_of
from gateway.records.leaving import reader_of
from ledger.errors import GscError
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(include_in_schema=False)


@router.get("/records")
def get_some_records(request: Request, period: str = "", partner: str = "") -> Response:
    """The records of the month and partner that the filters name, else of the latest month that was reconciled."""
    found = _reconciled(gateway_of(request), period, partner)
    if found is None:
        return answer(request, "no_records.html", lambda gateway, _: None)
    rest = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/desk/statements/{found[0]}/{found[1]}/records{rest}", 303)


@router.get("/statements/{partner}/{period}/records")
def get_records(request: Request, partner: str, period: str) -> Response:
    """A page of all records of a direction, or all of them as a file."""
    if EXPORT in request.query_params:
        try:
            return _file(request, partner, period)
        except GscError as error:
            return problem_of(request, health_of(gateway_of(request)), error)
    return answer(
        request,
        "records.html",
        lambda gateway, _: records_view(
            gateway, carrier_code(partner), parse_period(period), asked_of(request.query_params)
        ),
    )


@router.get("/statements/{partner}/{period}/records/{creditor}/{service}/{number}")
def get_record(request: Request, partner: str, period: str, creditor: str, service: str, number: int) -> Response:
    """One record, both sides, down to its proof."""
    return answer(
        request,
        "record.html",
        lambda gateway, _: record_view(gateway, carrier_code(partner), parse_period(period), creditor, service, number),
    )


@router.get("/statements/{partner}/{period}/findings/{number}")
def get_finding(
    request: Request, partner: str, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """The records of one finding."""
    return answer(
        request,
        "finding.html",
        lambda gateway, _: finding_view(gateway, carrier_code(partner), parse_period(period), number, after),
    )


def _file(request: Request, partner: str, period: str) -> Response:
    """The whole list that the address names, in order of the start."""
    asked, gateway = asked_of(request.query_params), gateway_of(request)
    month, format_ = parse_period(period), table_format(request.query_params.get(FORMAT, "csv"))
    chosen = direction_of(compared_directions(gateway, carrier_code(partner), month), asked.creditor, asked.service)
    rows = reader_of(chosen.records, wanted_of(asked, chosen, month))
    name = f"{gateway.carrier}-{partner}-{period}-{chosen.service}-records.{format_}"
    return file_of(export(rows, format_), name, format_.media_type)


def _reconciled(gateway: Gateway, period: str, partner: str) -> tuple[str, str] | None:
    choices = choices_of(gateway)
    for month in [period] if period in choices.periods else choices.periods:
        for each in [partner] if partner in choices.partners else choices.partners:
            if compared_directions(gateway, carrier_code(each), parse_period(month)):
                return each, month
    return None
