"""What do tests of games with fees need? A direction's calls under one deck, CN-T handing to GB-B."""

from collections.abc import Iterable
from dataclasses import replace

from ledger.agreement import Agreement
from ledger.money import Nanos
from ledger.prices.deal_terms import Deal
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RatingTerms
from ledger.usage import USAGE_SCHEMA
from reconciliation.arbitrage.sold import Sold
from tests.reconciliation.records import CN, GB, OCTOBER, Call, agreement, table

DAY_S = 86_400
MOBILE, FIXED = "447", "441"
CENT = Nanos(10_000_000)


def plain_deck(*, first_s: int = 1, next_s: int = 1, mobile: int = CENT, fixed: int = CENT) -> list[Rate]:
    """United Kingdom Mobile and Fixed at a cent a minute, unless told otherwise."""
    return [
        Rate(name, code, Nanos(nanos), first=first_s * 1000, next=next_s * 1000)
        for name, code, nanos in (("United Kingdom Mobile", MOBILE, mobile), ("United Kingdom Fixed", FIXED, fixed))
    ]


def decks(*dated: tuple[int, list[Rate]]) -> DeckHistory:
    return deck_history((at, rate_deck("USD", rates)) for at, rates in dated)


def sold(
    calls: Iterable[Call],
    history: DeckHistory | None = None,
    *,
    deals: tuple[Deal, ...] = (),
    rating: RatingTerms | None = None,
    turned: bool = False,
) -> Sold:
    """Calls from CN-T to GB-B (turned: the other way) as rated under the history."""
    known = history or decks((0, plain_deck()))
    terms: Agreement = replace(agreement(), deals=deals, rating=rating or RatingTerms())
    usage = table(calls).select(USAGE_SCHEMA.names).cast(USAGE_SCHEMA)
    rated = rate(usage, known, terms).rated
    assert len(rated) == len(usage), "a test's call has no price"
    return Sold(*((CN, GB) if turned else (GB, CN)), rated, terms, OCTOBER, known)


def usual(days: Iterable[int], *, each: int = 40, code: str = MOBILE, lasts: float = 120.0) -> list[Call]:
    """So many calls of different people on each of these days of the month (0 is the first), an hour's minute apart."""
    return [
        Call(
            at=(day - 10) * DAY_S - 12 * 3_600 + 600 + 1_800 * k,
            lasts=lasts + (k % 7) * 10,
            a=f"86139{day:02d}{k:06d}",
            b=f"{code}7{day:02d}{k:06d}",
        )
        for day in days
        for k in range(each)
    ]
