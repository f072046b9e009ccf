"""Both sides' rated tables of a simulated month, made from the raw files by the ledger's own reading and rating."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.formats.preset import load_preset
from gateway.formats.reading import Direction, Reading, ReadingContext, Stream, Trunk, read_cdr
from ledger.agreement import Agreement
from ledger.identity import AgreementId, CarrierCode
from ledger.prices.deck import DeckHistory, deck_history
from ledger.prices.deck_file import load_deck
from ledger.prices.rating import Rating, rate
from ledger.service import Service
from ledger.usage import BatchScope
from scripts.traffic import Simulation, SimulationFiles, simulate, write
from scripts.traffic.carriers import CARRIERS, CarrierPlan, trunks_of
from scripts.traffic.papers import agreement_of
from scripts.traffic.truth import DirectionTruth

COUNTRIES = {"CN-T": "CN", "GB-B": "GB", "US-A": "US"}
PLANS = {plan.code: plan for plan in CARRIERS}


@dataclass(frozen=True, slots=True)
class Books:
    """A simulated month, its files, and what reading made of them."""

    simulation: Simulation
    files: SimulationFiles
    readings: dict[CarrierCode, Reading]
    legs: pa.Table
    """The truth, with lines."""

    def agreement(self, direction: DirectionTruth) -> Agreement:
        """The agreement of the direction's two carriers."""
        return agreement_of((PLANS[direction.debtor], PLANS[direction.creditor]), self.simulation.month)

    def decks(self, direction: DirectionTruth, side: CarrierCode) -> DeckHistory:
        """The creditor's decks as a side has them on file."""
        known = [
            (paper.effective_s * 1000, load_deck(paper.path))
            for paper in self.files.papers.decks
            if (paper.creditor, paper.debtor) == (direction.creditor, direction.debtor)
            and not (paper.missed_by_debtor and side == direction.debtor)
        ]
        return deck_history(known)

    def usage(self, direction: DirectionTruth, side: CarrierCode) -> pa.Table:
        """What the side read of the direction inside the month, in its file's order."""
        partner, way = (
            (direction.creditor, Direction.OUT) if side == direction.debtor else (direction.debtor, Direction.IN)
        )
        table = self.readings[side].tables[Stream(partner, way, Service.VOICE)]
        start_ms, end_ms = self.simulation.month.bounds_ms(self.agreement(direction).zone)
        start = table["start_ms"]
        return table.filter(pc.and_(pc.greater_equal(start, start_ms), pc.less(start, end_ms)))

    def rated(self, direction: DirectionTruth, side: CarrierCode) -> Rating:
        """The side's usage of the direction, priced with its own decks."""
        return rate(self.usage(direction, side), self.decks(direction, side), self.agreement(direction))

    def scope(self, direction: DirectionTruth, side: CarrierCode) -> BatchScope:
        """The direction and month as the side declares them."""
        return BatchScope(AgreementId(bytes(32)), side, direction.creditor, Service.VOICE, self.simulation.month)

    def legs_of(self, direction: DirectionTruth) -> pa.Table:
        """The truth of the direction."""
        return self.legs.filter(pc.equal(self.legs["direction"], f"{direction.debtor}>{direction.creditor}"))

    def sides(self) -> Iterator[tuple[DirectionTruth, CarrierCode]]:
        """Each direction with each of its two sides."""
        for direction in self.simulation.truth.directions:
            yield from ((direction, side) for side in (direction.debtor, direction.creditor))


def open_books(seed: int, calls_per_pair: int, folder: Path) -> Books:
    """Simulate and write a month, and read every carrier's file."""
    simulation = simulate(seed, calls_per_pair)
    files = write(simulation, folder)
    readings = {plan.code: read_file(files, plan) for plan in CARRIERS}
    return Books(simulation, files, readings, pq.read_table(files.legs))


def read_file(files: SimulationFiles, plan: CarrierPlan) -> Reading:
    """Read one carrier's raw file with its switch's preset."""
    trunks = {name: Trunk(partner, Direction(way)) for name, (partner, way) in trunks_of(plan).items()}
    context = ReadingContext(zone=plan.zone, country=COUNTRIES[plan.code], trunks=trunks)
    return read_cdr(files.switches[plan.code].path, load_preset(plan.switch.value), context)
