"""Which records without a partner are one loss? A stretch of a route whose records the other side lost together."""

from typing import NamedTuple

import numpy as np

from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Flags, Ints, Side
from reconciliation.matching.whole import Whole

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


def lost_stretches(side: Side, rows: Ints, whole: Whole, *, is_creditor: bool) -> tuple[Stretch, ...]:
    """Stretches among `rows`, the side's rows without partner; in order of route and day."""
    counts = whole.creditor_days if is_creditor else whole.debtor_days
    days = counts.shape[1]
    cell = side.route.codes[rows] * days + whole.day_of(side.start_ms[rows])
    lost, lost_counts = np.unique(cell, return_counts=True)
    together = (lost_counts >= STRETCH_RECORDS) & (lost_counts * 100 >= counts.ravel()[lost] * STRETCH_SHARE)
    return tuple(
        Stretch(side.route.texts[where // days], whole.first_day_ms + where % days * DAY_MS, cell == where)
        for where in lost[together].tolist()
    )
