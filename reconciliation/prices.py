"""How much of a pair's difference is the price's, how much the quantity's, and why do prices differ?

A pair may differ in both. The amount between, `middle_micros`, is the debtor's price on the creditor's quantity: the
creditor's amount minus it is the price's part, it minus the debtor's amount is the quantity's part. So the parts sum to
the whole in integers, whoever reckons.
"""

from dataclasses import dataclass

import numpy as np

from ledger.money import div_half_even
from reconciliation.difference import Books
from reconciliation.side import Flags, Ints, exact_sum

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
    for at in np.flatnonzero(~alike & (ours > 0) & (theirs > 0) & _price_differs(books, alike, differs)).tolist():
        price = div_half_even(int(counted[at]) * int(ours[at]), int(theirs[at]))
        differs[at] = price != int(owed[at])
        middle[at] = price
    return PriceParts(middle, differs)


def _price_differs(books: Books, alike: Flags, differs: Flags) -> Flags:
    """For pairs whose quantities differ: do prices differ in the nearest pairs of the same code whose quantities agree?

    Such neighbours compare prices without knowing connect fees or steps. Without any, the two unit prices decide.
    """
    rows = books.pairing.ours
    start_ms = books.creditor.start_ms[rows]
    if not alike.any():
        return _unit_price_differs(books)
    code = books.creditor.code.codes[rows]
    ties = books.debtor.tie[books.pairing.theirs], books.creditor.tie[rows]
    merged = np.lexsort((*ties, start_ms, code))
    order = merged[alike[merged]]
    before = np.empty(len(code), np.int64)
    before[merged] = np.cumsum(alike[merged]) - 1
    after = np.minimum(before + 1, len(order) - 1)
    before = np.maximum(before, 0)
    has_before, has_after = code[order[before]] == code, code[order[after]] == code
    says_before, says_after = differs[order[before]], differs[order[after]]
    agreed = has_before & has_after & (says_before == says_after)
    one = np.where(has_before, says_before, says_after)
    decided = agreed | (has_before ^ has_after)
    verdict: Flags = np.where(decided, one, _unit_price_differs(books))
    return verdict


def _unit_price_differs(books: Books) -> Flags:
    """Amounts over charged quantities differ by more than rounding to a micro on both sides can do."""
    owed, counted = books.creditor.amount[books.pairing.ours], books.debtor.amount[books.pairing.theirs]
    ours, theirs = books.creditor.charged[books.pairing.ours], books.debtor.charged[books.pairing.theirs]
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
