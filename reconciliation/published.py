"""Which published rate gives the debtor's amounts? A deck it did not replace, if a rate change was missed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from ledger.charging import charge
from ledger.deck import DeckHistory, Rate
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
    code = min(books.creditor.code.codes[difference.creditor_rows].tolist())
    sample = _sample(books, difference, code)
    text = books.creditor.code.texts[code]
    for moment in reversed(decks.moments()):
        rate = decks.in_force(moment).get(text)
        if rate is not None and _reproduces(sample, rate):
            day = datetime.fromtimestamp(moment // 1000, UTC).date()
            return replace(difference, detail=f"{difference.detail}, the price of code {text} from {day} on")
    return difference


def _sample(books: Books, difference: Difference, code: int) -> list[tuple[int, int]]:
    """The debtor's quantity and amount of some pairs of one code whose quantities agree, the earliest first."""
    rows, others = difference.creditor_rows, difference.debtor_rows
    same = books.creditor.quantity[rows] == books.debtor.quantity[others]
    mine = others[same & (books.creditor.code.codes[rows] == code)]
    first = mine[np.lexsort((books.debtor.tie[mine], books.debtor.start_ms[mine]))][:SAMPLE]
    return list(zip(books.debtor.quantity[first].tolist(), books.debtor.amount[first].tolist(), strict=True))


def _reproduces(sample: Sequence[tuple[int, int]], rate: Rate) -> bool:
    hits = sum(charge(quantity, rate).amount_micros == amount for quantity, amount in sample)
    return hits > 0 and hits >= AGREEMENT * len(sample)
