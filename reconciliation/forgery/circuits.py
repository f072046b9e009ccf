"""Which private lines are charged that cannot be?"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.forgery.suspects import Mark, Suspects
from reconciliation.matching.side import Ints

DAY_MS = 86_400_000


def ceased_circuits(suspects: Suspects) -> tuple[Mark, ...]:
    """Private lines that were cancelled, or never ordered, and are charged all the same.

    Source: the circuits given as evidence, from the debtor's orders and cancellations. No threshold.
    """
    hit = pc.is_in(suspects.circuits, value_set=pa.array(suspects.evidence.ceased, pa.string()))
    rows = np.flatnonzero(np.asarray(hit.to_numpy(), np.bool_))
    return (Mark(rows, "a circuit that was cancelled or never ordered", "of circuits that are not in service"),)


def overlapping_days(suspects: Suspects) -> tuple[Mark, ...]:
    """Days of a private line that another record of the same line charges too.

    Source: a circuit is in service once a day. Threshold: one day. Only the record without partner is marked.
    """
    served = np.flatnonzero(suspects.quantity > 0)
    circuits, others = suspects.whole.of_circuits(np.unique(suspects.circuit[served]))
    twice = np.zeros(len(suspects.rows), np.bool_)
    for row in served.tolist():
        mine = circuits == suspects.circuit[row]
        begin, end = suspects.start_ms[row], suspects.start_ms[row] + suspects.quantity[row] * DAY_MS
        same_days = (others.start_ms < end) & (others.start_ms + others.quantity * DAY_MS > begin)
        twice[row] = bool((mine & same_days & (others.row != suspects.rows[row])).any())
    found: Ints = np.flatnonzero(twice)
    return (Mark(found, "days of a circuit that another record charges", "for days that are charged twice"),)
