"""Which one-to-one pairing of a few ambiguous records is best? Most pairs first, then least total deviation."""

import numpy as np
import numpy.typing as npt

from reconciliation.compiled import compiled

Ints = npt.NDArray[np.int64]

EXACT_LIMIT = 256
"""Records of one side in a component that still get the exact assignment; more are paired in order of time."""
NEVER = -1
"""An edge that is not there."""
FAR_MS = 86_400_000
"""Durations that differ by more than a day cost no more than a day: keeps sums within 63 bits."""


@compiled
def deviation(delta_ms: int, quantity_delta: int, hard: int) -> int:
    """Cost of a pair: |start difference| + |quantity difference|; NEVER if the latter passes `hard` (>= 0)."""
    apart = abs(quantity_delta)
    if hard >= 0 and apart > hard:
        return NEVER
    return abs(delta_ms) + min(apart, FAR_MS)


@compiled
def assign(costs: Ints, chosen: Ints) -> None:
    """Fill `chosen[row]` with the row's column or -1; rows <= columns; costs are NEVER or >= 0.

    The Hungarian method with potentials (Kuhn 1955, Munkres 1957; shortest augmenting paths), O(rows² columns).
    A missing edge costs more than all the others together, so that the number of pairs comes first.
    """
    rows, columns = costs.shape
    dearest = np.int64(0)
    for row in range(rows):
        chosen[row] = -1
        for column in range(columns):
            dearest = max(dearest, costs[row, column])
    never = (dearest + 1) * (rows + 1)
    highest = np.int64(1) << 62
    row_price = np.zeros(rows + 1, np.int64)
    column_price = np.zeros(columns + 1, np.int64)
    holder = np.zeros(columns + 1, np.int64)
    came_from = np.zeros(columns + 1, np.int64)
    for row in range(1, rows + 1):
        holder[0] = row
        at = 0
        slack = np.full(columns + 1, highest)
        done = np.zeros(columns + 1, np.bool_)
        while holder[at] != 0:
            done[at] = True
            here = holder[at]
            step = highest
            following = 0
            for column in range(1, columns + 1):
                if not done[column]:
                    cost = costs[here - 1, column - 1]
                    reduced = (never if cost < 0 else cost) - row_price[here] - column_price[column]
                    if reduced < slack[column]:
                        slack[column] = reduced
                        came_from[column] = at
                    if slack[column] < step:
                        step = slack[column]
                        following = column
            for column in range(columns + 1):
                if done[column]:
                    row_price[holder[column]] += step
                    column_price[column] -= step
                else:
                    slack[column] -= step
            at = following
        while at != 0:
            before = came_from[at]
            holder[at] = holder[before]
            at = before
    for column in range(1, columns + 1):
        row = holder[column]
        if row > 0 and costs[row - 1, column - 1] >= 0:
            chosen[row - 1] = column - 1
