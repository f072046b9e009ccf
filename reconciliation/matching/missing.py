"""Which records without a partner are one loss? A stretch of a route whose records the other side lost together."""

from typing import NamedTuple

import numpy as np

from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Flags, Ints, Side

STRETCH_RECORDS = 10
"""A lost stretch has at least so many records of one route and day ..."""
STRETCH_SHARE = 80
"""... and at least this percentage of the route's records of that day."""


class Stretch(NamedTuple):
    """One route's lost day."""

    route: str
    day_ms: int
    """UTC midnight it begins with."""
    rows: Flags
    """Which of the rows without partner belong to it."""


def lost_stretches(side: Side, rows: Ints) -> tuple[Stretch, ...]:
    """Stretches among `rows`, the side's rows without partner; in order of route and day."""
    days = side.start_ms // DAY_MS
    cell = side.route.codes * 1_000_000 + days
    lost, lost_counts = np.unique(cell[rows], return_counts=True)
    all_cells, all_counts = np.unique(cell, return_counts=True)
    whole = all_counts[np.searchsorted(all_cells, lost)]
    together = (lost_counts >= STRETCH_RECORDS) & (lost_counts * 100 >= whole * STRETCH_SHARE)
    return tuple(
        Stretch(side.route.texts[where // 1_000_000], where % 1_000_000 * DAY_MS, cell[rows] == where)
        for where in lost[together].tolist()
    )
