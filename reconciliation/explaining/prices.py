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
    all pairs of a code whose quantities agree say the same, so do the nearest.
    """
    code = books.creditor.code.codes[books.pairing.ours]
    size = len(books.creditor.code.texts)
    known, apart = np.bincount(code[alike], minlength=size), np.bincount(code[differs], minlength=size)
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
    """What the pairs just before and after in time, of those known and of the same code, say of each pair asked for."""
    pairs = np.concatenate([known, asked])
    is_known = np.arange(len(pairs)) < len(known)
    rows = books.pairing.ours[pairs]
    code = books.creditor.code.codes[rows]
    ties = books.debtor.tie[books.pairing.theirs[pairs]], books.creditor.tie[rows]
    merged = np.lexsort((*ties, books.creditor.start_ms[rows], code))
    order = merged[is_known[merged]]
    before = np.empty(len(pairs), np.int64)
    before[merged] = np.cumsum(is_known[merged]) - 1
    before = before[len(known) :]
    after = np.minimum(before + 1, len(order) - 1)
    before = np.maximum(before, 0)
    mine = code[len(known) :]
    has_before, has_after = code[order[before]] == mine, code[order[after]] == mine
    says_before, says_after = differs[pairs[order[before]]], differs[pairs[order[after]]]
    verdict: Flags = np.where(has_before, says_before, says_after)
    open_ = has_before & has_after & (says_before != says_after)
    verdict[open_] = _unit_price_differs(books, asked[open_])
    return verdict


def _unit_price_differs(books: Books, pairs: Ints) -> Flags:
    """Amounts over charged quantities differ by more than rounding to a micro on both sides can do."""
    rows, others = books.pairing.ours[pairs], books.pairing.theirs[pairs]
    owed, counted = books.creditor.amount[rows], books.debtor.amount[others]
    ours, theirs = books.creditor.charged[rows], books.debtor.charged[others]
    differs = [
        abs(a * q - b * p) > p + q
        for a, b, p, q in zip(owed.tolist(), counted.tolist(), ours.tolist(), theirs.tolist(), strict=True)
    ]
    return np.array(differs, np.bool_)


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
    columns = zip(owed.tolist(), counted.tolist(), ours.tolist(), theirs.tolist(), strict=True)
    return all(abs(a * q - b * p) <= p + q for a, b, p, q in columns)
