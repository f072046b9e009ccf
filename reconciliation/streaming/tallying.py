"""How much is a side's month, by destination and accounting day, and how many records has each route on each day?"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching.side import Ints
from reconciliation.streaming.packing import Named, Numbers
from reconciliation.streaming.plan import Plan
from reconciliation.totals import NOTHING, QUARTER_MS, Sum, Sums, accounting_days

_COUNT, _QUANTITY_HIGH, _QUANTITY_LOW, _MICROS_HIGH, _MICROS_LOW = range(5)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts in the making; tallies of pieces add up in any order."""

    cells: Ints
    """(destinations * accounting days, 5): count, and sums of quantity and micros in two halves each."""
    route_days: Ints
    """(routes, UTC days): records."""
    strays: Counter[tuple[str, int, str]]
    """Of records that start on no day of the plan: (destination, accounting day, "count", "quantity" or "micros")."""

    def add(self, other: "Tally") -> None:
        """Count what another counted, too."""
        np.add(self.cells, other.cells, out=self.cells)
        np.add(self.route_days, other.route_days, out=self.route_days)
        self.strays.update(other.strays)


def empty_tally(plan: Plan) -> Tally:
    """Nothing counted yet."""
    days = int(plan.days.of_quarter[-1]) + 1
    return Tally(
        np.zeros((len(plan.vocabulary.destinations) * days, 5), np.int64),
        np.zeros((len(plan.vocabulary.routes), plan.days.count), np.int64),
        Counter(),
    )


def tally_piece(tally: Tally, numbers: Numbers, route: Named, destination: Named, plan: Plan, zone: ZoneInfo) -> None:
    """Count the records of one piece."""
    days = plan.days
    stray = np.zeros(len(numbers.start_ms), np.bool_)
    found = _tally(numbers, route, destination, days.first_ms, days.of_quarter, tally.cells, tally.route_days, stray)
    if found:
        rows = np.flatnonzero(stray)
        quarters, where = np.unique(numbers.start_ms[rows] // QUARTER_MS, return_inverse=True)
        ordinals = accounting_days(quarters, zone)[where]
        for row, ordinal in zip(rows.tolist(), ordinals.tolist(), strict=True):
            name = plan.vocabulary.destinations[destination.ids[destination.places[row]]]
            tally.strays[name, ordinal, "count"] += 1
            tally.strays[name, ordinal, "quantity"] += int(numbers.quantity[row])
            tally.strays[name, ordinal, "micros"] += int(numbers.amount[row])


def sums_of(tally: Tally, plan: Plan) -> Sums:
    """The tally with names and dates; only what has records."""
    days = plan.days
    width = int(days.of_quarter[-1]) + 1
    sums: dict[tuple[str, date], Sum] = {}
    for cell in np.flatnonzero(tally.cells[:, _COUNT]).tolist():
        count, *halves = tally.cells[cell].tolist()
        key = plan.vocabulary.destinations[cell // width], date.fromordinal(days.first_ordinal + cell % width)
        sums[key] = Sum(count, (halves[0] << 32) + halves[1], (halves[2] << 32) + halves[3])
    for name, ordinal, what in tally.strays:
        if what == "count":
            key = name, date.fromordinal(ordinal)
            more = Sum(*(tally.strays[name, ordinal, each] for each in ("count", "quantity", "micros")))
            sums[key] = sums.get(key, NOTHING).plus(more)
    return sums


@kernel
def _tally(
    numbers: Numbers,
    route: Named,
    destination: Named,
    first_ms: int,
    of_quarter: Ints,
    cells: Ints,
    route_days: Ints,
    stray: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> int:
    days = of_quarter[-1] + 1
    low = np.int64(0xFFFFFFFF)
    strays = 0
    for k in range(len(stray)):
        since = numbers.start_ms[k] - first_ms
        quarter = since // 900_000
        day = since // 86_400_000
        route_days[route.ids[route.places[k]], min(max(day, 0), route_days.shape[1] - 1)] += 1
        if 0 <= quarter < len(of_quarter):
            cell = destination.ids[destination.places[k]] * days + of_quarter[quarter]
            cells[cell, 0] += 1
            cells[cell, 1] += numbers.quantity[k] >> 32
            cells[cell, 2] += numbers.quantity[k] & low
            cells[cell, 3] += numbers.amount[k] >> 32
            cells[cell, 4] += numbers.amount[k] & low
        else:
            stray[k] = True
            strays += 1
    return strays
