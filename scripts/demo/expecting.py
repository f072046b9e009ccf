"""What must each step of the month come to? Worked out from the simulator's truth alone, never from the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from scripts.traffic import Planted, Simulation
from scripts.traffic.truth import DirectionTruth, Plant, SideTotal, legs_table

WEEK_MS = 7 * 86_400_000
DISPUTED = frozenset(
    {
        Planted.INVENTED,
        Planted.MISSING_AT_DEBTOR,
        Planted.ZERO_AT_DEBTOR,
        Planted.SHADED,
        Planted.DURATION_BIAS,
        Planted.RATE,
        Planted.DUPLICATE_AT_CREDITOR,
    }
)
"""Faults that cost the debtor money beyond tolerance."""


class Way(NamedTuple):
    """One direction by its two carriers."""

    debtor: CarrierCode
    creditor: CarrierCode

    def __str__(self) -> str:
        return f"{self.debtor} to {self.creditor}"


@dataclass(frozen=True, slots=True)
class Expectations:
    """The truth as the demo's steps ask for it."""

    month: Period
    directions: Mapping[Way, DirectionTruth]
    weekly: Mapping[tuple[Way, CarrierCode], tuple[int, ...]]
    """Amounts in micros of each week's batch, by direction and declarer."""
    tromboned_calls: int

    def total(self, way: Way, side: CarrierCode) -> SideTotal:
        """What a side counts for a direction."""
        truth = self.directions[way]
        return truth.debtor_total if side == way.debtor else truth.creditor_total

    def held_at(self, way: Way, limit_micros: int) -> int:
        """How many of the creditor's weekly batches fit under a credit line."""
        used = np.cumsum(np.array(self.weekly[way, way.creditor], np.int64))
        return int((used <= limit_micros).sum())

    def disputed(self, way: Way) -> Mapping[Planted, Plant]:
        """The faults the debtor of the direction must dispute."""
        return {plant.planted: plant for plant in self.directions[way].plants if plant.planted in DISPUTED}


def expect(simulation: Simulation) -> Expectations:
    """Work out what the simulated month must come to."""
    legs = legs_table(simulation.books, simulation.month)
    directions = {Way(d.debtor, d.creditor): d for d in simulation.truth.directions}
    weekly = {
        (way, side): _weekly(legs, way, role, simulation.month)
        for way in directions
        for side, role in ((way.debtor, "debtor"), (way.creditor, "creditor"))
    }
    return Expectations(simulation.month, directions, weekly, simulation.truth.tromboned_calls)


def net_positions(agreed: Mapping[Way, int]) -> Mapping[CarrierCode, Micros]:
    """What each carrier is owed (positive) or owes, net of everything agreed."""
    positions: dict[CarrierCode, int] = {}
    for way, amount in agreed.items():
        positions[way.creditor] = positions.get(way.creditor, 0) + amount
        positions[way.debtor] = positions.get(way.debtor, 0) - amount
    return {carrier: Micros(amount) for carrier, amount in positions.items()}


def _weekly(legs: pa.Table, way: Way, role: str, month: Period) -> tuple[int, ...]:
    mine = legs.filter(pc.equal(legs["direction"], f"{way.debtor}>{way.creditor}"))
    mine = mine.filter(pc.greater(mine[f"{role}_count"], 0))
    begins_ms = month.bounds_ms(ZoneInfo("UTC"))[0]
    week = (mine[f"{role}_start_ms"].to_numpy() - begins_ms) // WEEK_MS
    sums = np.zeros(int(week.max(initial=0)) + 1, np.int64)
    np.add.at(sums, week, mine[f"{role}_micros"].to_numpy())
    return tuple(int(amount) for amount in sums)
