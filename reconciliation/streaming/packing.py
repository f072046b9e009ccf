"""How does a usage record become forty bytes? Both numbers as hashes, times and amounts as integers, names as places.

A packed record is five words of 64 bits where the month's numbers fit 32 bits, eight where they do not:
    A-hash, B-hash, start and quantity, charged quantity and amount, row and names
    A-hash, B-hash, start, quantity, charged quantity, amount, row, names
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ledger.kernel import kernel
from reconciliation.matching.side import Flags, Ints, Words

NARROW, WIDE = 5, 8
Places = npt.NDArray[np.int32]


class Layout(NamedTuple):
    """How records are packed; the same for both sides."""

    words: int
    """NARROW or WIDE."""
    base_ms: int
    """Starts count from here; 0 if wide."""
    destination_bits: int
    code_bits: int
    names_bits: int
    """Of route, destination and code together."""


class Unpacked(NamedTuple):
    """Unpacked records, a column for each thing said."""

    a_hash: Words
    b_hash: Words
    start_ms: Ints
    quantity: Ints
    charged: Ints
    amount: Ints
    row: Ints
    route: Ints
    destination: Ints
    code: Ints

    def take(self, rows: Ints | Flags) -> "Unpacked":
        """Only these."""
        return Unpacked(
            *(self.a_hash[rows], self.b_hash[rows], self.start_ms[rows], self.quantity[rows], self.charged[rows]),
            *(self.amount[rows], self.row[rows], self.route[rows], self.destination[rows], self.code[rows]),
        )


class Named(NamedTuple):
    """A column of names in one piece: places in its own dictionary, and what they are in the whole month's."""

    places: Places
    ids: Places


class Numbers(NamedTuple):
    """The columns of numbers in one piece."""

    start_ms: Ints
    quantity: Ints
    charged: Ints
    amount: Ints


@kernel
def pack(
    a_hash: Words,
    b_hash: Words,
    numbers: Numbers,
    route: Named,
    destination: Named,
    code: Named,
    first_row: int,
    layout: Layout,
    records: Words,
) -> bool:
    """Fill `records` (n, layout.words); False if a number does not fit a narrow record."""
    fits = True
    base = layout.base_ms
    names_bits = np.uint64(layout.names_bits)
    route_at = np.uint64(layout.destination_bits + layout.code_bits)
    destination_at = np.uint64(layout.code_bits)
    half = np.uint64(32)
    for k in range(len(a_hash)):
        records[k, 0] = a_hash[k]
        records[k, 1] = b_hash[k]
        upper: np.uint64 = np.uint64(route.ids[route.places[k]]) << route_at
        middle: np.uint64 = np.uint64(destination.ids[destination.places[k]]) << destination_at
        names = upper | middle | np.uint64(code.ids[code.places[k]])
        start = np.uint64(numbers.start_ms[k] - base)
        quantity = np.uint64(numbers.quantity[k])
        charged = np.uint64(numbers.charged[k])
        amount = np.uint64(numbers.amount[k])
        row = np.uint64(first_row + k)
        if layout.words == 5:
            fits &= (start | quantity | charged | amount) >> half == np.uint64(0)
            records[k, 2] = start << half | quantity
            records[k, 3] = charged << half | amount
            records[k, 4] = row << names_bits | names
        else:
            records[k, 2] = start
            records[k, 3] = quantity
            records[k, 4] = charged
            records[k, 5] = amount
            records[k, 6] = row
            records[k, 7] = names
    return fits


@kernel
def scatter(records: Words, buckets: int, ordered: Words, ends: Ints) -> None:
    """Copy records into `ordered` by bucket, keeping their order within; `ends` (buckets + 1) says where each begins.

    A bucket is a range of keys, so that the keys below any bound lie in the first buckets.
    """
    place = np.empty(len(records), np.uint16)
    ends[:] = 0
    for k in range(len(records)):
        bucket = (_key(records[k, 0], records[k, 1]) >> np.uint64(32)) * np.uint64(buckets) >> np.uint64(32)
        place[k] = bucket
        ends[np.int64(bucket) + 1] += 1
    for at in range(buckets):
        ends[at + 1] += ends[at]
    following = ends.copy()
    words = records.shape[1]
    for k in range(len(records)):
        to = following[place[k]]
        following[place[k]] = to + 1
        for word in range(words):
            ordered[to, word] = records[k, word]


@kernel
def _key(a_hash: np.uint64, b_hash: np.uint64) -> np.uint64:
    """As pair_hashes of matching/keys.py."""
    word = a_hash * np.uint64(0x9E3779B97F4A7C15) + b_hash
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def unpack(records: Words, layout: Layout) -> Unpacked:
    """All columns of some packed records, each one array."""
    size = len(records)
    columns = Unpacked(
        *(np.empty(size, np.uint64), np.empty(size, np.uint64)), *(np.empty(size, np.int64) for _ in range(8))
    )
    _unpack(frozen(records), layout, columns)
    return columns


def frozen(records: Words) -> Words:
    """The same, read-only: kernels are compiled for these alone, wherever records come from."""
    view = records.view()
    view.flags.writeable = False
    return view


@kernel
def _unpack(records: Words, layout: Layout, columns: Unpacked) -> None:
    names_bits = np.uint64(layout.names_bits)
    route_at = np.uint64(layout.destination_bits + layout.code_bits)
    destination_at = np.uint64(layout.code_bits)
    one = np.uint64(1)
    names_mask = (one << names_bits) - one
    destination_mask = (one << np.uint64(layout.destination_bits)) - one
    code_mask = (one << destination_at) - one
    half = np.uint64(32)
    low = np.uint64(0xFFFFFFFF)
    for k in range(len(records)):
        columns.a_hash[k] = records[k, 0]
        columns.b_hash[k] = records[k, 1]
        if layout.words == 5:
            columns.start_ms[k] = np.int64(records[k, 2] >> half) + layout.base_ms
            columns.quantity[k] = np.int64(records[k, 2] & low)
            columns.charged[k] = np.int64(records[k, 3] >> half)
            columns.amount[k] = np.int64(records[k, 3] & low)
            columns.row[k] = np.int64(records[k, 4] >> names_bits)
            names = records[k, 4] & names_mask
        else:
            columns.start_ms[k] = np.int64(records[k, 2])
            columns.quantity[k] = np.int64(records[k, 3])
            columns.charged[k] = np.int64(records[k, 4])
            columns.amount[k] = np.int64(records[k, 5])
            columns.row[k] = np.int64(records[k, 6])
            names = records[k, 7]
        columns.route[k] = np.int64(names >> route_at)
        columns.destination[k] = np.int64(names >> destination_at & destination_mask)
        columns.code[k] = np.int64(names & code_mask)
