"""What answers under /desk/statements? Both sides of one month with one partner."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.statement import statement_view
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/statements", include_in_schema=False)


@router.get("/{partner}/{period}")
def get_statement(request: Request, partner: str, period: str) -> Response:
    """Both sides of one month with one partner."""
    return answer(
        request,
        "statement.html",
        lambda gateway, _: statement_view(gateway, carrier_code(partner), parse_period(period)),
    )
