"""Which calls have no partner only because each side wrote the called number its own way?

National on one side and international on the other, or with a carrier's prefix: the last digits are the same, as are
the moment and the length. Source: D.170 Supplement 1 names the number format among the causes; ITU-T E.164 for how a
number is made.
"""

from typing import NamedTuple

import numpy as np

from ledger.service import Service
from reconciliation.difference import Books
from reconciliation.matching.keys import LAST_DIGITS, last_digits, mixed
from reconciliation.matching.side import Ints, Side, Words, allowed_ms

_CALLED = (Service.VOICE, Service.SMS)


class Formats(NamedTuple):
    """Rows without a partner that are the same calls, beside each other."""

    creditor: Ints
    debtor: Ints
    written: str
    """How each side begins these numbers, in words; {creditor} and {debtor} stand in it."""


def find_other_formats(books: Books, owed: Ints, counted: Ints) -> Formats:
    """One to one among the rows without a partner: numbers of the same last digits, starts within the window,
    quantities within tolerance. The nearest in time go together."""
    if books.service not in _CALLED or not len(owed) or not len(counted):
        return Formats(owed[:0], counted[:0], "")
    near = nearest(*_alike(books, owed, counted))
    if not near:
        return Formats(owed[:0], counted[:0], "")
    places, others = (np.array(each, np.int64) for each in zip(*near, strict=True))
    begin, other = _beginning(books.creditor, owed[places[0]]), _beginning(books.debtor, counted[others[0]])
    written = f"{{creditor}} begins the number with {begin or 'nothing'}, {{debtor}} with {other or 'nothing'}"
    return Formats(owed[places], counted[others], written)


def _beginning(side: Side, row: np.int64) -> str:
    """What a called number says before its last digits; read again."""
    number: str = side.texts(np.array([row]), ("b_party",))["b_party"][0].as_py()
    return number[:-LAST_DIGITS]


def _alike(books: Books, owed: Ints, counted: Ints) -> tuple[Ints, Ints, Ints]:
    """Places of all that might be one call, as (creditor's, debtor's), and how far apart they are."""
    us, them = books.creditor, books.debtor
    digits, other_digits = last_digits(us.b_hash[owed]), last_digits(them.b_hash[counted])
    start = us.start_ms[owed] - books.clocks.ours[owed]
    other_start = them.start_ms[counted] - books.clocks.theirs[counted]
    window = books.tolerance.window_ms
    cell, other_cell = start // (window + 1), other_start // (window + 1)
    at, other = meeting(digits.view(np.uint64), cell, other_digits.view(np.uint64), other_cell)
    apart = np.abs(start[at] - other_start[other])
    longer = np.abs(us.quantity[owed[at]] - them.quantity[counted[other]])
    like = (digits[at] >= 0) & (digits[at] == other_digits[other]) & (apart <= window)
    like &= longer <= allowed_ms(us.quantity[owed[at]], books.tolerance)
    like &= us.b_hash[owed[at]] != them.b_hash[counted[other]]
    return at[like], other[like], (apart + longer)[like]


def meeting(word: Words, cell: Ints, other_word: Words, other_cell: Ints) -> tuple[Ints, Ints]:
    """Places of equal words in the same or a neighbouring cell of time, and few others."""
    words = _words(other_word, other_cell)
    order = np.argsort(words)
    found = []
    for step in (-1, 0, 1):
        wanted = _words(word, cell + step)
        first, end = (np.searchsorted(words[order], wanted, side) for side in ("left", "right"))
        at = np.repeat(np.arange(len(wanted)), end - first)
        within = np.arange(len(at)) - np.repeat(np.cumsum(end - first) - (end - first), end - first)
        found.append((at, order[np.repeat(first, end - first) + within]))
    return np.concatenate([at for at, _ in found]), np.concatenate([other for _, other in found])


def _words(word: Words, cell: Ints) -> Words:
    return mixed(word + mixed(cell.view(np.uint64)))


def nearest(at: Ints, other: Ints, apart: Ints) -> list[tuple[int, int]]:
    """One to one: the nearest first."""
    taken: tuple[set[int], set[int]] = (set(), set())
    near = []
    for _, ours, theirs in sorted(zip(apart.tolist(), at.tolist(), other.tolist(), strict=True)):
        if ours not in taken[0] and theirs not in taken[1]:
            taken[0].add(ours)
            taken[1].add(theirs)
            near.append((ours, theirs))
    return sorted(near)
