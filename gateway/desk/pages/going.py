"""Where does the bar of filters lead? To the page somebody is on, with the month, partner and service chosen."""

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from gateway.desk.filtering import Filters, address_of

router = APIRouter(include_in_schema=False)


@router.get("/go")
def get_going(
    here: str = Query(default="/desk", max_length=400),
    period: str = Query(default="", max_length=40),
    partner: str = Query(default="", max_length=40),
    service: str = Query(default="", max_length=40),
    lang: str | None = Query(default=None, max_length=2),
) -> RedirectResponse:
    """The same page with these filters, or another statement."""
    return RedirectResponse(address_of(here, Filters(period, partner, service), lang), 303)
