"""Which calls have no partner only because each side wrote the called number its own way?

National on one side and international on the other, or with a carrier's prefix: the last digits are the same, as are
the moment and the length. Source: D.170 Supplement 1 names the number format among the causes; ITU-T E.164 for how a
number is made.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from ledger.service import Service
from reconciliation.difference import Books
from reconciliation.matching.side import Ints, Side, allowed_ms

LAST_DIGITS = 8
"""Two numbers that share so many may be one."""
_CALLED = (Service.VOICE, Service.SMS)


class Formats(NamedTuple):
    """Rows without a partner that are the same calls, beside each other."""

    creditor: Ints
    debtor: Ints
    written: str
    """How each side begins these numbers, in words; {creditor} and {debtor} stand in it."""


def find_other_formats(books: Books, owed: Ints, counted: Ints) -> Formats:
    """One to one among the rows without a partner: numbers of the same last digits, starts within the window,
    quantities within tolerance. The nearest in time go together; the numbers are read again."""
    if books.service not in _CALLED or not len(owed) or not len(counted):
        return Formats(owed[:0], counted[:0], "")
    ours, theirs = (_called(side, rows) for side, rows in ((books.creditor, owed), (books.debtor, counted)))
    near = _nearest(books, owed, counted, ours, theirs)
    if not near:
        return Formats(owed[:0], counted[:0], "")
    places, others = (np.array(each, np.int64) for each in zip(*near, strict=True))
    begin, other = ours[near[0][0]][:-LAST_DIGITS], theirs[near[0][1]][:-LAST_DIGITS]
    written = f"{{creditor}} begins the number with {begin or 'nothing'}, {{debtor}} with {other or 'nothing'}"
    return Formats(owed[places], counted[others], written)


def _called(side: Side, rows: Ints) -> list[str]:
    texts: list[str] = side.texts(rows, ("b_party",))["b_party"].to_pylist()
    return texts


def _nearest(books: Books, owed: Ints, counted: Ints, ours: list[str], theirs: list[str]) -> list[tuple[int, int]]:
    start = books.creditor.start_ms[owed] - books.clocks.ours[owed]
    other_start = books.debtor.start_ms[counted] - books.clocks.theirs[counted]
    allowed = allowed_ms(books.creditor.quantity[owed], books.tolerance)
    by_digits: dict[str, list[int]] = defaultdict(list)
    for other, number in enumerate(theirs):
        if len(number) >= LAST_DIGITS:
            by_digits[number[-LAST_DIGITS:]].append(other)
    edges = []
    for at, number in enumerate(ours):
        for other in by_digits.get(number[-LAST_DIGITS:], ()):
            apart = abs(int(start[at] - other_start[other]))
            longer = abs(int(books.creditor.quantity[owed[at]] - books.debtor.quantity[counted[other]]))
            if apart <= books.tolerance.window_ms and longer <= int(allowed[at]) and number != theirs[other]:
                edges.append((apart + longer, at, other))
    taken: tuple[set[int], set[int]] = (set(), set())
    near = []
    for _, at, other in sorted(edges):
        if at not in taken[0] and other not in taken[1]:
            taken[0].add(at)
            taken[1].add(other)
            near.append((at, other))
    return sorted(near)
