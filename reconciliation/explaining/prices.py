"""How much of a pair's difference is the price's, how much the quantity's, and why do prices differ?

A pair may differ in both. The amount between, `middle_micros`, is the debtor's price on the creditor's quantity: the
creditor's amount minus it is the price's part, it minus the debtor's amount is the quantity's part. So the parts sum to
the whole in integers, whoever reckons.
"""

from dataclasses import dataclass

import numpy as np

from ledger.money import div_half_even
from reconciliation.difference import Books
from reconciliation.matching.side import Flags, Ints, exact_sum

COARSE_MICROS = (10, 100, 1_000, 10_000)
"""Places that prices are rounded to in practice: down to the cent."""
_HALF = 2**31
"""Products of two numbers below fit 63 bits."""
ROUNDING_SHARE = 100
"""Rounding moves less than one part in this of a group's amount."""


@dataclass(frozen=True, slots=True)
class PriceParts:
    """One entry for each pair."""

    middle_micros: Ints
    differs: Flags
    """The price differs, whatever the quantities."""


def price_parts(books: Books) -> PriceParts:
    """Split each pair's amounts into the price's part and the quantity's."""
    pairing = books.pairing
    owed, counted = books.creditor.amount[pairing.ours], books.debtor.amount[pairing.theirs]
    ours, theirs = books.creditor.charged[pairing.ours], books.debtor.charged[pairing.theirs]
    same = books.creditor.quantity[pairing.ours] == books.debtor.quantity[pairing.theirs]
    alike = same | (ours == theirs)
    differs = alike & (owed != counted)
    middle = np.where(differs, counted, owed)
    asked = np.flatnonzero(~alike & (ours > 0) & (theirs > 0))
    for at in asked[_price_differs(books, alike, differs, asked)].tolist():
        price = div_half_even(int(counted[at]) * int(ours[at]), int(theirs[at]))
        differs[at] = price != int(owed[at])
        middle[at] = price
    return PriceParts(middle, differs)


def _price_differs(books: Books, alike: Flags, differs: Flags, asked: Ints) -> Flags:
    """For pairs whose quantities differ: do prices differ in the nearest pairs of the same code whose quantities agree?

    Such neighbours compare prices without knowing connect fees or steps. Without any, the two unit prices decide. Where
    all pairs of a code whose quantities agree say the same, so do the nearest. Quiet pairs say that prices agree.
    """
    code = books.creditor.code.codes[books.pairing.ours]
    size = len(books.creditor.code.texts)
    apart = np.bincount(code[differs], minlength=size)
    known = np.bincount(code[alike], minlength=size) + books.whole.quiet_codes
    verdict: Flags = apart[code[asked]] > 0
    of_both = (apart > 0) & (apart < known)
    near = of_both[code[asked]]
    if near.any():
        verdict[near] = _neighbours_differ(books, np.flatnonzero(alike & of_both[code]), differs, asked[near])
    alone = known[code[asked]] == 0
    if alone.any():
        verdict[alone] = _unit_price_differs(books, asked[alone])
    return verdict


def _neighbours_differ(books: Books, known: Ints, differs: Flags, asked: Ints) -> Flags:
    """What the nearest pairs up to each pair asked for and after it say, of those known and of the same code.

    Of several at one moment any that differs decides. Where before and after disagree, the unit prices do.
    """
    rows = books.pairing.ours
    code, start_ms = books.creditor.code.codes[rows], books.creditor.start_ms[rows]
    moments = _Moments(code[known], start_ms[known], differs[known])
    (before_ms, before), (after_ms, after) = moments.around(code[asked], start_ms[asked])
    quiet = books.whole.creditor.nearest(code[asked], start_ms[asked], books.creditor.row)
    before &= before_ms >= quiet[0]
    after &= (quiet[1] < 0) | ((after_ms >= 0) & (after_ms <= quiet[1]))
    has_before, has_after = np.maximum(before_ms, quiet[0]) >= 0, np.maximum(after_ms, quiet[1]) >= 0
    verdict: Flags = np.where(has_before, before, after)
    open_ = has_before & has_after & (before != after)
    verdict[open_] = _unit_price_differs(books, asked[open_])
    return verdict


class _Moments:
    """When pairs of a code were, and whether the prices of any differed then."""

    def __init__(self, code: Ints, start_ms: Ints, differs: Flags) -> None:
        order = np.lexsort((start_ms, code))
        code, start_ms, differs = code[order], start_ms[order], differs[order]
        first = np.ones(len(code), np.bool_)
        first[1:] = (code[1:] != code[:-1]) | (start_ms[1:] != start_ms[:-1])
        begins = np.flatnonzero(first)
        self._code, self._start_ms = code[begins], start_ms[begins]
        self._differs = np.logical_or.reduceat(differs, begins) if len(begins) else differs

    def around(self, code: Ints, start_ms: Ints) -> tuple[tuple[Ints, Flags], tuple[Ints, Flags]]:
        """The last moment up to each start and the first after it, -1 where there is none, and what they say."""
        size = len(self._code)
        merged = np.lexsort(
            (
                np.concatenate([np.zeros(size, np.int64), np.ones(len(code), np.int64)]),
                np.concatenate([self._start_ms, start_ms]),
                np.concatenate([self._code, code]),
            )
        )
        seen = np.empty(len(merged), np.int64)
        seen[merged] = np.cumsum(merged < size)
        before = seen[size:] - 1
        return self._at(before, code), self._at(before + 1, code)

    def _at(self, place: Ints, code: Ints) -> tuple[Ints, Flags]:
        inside = np.clip(place, 0, max(0, len(self._code) - 1))
        is_there = (place >= 0) & (place < len(self._code))
        is_there[is_there] = self._code[inside[is_there]] == code[is_there]
        moments, says = np.full(len(place), -1, np.int64), np.zeros(len(place), np.bool_)
        moments[is_there], says[is_there] = self._start_ms[inside[is_there]], self._differs[inside[is_there]]
        return moments, says


def _unit_price_differs(books: Books, pairs: Ints) -> Flags:
    """Amounts over charged quantities differ by more than rounding to a micro on both sides can do."""
    rows, others = books.pairing.ours[pairs], books.pairing.theirs[pairs]
    owed, counted = books.creditor.amount[rows], books.debtor.amount[others]
    ours, theirs = books.creditor.charged[rows], books.debtor.charged[others]
    return ~_same_prices(owed, counted, ours, theirs)


def _same_prices(owed: Ints, counted: Ints, ours: Ints, theirs: Ints) -> Flags:
    """|owed / ours - counted / theirs| is no more than two micros can make, exactly."""
    if len(owed) == 0 or max(int(each.max()) for each in (owed, counted, ours, theirs)) < _HALF:
        same: Flags = np.abs(owed * theirs - counted * ours) <= ours + theirs
        return same
    columns = zip(owed.tolist(), counted.tolist(), ours.tolist(), theirs.tolist(), strict=True)
    return np.array([abs(a * q - b * p) <= p + q for a, b, p, q in columns], np.bool_)


def is_rounding(owed: Ints, counted: Ints, ours: Ints, theirs: Ints) -> bool:
    """Whether a group's amounts differ by rounding alone: of the amount, or of the charged quantity (increments)."""
    apart = np.abs(owed - counted)
    if int(apart.max()) <= 1:
        return True
    total = max(1, exact_sum(np.abs(owed)))
    if exact_sum(apart) * ROUNDING_SHARE < total:
        for place in COARSE_MICROS:
            coarse = bool((owed % place == 0).all() or (counted % place == 0).all())
            if coarse and int(apart.max()) < place:
                return True
    return _same_unit_price(owed, counted, ours, theirs)


def _same_unit_price(owed: Ints, counted: Ints, ours: Ints, theirs: Ints) -> bool:
    if bool((ours == theirs).all()) or bool((ours <= 0).any()) or bool((theirs <= 0).any()):
        return False
    return bool(_same_prices(owed, counted, ours, theirs).all())
