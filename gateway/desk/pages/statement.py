"""What answers under /desk/statements? Both sides of one month with one partner."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.desk.answering import answer, gateway_of
from gateway.desk.filtering import choices_of
from gateway.desk.views.statement import statement_view
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/statements", include_in_schema=False)


@router.get("")
def get_some_statement(request: Request, period: str = "", partner: str = "") -> RedirectResponse:
    """The statement of the month and partner that the filters name, else of the latest month and the first partner."""
    choices = choices_of(gateway_of(request))
    periods = [period] if period in choices.periods else choices.periods
    partners = [partner] if partner in choices.partners else choices.partners
    rest = {name: value for name, value in request.query_params.items() if name not in ("period", "partner")}
    here = f"/desk/statements/{partners[0]}/{periods[0]}" if periods and partners else "/desk"
    return RedirectResponse(f"{here}?{urlencode(rest)}" if rest else here, 303)


@router.get("/{partner}/{period}")
def get_statement(request: Request, partner: str, period: str) -> Response:
    """Both sides of one month with one partner."""
    return answer(
        request,
        "statement.html",
        lambda gateway, _: statement_view(gateway, carrier_code(partner), parse_period(period)),
    )
