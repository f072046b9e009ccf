"""What answers under /desk? The first page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.overview import overview
from ledger.period import parse_period

router = APIRouter(include_in_schema=False)


@router.get("")
def get_overview(request: Request, period: Annotated[str | None, Query()] = None) -> Response:
    """What needs a person, then every partner."""
    return answer(
        request,
        "overview.html",
        lambda gateway, health: overview(gateway, health, parse_period(period) if period else None),
    )
