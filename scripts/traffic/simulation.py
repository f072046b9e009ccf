"""From a seed to a month of two-sided traffic, and from there to the files the three carriers would have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.identity import CarrierCode
from ledger.period import Period
from scripts.traffic.calls import draw_calls
from scripts.traffic.carriers import CARRIERS, CarrierPlan
from scripts.traffic.faults import Books, plant
from scripts.traffic.papers import Papers, write_papers
from scripts.traffic.prices import Ints
from scripts.traffic.switches import SwitchFile, write_switch_file
from scripts.traffic.truth import Truth, legs_table, tell
from scripts.traffic.truth_file import write_truth

OCTOBER = Period(2026, 10)


@dataclass(frozen=True, slots=True)
class Simulation:
    """The true calls, what both sides wrote of them, and what must be found."""

    seed: int
    month: Period
    books: Books
    truth: Truth


@dataclass(frozen=True, slots=True)
class SimulationFiles:
    """Where everything was written."""

    folder: Path
    switches: Mapping[CarrierCode, SwitchFile]
    papers: Papers
    truth: Path
    """truth.json: totals, faults, malformed lines."""
    legs: Path
    """truth.parquet: each leg with both sides' lines."""


def simulate(seed: int, calls_per_pair: int = 50_000, month: Period = OCTOBER) -> Simulation:
    """Draw the month and plant its faults; the same arguments give the same month.

    At least `calls_per_pair` answered calls of each pair of carriers lie inside the month, both directions together.
    """
    rng = np.random.default_rng(seed)
    books = plant(rng, draw_calls(rng, calls_per_pair, month), month)
    return Simulation(seed, month, books, tell(books, month))


def write(simulation: Simulation, folder: Path) -> SimulationFiles:
    """Write each carrier's CDR file, the agreements, rate decks and trunk maps, and the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([simulation.seed, 1])
    switches = {c.code: write_switch_file(rng, simulation.books, c, folder) for c in CARRIERS}
    legs = _with_lines(legs_table(simulation.books, simulation.month), simulation.books, switches)
    pq.write_table(legs, folder / "truth.parquet", compression="zstd")
    truth_path = folder / "truth.json"
    write_truth(truth_path, simulation.seed, simulation.truth, switches)
    papers = write_papers(folder, simulation.month)
    return SimulationFiles(folder, switches, papers, truth_path, folder / "truth.parquet")


def _with_lines(legs: pa.Table, books: Books, switches: Mapping[CarrierCode, SwitchFile]) -> pa.Table:
    """Add the line at the debtor, at the creditor, and of the creditor's second row; 0 where there is none."""
    lines: dict[str, Ints] = {
        f"{s}_line": np.zeros(len(books.calls), np.int64) for s in ("debtor", "creditor", "second")
    }
    for carrier in CARRIERS:
        _note_lines(lines, switches[carrier.code], carrier)
    for name, column in lines.items():
        legs = legs.append_column(name, pa.array(column))
    return legs


def _note_lines(lines: dict[str, Ints], file: SwitchFile, carrier: CarrierPlan) -> None:
    rows = file.rows
    for name, chosen in (
        ("debtor_line", rows.outgoing == 1),
        ("creditor_line", (rows.outgoing == 0) & (rows.second == 0)),
        ("second_line", rows.second == 1),
    ):
        lines[name][rows.leg[chosen]] = file.lines[chosen]
