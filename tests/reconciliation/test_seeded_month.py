"""The simulator's month, straight from its true calls: is every planted fault found, named and nothing else accused?"""

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ledger.agreement import Agreement
from ledger.identity import AgreementId
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope
from reconciliation.finding import Cause
from reconciliation.reconcile import Reconciliation, reconcile
from scripts.traffic.carriers import DIRECTIONS, Direction
from scripts.traffic.faults import Planted
from scripts.traffic.prices import DESTINATIONS
from scripts.traffic.simulation import OCTOBER, Simulation, simulate
from scripts.traffic.truth import DirectionTruth, legs_table
from tests.reconciliation.records import MONTH_START_MS, UTC_ZONE

SEED, CALLS_PER_PAIR = 20261031, 6_000
CODES = {destination.name: destination.codes for destination in DESTINATIONS}
CLOCKS = {Planted.TIME_ZONE: Cause.TIME_ZONE, Planted.CLOCK_OFFSET: Cause.CLOCK_OFFSET}


@dataclass(frozen=True)
class Month:
    """One direction of the seeded month, seen by its creditor."""

    direction: Direction
    answer: Reconciliation
    truth: DirectionTruth
    planted: dict[int, Planted]
    """By leg, which stands in the line column."""


@cache
def simulation() -> tuple[Simulation, pa.Table]:
    print(f"seed {SEED}")
    drawn = simulate(SEED, CALLS_PER_PAIR)
    return drawn, legs_table(drawn.books, OCTOBER)


@cache
def month(direction: Direction) -> Month:
    drawn, legs = simulation()
    mine = legs.filter(pc.equal(legs["direction"], direction.word))
    creditor, debtor = direction.creditor.code, direction.debtor.code
    low, high = sorted([creditor, debtor])
    terms = Agreement(low, high, "USD", frozenset({Service.VOICE}), UTC_ZONE, MONTH_START_MS)
    scope = BatchScope(AgreementId(bytes(32)), creditor, creditor, Service.VOICE, OCTOBER)
    answer = reconcile(rated(mine, "creditor"), rated(mine, "debtor"), scope=scope, agreement=terms)
    kinds = {leg: Planted(kind) for leg, kind in zip(*(mine[c].to_pylist() for c in ("leg", "planted")), strict=True)}
    return Month(direction, answer, drawn.truth.of(debtor, creditor), kinds)


def rated(legs: pa.Table, side: str) -> pa.Table:
    """What one side sealed: a row for each copy it holds, its leg as line."""
    copies = legs[f"{side}_count"].to_numpy()
    rows = legs.take(pa.array(np.repeat(np.arange(len(legs)), copies)))
    called = rows["b"].cast(pa.string())
    names = rows["destination"].to_pylist()
    codes = [next(c for c in CODES[n] if b.startswith(c)) for n, b in zip(names, called.to_pylist(), strict=True)]
    quantity = rows[f"{side}_duration_s"].to_numpy() * 1000
    amounts = rows[f"{side}_micros"].to_numpy() // rows[f"{side}_count"].to_numpy()
    columns = {
        "line": rows["leg"],
        "a_party": rows["a"].cast(pa.string()),
        "b_party": called,
        "start_ms": rows[f"{side}_start_ms"],
        "quantity": quantity,
        "route": rows[f"{side}_route"],
        "destination": names,
        "code": codes,
        "charged_quantity": quantity,
        "amount_micros": amounts,
    }
    return pa.table(columns).cast(RATED_SCHEMA)


def causes_by_leg(month: Month) -> dict[int, set[Cause]]:
    said: dict[int, set[Cause]] = {}
    for row in month.answer.exceptions.select(["ours_line", "theirs_line", "cause"]).to_pylist():
        leg = row["theirs_line"] if row["ours_line"] is None else row["ours_line"]
        said.setdefault(leg, set()).add(Cause(row["cause"]))
    return said


directions = pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda direction: direction.word)


@directions
def test_the_totals_are_the_simulators(direction: Direction) -> None:
    found = month(direction)
    assert found.answer.totals.ours_micros == found.truth.creditor_total.amount_micros
    assert found.answer.totals.theirs_micros == found.truth.debtor_total.amount_micros
    planted = sum(plant.difference_micros for plant in found.truth.plants)
    assert sum(finding.difference_micros for finding in found.answer.findings) == planted


@directions
def test_every_planted_fault_is_found_and_named(direction: Direction) -> None:
    found = month(direction)
    said = causes_by_leg(found)
    allowed = {plant.planted: plant.causes(direction.creditor.code) for plant in found.truth.plants}
    hits, tries = Counter[Planted](), Counter[Planted]()
    for leg, kind in found.planted.items():
        if kind in allowed and kind not in CLOCKS and kind is not Planted.UNRATED:
            seen = said.get(leg)
            tries[kind] += seen is not None
            hits[kind] += bool(seen and seen & allowed[kind])
    assert sum(tries.values()) > 0
    assert hits == tries


@directions
def test_nothing_else_is_accused(direction: Direction) -> None:
    found = month(direction)
    innocent = {Planted.NOTHING, *CLOCKS}
    accused = {leg: said for leg, said in causes_by_leg(found).items() if found.planted[leg] in innocent}
    assert accused == {}


@directions
def test_every_clock_fault_is_a_finding_and_only_those(direction: Direction) -> None:
    found = month(direction)
    expected = {CLOCKS[plant.planted] for plant in found.truth.plants if plant.planted in CLOCKS}
    told = {finding.cause for finding in found.answer.findings} & set(CLOCKS.values())
    assert told == expected


def test_each_kind_of_fault_was_planted_somewhere() -> None:
    """A month without faults would pass the tests above."""
    kinds = {plant.planted for plant in simulation()[0].truth.plants()}
    assert kinds >= set(Planted) - {Planted.NOTHING, Planted.UNRATED}
