"""Why do the quantities of pairs differ? By a few seconds, a route's bias, an unanswered attempt or an altered call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reconciliation.difference import Books
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
    is_even: bool
    """All its pairs differ by that, within the tolerance."""
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
    start_ms = books.creditor.start_ms[books.pairing.ours]
    free = answered & (apart != 0)
    equal = np.flatnonzero(answered & (apart == 0))
    found: list[Bias] = []
    for names, rows, quiet in (
        (books.creditor.route, books.pairing.ours, books.whole.answered_creditor),
        (books.debtor.route, books.pairing.theirs, books.whole.answered_debtor),
    ):
        equals = quiet.copy()
        np.add.at(equals, (names.codes[rows[equal]], books.whole.day_of(start_ms[equal])), 1)
        for code, mine in _by_value(np.flatnonzero(free), names.codes[rows[free]]):
            pairs = mine[_biased(books, apart[mine], mine, equals[code])]
            if len(pairs):
                free[pairs] = False
                found.append(_bias(books, names.texts[code], pairs, apart))
    return tuple(found)


def _bias(books: Books, route: str, pairs: Ints, apart: Ints) -> Bias:
    flags = np.zeros(len(apart), np.bool_)
    flags[pairs] = True
    when = books.creditor.start_ms[books.pairing.ours[pairs]]
    typical = int(np.median(apart[pairs]))
    is_even = int(np.abs(apart[pairs] - typical).max()) <= books.tolerance.duration_ms
    return Bias(route, flags, typical, is_even, int(when.min()), int(when.max()))


def _biased(books: Books, apart: Ints, pairs: Ints, equals: Ints) -> Flags:
    """Which of a route's pairs that differ share its bias; `equals` are its pairs without difference, by day."""
    least_ms = books.tolerance.duration_ms
    biased = np.zeros(len(pairs), np.bool_)
    if len(pairs) + int(equals.sum()) < BIAS_PAIRS:
        return biased
    if _leans(apart, int(equals.sum()), least_ms):
        return _fits(books, apart, pairs)
    days = books.whole.day_of(books.creditor.start_ms[books.pairing.ours[pairs]])
    for day, today in _by_value(np.arange(len(pairs)), days):
        if (len(today) + int(equals[day])) * 3 >= BIAS_PAIRS and _leans(apart[today], int(equals[day]), least_ms):
            biased[today] = _fits(books, apart[today], pairs[today])
    return biased


def _by_value(places: Ints, values: Ints) -> Iterator[tuple[int, Ints]]:
    """Places with the same value, which stand beside them; by value."""
    order = np.argsort(values, kind="stable")
    cuts = np.flatnonzero(np.diff(values[order])) + 1
    for some in np.split(order, cuts) if len(order) else ():
        yield int(values[some[0]]), places[some]


def _leans(apart: Ints, equals: int, least_ms: int) -> bool:
    """Whether differences lean one way, among so many pairs more that have none."""
    if len(apart) < equals:
        return False  # the middle is 0
    middle = np.median(apart)
    agreeing = int((np.sign(apart) == np.sign(middle)).sum())
    return bool(abs(middle) > least_ms and agreeing >= BIAS_AGREEMENT * (len(apart) + equals))


def _fits(books: Books, apart: Ints, pairs: Ints) -> Flags:
    """Which pairs differ the biased way by about as much as the bias, be it an amount or a share of the quantity."""
    quantity = np.maximum(1, books.debtor.quantity[books.pairing.theirs[pairs]])
    middle = int(np.median(apart))
    per_mille = int(np.median(apart * 1_000 // quantity))
    best = np.abs(apart - middle)
    by_share = np.abs(apart - quantity * per_mille // 1_000)
    if np.median(by_share) < np.median(best):
        best = by_share
    spread = max(int(np.median(best)) * SPREADS, books.tolerance.duration_ms)
    fits: Flags = (best <= spread) & (np.sign(apart) == np.sign(middle))
    return fits
