"""What answers where the desk signs a month? The statement and the disputes, shown in plain words before."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from gateway import month
from gateway.api.guard import Desk
from gateway.composition import Gateway
from gateway.desk.acting import act
from gateway.desk.answering import answer
from gateway.desk.views.signing import agree_view, open_disputes, opening_view, require_seen
from gateway.desk.wording import Words
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/statements", include_in_schema=False)


@router.get("/{partner}/{period}/agree")
def get_agree(request: Request, partner: str, period: str) -> Response:
    """What our signature under the month would say."""
    return answer(
        request, "agree.html", lambda gateway, _: agree_view(gateway, carrier_code(partner), parse_period(period))
    )


@router.post("/{partner}/{period}/agree")
def post_agree(
    request: Request, _: Desk, partner: str, period: str, seen: Annotated[str, Form(max_length=40_000)]
) -> Response:
    """Sign the month, if it is what was shown."""

    def do(gateway: Gateway, words: Words) -> str:
        view = agree_view(gateway, carrier_code(partner), parse_period(period))
        require_seen(gateway, view, seen, words)
        month.accept(gateway, carrier_code(partner), parse_period(period))
        return f"/desk/statements/{partner}/{period}#signed"

    return act(request, do)


@router.get("/{partner}/{period}/dispute")
def get_dispute(request: Request, partner: str, period: str) -> Response:
    """What our signatures under disputes would say."""
    return answer(
        request, "dispute.html", lambda gateway, _: opening_view(gateway, carrier_code(partner), parse_period(period))
    )


@router.post("/{partner}/{period}/dispute")
def post_dispute(
    request: Request,
    _: Desk,
    partner: str,
    period: str,
    seen: Annotated[list[str] | None, Form(max_length=64)] = None,
) -> Response:
    """Open the disputes that were chosen, if they are what was shown."""

    def do(gateway: Gateway, words: Words) -> str:
        open_disputes(gateway, carrier_code(partner), parse_period(period), seen or [], words)
        return f"/desk/statements/{partner}/{period}#disputes"

    return act(request, do)
