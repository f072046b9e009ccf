"""What answers under /desk/arbitrage? The records of one finding of arbitrage."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.arbitrage import arbitrage_view
from ledger.period import parse_period

router = APIRouter(prefix="/arbitrage", include_in_schema=False)


@router.get("/{period}/{number}")
def get_arbitrage(request: Request, period: str, number: int, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """The records of one finding of arbitrage."""
    return answer(
        request, "arbitrage.html", lambda gateway, _: arbitrage_view(gateway, parse_period(period), number, after)
    )
