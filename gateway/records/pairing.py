"""Which record of theirs is each of ours, and why do they differ? A few bytes a record, kept in files meanwhile."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.records.layout import CAUSES, NO_RULE, NOBODY

_PLACE = {cause.value: at for at, cause in enumerate(CAUSES)}
_AT_ONCE = 1 << 20
NUMBER = pa.field("number", pa.int64(), nullable=False)
"""Of the kept exceptions: the record's number in the list, from 1."""


class Pairs:
    """What the engine says of every record, by its row. Rows that it never speaks of have no partner and no cause."""

    def __init__(self, folder: Path, ours_count: int, theirs_count: int) -> None:
        def column(name: str, kind: npt.DTypeLike, rows: int, empty: int) -> npt.NDArray[np.generic]:
            path = folder / f"{name}.npy"
            made = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(max(rows, 1),))
            made[:] = empty
            return made

        self.theirs_of = column("theirs_of", np.int64, ours_count, NOBODY)
        self.ours_of = column("ours_of", np.int64, theirs_count, NOBODY)
        self.classes = column("classes", np.uint8, ours_count, 0)
        self.rules = column("rules", np.uint8, ours_count, NO_RULE)
        self.offsets_ms = column("offsets", np.int64, ours_count, 0)
        self.our_causes = column("our_causes", np.int32, ours_count, 0)
        self.their_causes = column("their_causes", np.int32, theirs_count, 0)
        self.our_numbers = column("our_numbers", np.int64, ours_count, 0)
        self.their_numbers = column("their_numbers", np.int64, theirs_count, 0)

    def hear(self, pairs: pa.Table) -> None:
        """Some pairs (reconciliation.exceptions.PAIRS_SCHEMA); the engine tells them piece by piece."""
        ours, theirs = pairs["ours_row"].to_numpy(), pairs["theirs_row"].to_numpy()
        self.theirs_of[ours], self.ours_of[theirs] = theirs, ours
        self.classes[ours] = pairs["class"].to_numpy()
        self.rules[ours] = pairs["rule"].to_numpy()
        self.offsets_ms[ours] = pairs["offset_ms"].to_numpy()

    def explain(self, exceptions: pa.Table) -> None:
        """Why records differ (reconciliation.exceptions.EXCEPTIONS_SCHEMA): each side's record keeps the cause."""
        for first in range(0, len(exceptions), _AT_ONCE):
            piece = exceptions.slice(first, _AT_ONCE)
            ours, theirs = (_rows(piece[name]) for name in ("ours_row", "theirs_row"))
            bits = np.array([1 << _PLACE[cause] for cause in piece["cause"].to_pylist()], np.int32)
            np.bitwise_or.at(self.our_causes, ours[ours >= 0], bits[ours >= 0])
            np.bitwise_or.at(self.their_causes, theirs[theirs >= 0], bits[theirs >= 0])

    def number(self, first: int, ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> None:
        """Say which numbers of the list, from `first` on, some rows of the books have; NOBODY where a side has none."""
        numbers = np.arange(first, first + len(ours))
        self.our_numbers[ours[ours >= 0]] = numbers[ours >= 0]
        self.their_numbers[theirs[theirs >= 0]] = numbers[theirs >= 0]

    def numbered(self, exceptions: pa.Table) -> pa.Table:
        """The exceptions, each with its number in the list, once that is written."""
        ours, theirs = (_rows(exceptions[name]) for name in ("ours_row", "theirs_row"))
        numbers = np.where(ours >= 0, self.our_numbers[ours], self.their_numbers[theirs])
        return exceptions.append_column(NUMBER, pa.array(numbers))


def _rows(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    rows: npt.NDArray[np.int64] = column.fill_null(NOBODY).to_numpy()
    return rows
