"""What answers where forgery, fraud and arbitrage are told?"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.suspicions import risk_view, suspicion_view
from ledger.period import parse_period

router = APIRouter(prefix="/fraud", include_in_schema=False)


@router.get("")
def get_risk(request: Request) -> Response:
    """Everything suspected, the costliest first."""
    return answer(request, "risk.html", lambda gateway, _: risk_view(gateway))


@router.get("/{period}/{number}")
def get_suspicion(request: Request, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """One suspicion and the records that show it."""
    return answer(
        request, "suspicion.html", lambda gateway, _: suspicion_view(gateway, parse_period(period), number, after)
    )
