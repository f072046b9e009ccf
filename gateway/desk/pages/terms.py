"""What answers where terms stand? Agreements and rate decks."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.agreements import agreement_view, agreements_view
from gateway.desk.views.decks import deck_view, decks_view
from ledger.errors import NotFound
from ledger.identity import carrier_code

router = APIRouter(include_in_schema=False)


@router.get("/agreements")
def get_agreements(request: Request) -> Response:
    """Every agreement."""
    return answer(request, "agreements.html", lambda gateway, _: agreements_view(gateway))


@router.get("/agreements/{partner}")
def get_agreement(request: Request, partner: str) -> Response:
    """One agreement with its versions."""
    return answer(request, "agreement.html", lambda gateway, _: agreement_view(gateway, carrier_code(partner)))


@router.get("/decks")
def get_decks(request: Request) -> Response:
    """Every published rate deck."""
    return answer(request, "decks.html", lambda gateway, _: decks_view(gateway))


@router.get("/decks/{partner}/{deck_hash}")
def get_deck(request: Request, partner: str, deck_hash: str) -> Response:
    """One deck beside the one before it."""
    return answer(request, "deck.html", lambda gateway, _: deck_view(gateway, carrier_code(partner), _hash(deck_hash)))


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise NotFound("no such rate deck on the chain", got=repr(text[:80]), todo="See /desk/decks") from None
