"""What answers where money stands? Credit lines, arrears, netting cycles."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.arrears import arrears_view
from gateway.desk.views.cycles import cycle_view, cycles_view
from gateway.desk.views.lines import lines_view
from ledger.errors import NotFound

router = APIRouter(include_in_schema=False)
Amount = Annotated[str, Query(max_length=24)]


@router.get("/credit")
def get_credit(request: Request, more: Amount = "", daily: Amount = "") -> Response:
    """Every credit line, its forecast, and what if more is declared."""
    return answer(request, "credit.html", lambda gateway, _: lines_view(gateway, more, daily))


@router.get("/arrears")
def get_arrears(request: Request) -> Response:
    """What is late."""
    return answer(request, "arrears.html", lambda gateway, _: arrears_view(gateway))


@router.get("/netting")
def get_cycles(request: Request) -> Response:
    """Every netting cycle, and what waits for the next."""
    return answer(request, "netting.html", lambda gateway, _: cycles_view(gateway))


@router.get("/netting/{cycle_id}")
def get_cycle(request: Request, cycle_id: str) -> Response:
    """One cycle with every leg."""
    return answer(request, "cycle.html", lambda gateway, _: cycle_view(gateway, _id(cycle_id)))


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise NotFound("no such netting cycle on the chain", got=repr(text[:80]), todo="See /desk/netting") from None
