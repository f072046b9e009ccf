"""Which published rate gives the debtor's amounts? A deck it did not replace, if a rate change was missed."""

from dataclasses import replace
from datetime import UTC, datetime

from ledger.deck import DeckHistory, Rate
from ledger.money import show_micros
from ledger.rating import charge
from reconciliation.difference import Books, Difference
from reconciliation.finding import Cause

SAMPLE = 200
"""Records of a difference that are priced again."""
AGREEMENT = 0.9
"""Share of them that a rate must reproduce to be named: a clock may put a few on the other side of a change."""


def with_published_rate(books: Books, difference: Difference, decks: DeckHistory) -> Difference:
    """Name the creditor's earlier or later rate that reproduces the debtor's amounts, if one does."""
    if difference.cause != Cause.RATE or len(difference.creditor_rows) == 0:
        return difference
    code = books.creditor.code.of(int(difference.creditor_rows[0]))
    for moment in reversed(decks.moments()):
        rate = decks.in_force(moment).get(code)
        if rate is not None and _reproduces(books, difference, rate):
            day = datetime.fromtimestamp(moment // 1000, UTC).date()
            price = show_micros(rate.nanos * 60_000 // rate.per // 1000, 4)
            detail = f"{difference.detail} (its rate for code {code} is that of {day}, {{currency}} {price})"
            return replace(difference, detail=detail)
    return difference


def _reproduces(books: Books, difference: Difference, rate: Rate) -> bool:
    hits = tries = 0
    columns = zip(difference.creditor_rows.tolist(), difference.debtor_rows.tolist(), strict=True)
    for row, other in columns:
        if tries == SAMPLE:
            break
        if books.creditor.quantity[row] == books.debtor.quantity[other]:
            tries += 1
            hits += charge(int(books.debtor.quantity[other]), rate).amount_micros == int(books.debtor.amount[other])
    return tries > 0 and hits >= AGREEMENT * tries
