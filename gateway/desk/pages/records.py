"""What answers under a finding's address? Its records, and one record down to its proof."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from gateway.desk.answering import answer
from gateway.desk.views.records import finding_view, record_view
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/statements", include_in_schema=False)


@router.get("/{partner}/{period}/findings/{number}")
def get_finding(
    request: Request, partner: str, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """The records of one finding."""
    return answer(
        request,
        "finding.html",
        lambda gateway, _: finding_view(gateway, carrier_code(partner), parse_period(period), number, after),
    )


@router.get("/{partner}/{period}/findings/{number}/records/{record}")
def get_record(request: Request, partner: str, period: str, number: int, record: int) -> HTMLResponse:
    """One call, both sides, down to its proof."""
    return answer(
        request,
        "record.html",
        lambda gateway, _: record_view(gateway, carrier_code(partner), parse_period(period), number, record),
    )
