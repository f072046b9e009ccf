"""Whose clock is wrong? A switch writes its rows in order of time, so a route that is off stands out in its own file.

Two sides' start differences tell only by how much they disagree. But in the file of the side that is wrong, the route's
records end earlier or later than their neighbours of other routes; in the other side's file they do not.
"""

from typing import NamedTuple

import numpy as np

from reconciliation.matching.side import Flags, Ints, Side

LEAST_ROWS = 20
"""Rows of the route and of its neighbours that an estimate needs."""
DISORDER = 0.1
"""A file with a larger share of steps back in time is not in order of time."""


class FileOrder(NamedTuple):
    """How far a route's records stand from their neighbours in the file."""

    deviation_ms: int
    """Median; positive: the route's clock runs ahead."""
    error_ms: int
    """Standard error of it."""


def file_order(side: Side, line: Ints, mine: Flags) -> FileOrder | None:
    """Compare some records with the others of their side by `line`, the file's; None if the order tells nothing.

    Files are in order of the calls' ends (when a switch writes a record) or of their starts; the better order is used.
    """
    others = ~mine
    if mine.sum() < LEAST_ROWS or others.sum() < LEAST_ROWS or _repeats(line):
        return None
    order = np.flatnonzero(others)[np.argsort(line[others])]
    end_ms = side.start_ms + side.quantity
    time_ms = min((end_ms, side.start_ms), key=lambda column: _disorder(column[order]))
    if _disorder(time_ms[order]) > DISORDER:
        return None
    expected = np.interp(line[mine], line[order], time_ms[order])
    apart = time_ms[mine] - expected
    middle = float(np.median(apart))
    spread = float(np.median(np.abs(apart - middle)))
    return FileOrder(round(middle), round(2 * spread / float(np.sqrt(mine.sum()))) + 1)


def is_theirs(ours: FileOrder | None, theirs: FileOrder | None, offset_ms: int) -> bool | None:
    """Whether an offset of theirs against ours shows in their file (True), in ours (False) or in neither (None)."""
    if ours is None or theirs is None or max(ours.error_ms, theirs.error_ms) * 4 > abs(offset_ms):
        return None
    in_theirs = abs(theirs.deviation_ms - offset_ms) * 2 < abs(offset_ms)
    in_ours = abs(ours.deviation_ms + offset_ms) * 2 < abs(offset_ms)
    return in_theirs if in_theirs != in_ours else None


def _disorder(times_ms: Ints) -> float:
    """Share of steps that go back by more than a minute."""
    return float((np.diff(times_ms) < -60_000).mean())


def _repeats(line: Ints) -> bool:
    ordered = np.sort(line)  # a plain sort: unique builds a hash table, which takes ten times as long
    return bool((ordered[1:] == ordered[:-1]).any())
