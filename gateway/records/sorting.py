"""Which records come first by another order than their start? The wanted ones, as long as they are not too many."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.records.reading import PAGE_ROWS, Listed, RecordList
from gateway.records.wanted import Wanted
from ledger.errors import Malformed

SORTED_MOST = 1_000_000
"""Records put in another order at once: each of their pages puts them so again."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    "difference": ("ours_micros", "theirs_micros"),
    "ours": ("ours_micros",),
    "theirs": ("theirs_micros",),
    "duration": ("ours_quantity",),
}
ORDERS = tuple(_KEYS)


def sorted_page(
    records: RecordList, wanted: Wanted, order: str, *, downwards: bool, after: int = 0, limit: int = PAGE_ROWS
) -> tuple[tuple[Listed, ...], int | None]:
    """At most `limit` records in one of ORDERS, from the place `after` on, and the place after them if more follow.

    Raises Malformed for an unknown order, and for more than SORTED_MOST records.
    """
    if order not in _KEYS:
        raise Malformed("no such order of records", expected=", ".join(("start", *ORDERS)), got=repr(order[:20]))
    numbers, keys = _keys(records, wanted, order)
    place = np.argsort(-keys if downwards else keys, kind="stable")[after : after + limit]
    found = (records.record(int(number)) for number in numbers[place])
    last = after + len(place)
    return tuple(each for each in found if each is not None), last if last < len(numbers) else None


def _keys(records: RecordList, wanted: Wanted, order: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    numbers, keys, total = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for table in records.tables(wanted):
        total += len(table)
        if total > SORTED_MOST:
            raise Malformed(
                "too many records to put in this order",
                expected=f"at most {SORTED_MOST:,}",
                got="more",
                todo="Narrow them down: by class, cause, day, destination or trunk.",
            )
        numbers.append(table["number"].to_numpy())
        keys.append(_key(table, order))
    return np.concatenate(numbers), np.concatenate(keys)


def _key(table: pa.Table, order: str) -> npt.NDArray[np.int64]:
    first, *less = (table[name].to_numpy() for name in _KEYS[order])
    key: npt.NDArray[np.int64] = first - less[0] if less else first
    return key
