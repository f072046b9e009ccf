"""Why do the quantities of pairs differ? By a few seconds, a route's bias, an unanswered attempt or an altered call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reconciliation.difference import Books
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.match import PairClass
from reconciliation.matching.services import TRAITS
from reconciliation.matching.side import Flags, Ints

BIAS_PAIRS = 20
"""A route needs at least so many pairs before its bias is believed; a day of a route a third of it."""
BIAS_AGREEMENT = 0.9
"""Share of a route's pairs that must differ in one direction."""
SPREADS = 3
"""A pair belongs to the bias if it lies within so many median deviations of it."""


@dataclass(frozen=True, slots=True)
class Bias:
    """One route whose quantities differ in one direction."""

    route: str
    pairs: Flags
    """Which pairs it explains."""
    typical: int
    """Median of creditor's minus debtor's quantity."""
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class QuantityCauses:
    """A partition of the pairs with different quantities: each flag column has one entry a pair."""

    zero: Flags
    split: Flags
    """A whole and the first of its parts."""
    biases: tuple[Bias, ...]
    within: Flags
    beyond: Flags


def quantity_causes(books: Books, split: Flags) -> QuantityCauses:
    """Decide for each pair whose quantities differ; `split` are the pairs of split_calls.py."""
    ours = books.creditor.quantity[books.pairing.ours]
    theirs = books.debtor.quantity[books.pairing.theirs]
    zero = (ours == 0) != (theirs == 0)
    answered = (ours > 0) & (theirs > 0) & ~split
    biases = find_biases(books, ours - theirs, answered) if TRAITS[books.service].lasts else ()
    biased = np.zeros(len(ours), np.bool_)
    for bias in biases:
        biased |= bias.pairs
    rest = ~zero & ~biased & ~split
    return QuantityCauses(
        zero=zero,
        split=split,
        biases=biases,
        within=rest & (books.pairing.classes == PairClass.PARTIAL),
        beyond=rest & (books.pairing.classes == PairClass.MISMATCH),
    )


def find_biases(books: Books, apart: Ints, answered: Flags) -> tuple[Bias, ...]:
    """Routes, or days of them, on which at least 90 % of the pairs differ one way by more than the tolerance.

    Looked for on the creditor's routes first, then on the debtor's among what is left.
    """
    free = answered.copy()
    start_ms = books.creditor.start_ms[books.pairing.ours]
    found: list[Bias] = []
    for names, rows in (
        (books.creditor.route, books.pairing.ours),
        (books.debtor.route, books.pairing.theirs),
    ):
        codes = names.codes[rows]
        for code, text in enumerate(names.texts):
            pairs = _biased_pairs(books, apart, free & (codes == code), start_ms)
            if pairs.any():
                free &= ~pairs
                when = start_ms[pairs]
                found.append(Bias(text, pairs, int(np.median(apart[pairs])), int(when.min()), int(when.max())))
    return tuple(found)


def _biased_pairs(books: Books, apart: Ints, mine: Flags, start_ms: Ints) -> Flags:
    least_ms = books.tolerance.duration_ms
    pairs = np.zeros(len(apart), np.bool_)
    rows = np.flatnonzero(mine)
    if len(rows) < BIAS_PAIRS:
        return pairs
    if _leans(apart[rows], least_ms):
        pairs[rows[_fits(books, apart, rows)]] = True
        return pairs
    for today in _by_day(rows, start_ms[rows] // DAY_MS):
        if len(today) * 3 >= BIAS_PAIRS and _leans(apart[today], least_ms):
            pairs[today[_fits(books, apart, today)]] = True
    return pairs


def _by_day(rows: Ints, days: Ints) -> Iterator[Ints]:
    order = np.argsort(days, kind="stable")
    yield from np.split(rows[order], np.flatnonzero(np.diff(days[order])) + 1)


def _leans(apart: Ints, least_ms: int) -> bool:
    if np.count_nonzero(apart) * 2 < len(apart):
        return False  # the middle is 0
    middle = np.median(apart)
    agreeing = int((np.sign(apart) == np.sign(middle)).sum())
    return bool(abs(middle) > least_ms and agreeing >= BIAS_AGREEMENT * len(apart))


def _fits(books: Books, apart: Ints, rows: Ints) -> Flags:
    """Which pairs differ the biased way by about as much as the bias, be it an amount or a share of the quantity."""
    mine = apart[rows]
    quantity = np.maximum(1, books.debtor.quantity[books.pairing.theirs[rows]])
    middle = int(np.median(mine))
    per_mille = int(np.median(mine * 1_000 // quantity))
    best = np.abs(mine - middle)
    by_share = np.abs(mine - quantity * per_mille // 1_000)
    if np.median(by_share) < np.median(best):
        best = by_share
    spread = max(int(np.median(best)) * SPREADS, books.tolerance.duration_ms)
    fits: Flags = (best <= spread) & (np.sign(mine) == np.sign(middle))
    return fits
