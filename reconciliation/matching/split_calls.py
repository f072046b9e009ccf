"""Which long calls did one side write in several records, and the other in one?

Switches cut a call at midnight, at a change of rate or after so many hours. If both cut alike, the parts pair with each
other. If one did not, its record pairs with the first part, and the other parts have no partner: told apart, that would
be a dispute about a duration and several missing calls. The parts follow one another without a gap, and together they
last what the whole does.
"""

from dataclasses import dataclass

import numpy as np

from ledger.service import Service
from reconciliation.difference import Books
from reconciliation.matching.keys import pair_hashes
from reconciliation.matching.match import PairClass
from reconciliation.matching.side import Flags, Ints, Side, Words, allowed_ms

MOST_PARTS = 64
"""Of one call."""


@dataclass(frozen=True, slots=True)
class SplitCalls:
    """Calls that one side wrote in parts."""

    pairs: Flags
    """Pairs of a whole with its first part; one entry a pair."""
    creditor_rows: Ints
    """The further parts, without a partner, on the creditor's side."""
    debtor_rows: Ints


def find_split_calls(books: Books) -> SplitCalls:
    """Calls whose parts on one side sum, within tolerance, to one record of the other."""
    pairing = books.pairing
    short = (pairing.classes == PairClass.MISMATCH) & (books.service is Service.VOICE)
    ours, theirs = books.creditor.quantity[pairing.ours], books.debtor.quantity[pairing.theirs]
    pairs = np.zeros(len(short), np.bool_)
    further: list[Ints] = []
    for side, alone, rows, mine, other in (
        (books.creditor, pairing.missing_at_theirs, pairing.ours, ours, theirs),
        (books.debtor, pairing.missing_at_ours, pairing.theirs, theirs, ours),
    ):
        candidates = np.flatnonzero(short & (mine > 0) & (mine < other) & ~pairs)
        whole, parts = _complete(books, side, alone, rows[candidates], other[candidates])
        pairs[candidates[whole]] = True
        further.append(parts)
    return SplitCalls(pairs, further[0], further[1])


def _complete(books: Books, side: Side, alone: Ints, firsts: Ints, wholes: Ints) -> tuple[Ints, Ints]:
    """Which first parts (by place) are completed by records without partner, and these records, ascending."""
    gap_ms = books.tolerance.duration_ms
    allowed = allowed_ms(wholes, books.tolerance)
    waiting = _ByKey(side, alone)
    begins, ends = waiting.places(firsts)
    done: list[int] = []
    taken: set[int] = set()
    for place in np.flatnonzero(begins < ends).tolist():
        first, whole = int(firsts[place]), int(wholes[place])
        rows = waiting.rows[begins[place] : ends[place]]
        parts = _following(side, first, rows, gap_ms, taken, whole + int(allowed[place]))
        lasts = int(side.quantity[first]) + sum(int(side.quantity[row]) for row in parts)
        if parts and abs(lasts - whole) <= allowed[place]:
            done.append(place)
            taken.update(parts)
    return np.array(done, np.int64), np.array(sorted(taken), np.int64)


class _ByKey:
    """Records without a partner, by key and start."""

    def __init__(self, side: Side, alone: Ints) -> None:
        self._side = side
        keys = _keys(side, alone)
        order = np.lexsort((side.tie[alone], side.start_ms[alone], keys))
        self._keys, self.rows = keys[order], alone[order]

    def places(self, firsts: Ints) -> tuple[Ints, Ints]:
        """Where in `rows` the records with the key of each of these begin and end."""
        keys = _keys(self._side, firsts)
        return np.searchsorted(self._keys, keys, side="left"), np.searchsorted(self._keys, keys, side="right")


def _following(side: Side, first: int, rows: Ints, gap_ms: int, taken: set[int], most_ms: int) -> list[int]:
    """The records of one key that go on where the first, and each of them, ends; together no longer than `most_ms`."""
    ends_ms = int(side.start_ms[first]) + int(side.quantity[first])
    latest_ms = int(side.start_ms[first]) + most_ms
    parts: list[int] = []
    for row in rows.tolist():
        follows = abs(int(side.start_ms[row]) - ends_ms) <= gap_ms
        if follows and row not in taken and ends_ms + int(side.quantity[row]) <= latest_ms:
            parts.append(row)
            ends_ms = int(side.start_ms[row]) + int(side.quantity[row])
        if len(parts) == MOST_PARTS:
            break
    return parts


def _keys(side: Side, rows: Ints) -> Words:
    return pair_hashes(side.a_hash[rows], side.b_hash[rows])
