"""What must be asked of all of the creditor's records, when few need explaining? Counts and calls by number, on demand.

Every question is a pass over the packed records, which picks by a filter of bits and then compares exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ledger.cores import in_parallel
from ledger.kernel import kernel
from reconciliation.matching.keys import SUFFIX_BITS, among, mixed
from reconciliation.matching.side import Flags, Ints, Words
from reconciliation.streaming.exchange import Exchange
from reconciliation.streaming.packing import NARROW, Layout, Unpacked, frozen, unpack

_FILTER_BITS = 20
"""At most: the filter is to fit a core's cache."""
_SPARSE = 16
"""Bits of the filter for each value: so that one of so many others passes it."""
_AT_ONCE = 4
_START_BITS = 42
"""Of a start in milliseconds from the earliest: 139 years."""


class Asked(IntEnum):
    """What records are picked by."""

    CALLER = 0
    """Hash of the calling number."""
    CALLED = 1
    """Hash of the called number."""
    BLOCK = 2
    """Hash of the called number without its last two digits."""
    QUANTITY = 3
    ROUTE = 4
    """Place of the route's name."""
    CODE = 5
    """Place of the code."""


class Field(NamedTuple):
    """Where in a packed record it stands."""

    word: int
    shift: np.uint64
    mask: np.uint64

    def of(self, records: Words) -> Words:
        """What each of some packed records says."""
        return (records[:, self.word] >> self.shift) & self.mask


class Ranked(NamedTuple):
    """Some records; columns of one length."""

    row: Ints
    code: Ints
    rank: Ints


@dataclass(frozen=True, slots=True)
class Census:
    """All of one side's records."""

    exchange: Exchange
    layout: Layout

    def counts(self, asked: Asked, values: Words) -> Ints:
        """How many records have each of these values (ascending, each once)."""
        if len(values) == 0:
            return np.empty(0, np.int64)
        slots, field = _slots(values), field_of(asked, self.layout)

        def count(at: int) -> Ints:
            counts = np.zeros(len(values), np.int64)
            _count(frozen(self.exchange.run(at)), *field, values, slots, counts)
            return counts

        return reduce(np.add, in_parallel(count, range(len(self.exchange.runs))), np.zeros(len(values), np.int64))

    def records(self, asked: Asked, values: Words) -> Unpacked:
        """All records with one of these values (ascending), in order of row."""
        found = list(self._picked(asked, values)) if len(values) else []
        if not found:
            return unpack(np.empty((0, self.layout.words), np.uint64), self.layout)
        every = _all_of(found)
        return every.take(np.argsort(every.row))

    def nearest(self, code: Ints, start_ms: Ints, without: Ints) -> tuple[Ints, Ints]:
        """For each code and moment the last start up to it and the first after it, of records of this code.

        `without` are rows (ascending) to be left out. -1 where there is none.
        """
        base = int(start_ms.min())
        moments, place = np.unique((code << _START_BITS) + start_ms - base, return_inverse=True)
        latest, earliest = np.full(len(moments) + 1, -1, np.int64), np.full(len(moments) + 1, -1, np.int64)
        for records in self._picked(Asked.CODE, np.unique(code).view(np.uint64)):
            mine = ~among(records.row, without)
            _between(moments, records.code[mine], records.start_ms[mine], base, latest, earliest)
        before, after = latest[:-1].copy(), earliest[1:].copy()
        _fill(moments >> _START_BITS, before, after)
        return before[place], after[place]

    def least(self, codes: Ints, count: int, without: Ints) -> "Ranked":
        """So many records of each code at most: those whose rank is least. `without` are rows (ascending) left out."""
        kept = [Ranked(*(np.empty(0, np.int64) for _ in range(3)))]
        for records in self._picked(Asked.CODE, codes.view(np.uint64)) if len(codes) else ():
            mine = ~among(records.row, without)
            rank = self.rank(records.a_hash[mine], records.b_hash[mine], records.start_ms[mine])
            kept = [least_together([*kept, Ranked(records.row[mine], records.code[mine], rank)], count)]
        return kept[0]

    def rank(self, a_hash: Words, b_hash: Words, start_ms: Ints) -> Ints:
        """Random numbers, but the same for the same record."""
        ranks: Ints = mixed(a_hash + mixed(b_hash + mixed(start_ms.view(np.uint64)))).view(np.int64)
        return ranks

    def _picked(self, asked: Asked, values: Words) -> Iterator[Unpacked]:
        field, bits = field_of(asked, self.layout), min(_FILTER_BITS, (_SPARSE * len(values)).bit_length())
        wanted, rest = np.zeros(1 << bits, np.bool_), np.uint64(64 - bits)
        wanted[mixed(values) >> rest] = True

        def picked(at: int) -> Unpacked:
            records = self.exchange.run(at)
            near = records[_pick(frozen(records), *field, wanted, rest)]
            return unpack(near[among(field.of(near), values)], self.layout)

        runs = len(self.exchange.runs)
        for first in range(0, runs, _AT_ONCE):  # what is picked may be much: never of all runs at once
            yield from in_parallel(picked, range(first, min(runs, first + _AT_ONCE)))


def field_of(asked: Asked, layout: Layout) -> Field:
    """As packing.py packs."""
    narrow, nothing = layout.words == NARROW, np.uint64(0)
    whole, half = np.uint64(2**64 - 1), np.uint64(2**32 - 1)
    names, route_at = (4 if narrow else 7), layout.destination_bits + layout.code_bits
    match asked:
        case Asked.CALLER:
            return Field(0, nothing, whole)
        case Asked.CALLED:
            return Field(1, nothing, whole)
        case Asked.BLOCK:
            return Field(1, np.uint64(SUFFIX_BITS), whole)
        case Asked.QUANTITY:
            return Field(2, nothing, half) if narrow else Field(3, nothing, whole)
        case Asked.ROUTE:
            return Field(names, np.uint64(route_at), np.uint64((1 << (layout.names_bits - route_at)) - 1))
        case Asked.CODE:
            return Field(names, nothing, np.uint64((1 << layout.code_bits) - 1))


def least_together(parts: Sequence[Ranked], count: int) -> Ranked:
    """The first of each code, in order of rank, then row."""
    row, code, rank = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((row, rank, code))
    ordered = code[order]
    begins = np.searchsorted(ordered, ordered)
    chosen = order[np.arange(len(order)) - begins < count]
    return Ranked(row[chosen], code[chosen], rank[chosen])


def _all_of(parts: Sequence[Unpacked]) -> Unpacked:
    columns: list[Any] = [np.concatenate(each) for each in zip(*parts, strict=True)]
    return Unpacked(*columns)


@kernel
def _pick(records: Words, at: int, shift: np.uint64, mask: np.uint64, wanted: Flags, rest: np.uint64) -> Ints:
    """Rows that may have one of the wanted values: all that have, and a few by chance."""
    picked = np.empty(len(records), np.int64)
    count = 0
    for k in range(len(records)):
        picked[count] = k
        count += wanted[np.int64(_mixed((records[k, at] >> shift) & mask) >> rest)]
    return picked[:count].copy()


@kernel
def _slots(values: Words) -> Ints:
    """A hash table with open addresses, mostly empty: place of the value in each slot, -1 where there is none."""
    size = 16
    while size < 8 * len(values):
        size *= 2
    slots = np.full(size, -1, np.int64)
    for place in range(len(values)):
        at = np.int64(_mixed(values[place]) & np.uint64(size - 1))
        while slots[at] >= 0:
            at = (at + 1) & (size - 1)
        slots[at] = place
    return slots


@kernel
def _count(
    records: Words, word: int, shift: np.uint64, mask: np.uint64, values: Words, slots: Ints, counts: Ints
) -> None:
    last = len(slots) - 1
    for k in range(len(records)):
        value = (records[k, word] >> shift) & mask
        at = np.int64(_mixed(value) & np.uint64(last))
        while slots[at] >= 0 and values[slots[at]] != value:
            at = (at + 1) & last
        if slots[at] >= 0:
            counts[slots[at]] += 1


@kernel
def _mixed(word: np.uint64) -> np.uint64:
    """As mixed of matching/keys.py."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def _between(moments: Ints, code: Ints, start_ms: Ints, base: int, latest: Ints, earliest: Ints) -> None:
    """Latest and earliest start of one code in each gap: gap g ends with moment g, which is still in it."""
    for k in range(len(code)):
        first = _first_at_least(moments, code[k] << 42)
        end = _first_at_least(moments, (code[k] + 1) << 42)
        gap = first
        if start_ms[k] >= base:
            gap = min(_first_at_least(moments, (code[k] << 42) + start_ms[k] - base), end)
        if gap < end and start_ms[k] > latest[gap]:
            latest[gap] = start_ms[k]
        if gap > first and (earliest[gap] < 0 or start_ms[k] < earliest[gap]):
            earliest[gap] = start_ms[k]


@kernel
def _first_at_least(values: Ints, wanted: int) -> int:
    low = 0
    high = len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _fill(code: Ints, before: Ints, after: Ints) -> None:
    """Where a gap has no record, the nearest of the gaps beyond has; of the same code."""
    for k in range(1, len(code)):
        if before[k] < 0 and code[k] == code[k - 1]:
            before[k] = before[k - 1]
    for k in range(len(code) - 2, -1, -1):
        if after[k] < 0 and code[k] == code[k + 1]:
            after[k] = after[k + 1]
