"""Does the engine find every planted fault, name it rightly, and raise no false alarm? Record by record."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ledger.identity import CarrierCode
from reconciliation.finding import Cause, Finding, Severity
from reconciliation.reconcile import Reconciliation, reconcile
from scripts.traffic import Planted
from scripts.traffic.faults import BIAS_S
from scripts.traffic.truth import DirectionTruth, Plant
from tests.scenarios.books import Books

CLOCK_FAULTS = (Planted.CLOCK_OFFSET, Planted.TIME_ZONE)
COMPOUND = {Planted.DUPLICATE_AT_CREDITOR: Cause.DURATION_BIAS, Planted.SECONDS: Cause.RATE}
"""A drawn fault may fall on a trunk or a destination that is wrong as a whole: then the record has this cause too."""

Reconciled = dict[tuple[CarrierCode, CarrierCode, CarrierCode], Reconciliation]


@pytest.fixture(scope="module")
def reconciled(books: Books) -> Reconciled:
    """Each direction, as each of its sides sees it."""
    found: Reconciled = {}
    for direction, side in books.sides():
        other = direction.creditor if side == direction.debtor else direction.debtor
        found[direction.debtor, direction.creditor, side] = reconcile(
            books.rated(direction, side).rated,
            books.rated(direction, other).rated,
            scope=books.scope(direction, side),
            agreement=books.agreement(direction),
            decks=books.decks(direction, direction.creditor),
        )
    return found


def _all(books: Books, reconciled: Reconciled) -> list[tuple[DirectionTruth, CarrierCode, Reconciliation]]:
    return [(d, side, reconciled[d.debtor, d.creditor, side]) for d, side in books.sides()]


def test_every_planted_record_is_found_under_its_name_and_nothing_else_is(books: Books, reconciled: Reconciled) -> None:
    for direction, side, result in _all(books, reconciled):
        found = _causes_by_leg(books, direction, side, result)
        planted = _planted_legs(books, direction)
        assert found.keys() == planted.keys()
        for leg, kind in planted.items():
            allowed = _plant(direction, kind).causes(side) | {COMPOUND[kind]} if kind in COMPOUND else None
            assert found[leg] <= (allowed or _plant(direction, kind).causes(side)), (kind, found[leg])


def test_counts_and_amounts_of_each_cause_are_the_truths_to_the_last_micro(
    books: Books, reconciled: Reconciled
) -> None:
    exact = (
        Planted.INVENTED,
        Planted.MISSING_AT_CREDITOR,
        Planted.PERIOD_CROSSING,
        Planted.SHADED,
        Planted.DURATION_BIAS,
    )
    seen = set()
    for direction, side, result in _all(books, reconciled):
        for plant in direction.plants:
            if plant.planted in exact and plant.planted is not Planted.DURATION_BIAS:
                findings = [f for f in result.findings if f.cause in plant.causes(side)]
                sign = 1 if side == plant.creditor else -1
                assert sum(f.count for f in findings) == plant.count, plant.planted
                assert sum(f.difference_micros for f in findings) == sign * plant.difference_micros, plant.planted
                seen.add(plant.planted)
    assert seen == set(exact) - {Planted.DURATION_BIAS}


def test_the_missed_rate_change_costs_what_the_two_decks_say(books: Books, reconciled: Reconciled) -> None:
    direction = books.simulation.truth.of("CN-T", "GB-B")
    finding = _only(reconciled["CN-T", "GB-B", "CN-T"], Cause.RATE)
    assert direction.rate_effect_micros > 0
    assert abs(finding.difference_micros) == pytest.approx(direction.rate_effect_micros, rel=0.01)
    assert finding.severity is Severity.DISPUTE
    assert finding.destination == "United Kingdom Mobile"
    assert "2026-10-15" in finding.explanation


def test_the_biased_trunk_is_one_finding_that_names_trunk_and_seconds(books: Books, reconciled: Reconciled) -> None:
    plant = _plant(books.simulation.truth.of("GB-B", "CN-T"), Planted.DURATION_BIAS)
    finding = _only(reconciled["GB-B", "CN-T", "GB-B"], Cause.DURATION_BIAS)
    assert finding.route in (plant.debtor_route, plant.creditor_route)
    assert finding.count >= plant.count
    assert f"{BIAS_S} s" in finding.explanation


@pytest.mark.parametrize("kind", CLOCK_FAULTS)
def test_a_wrong_clock_is_a_finding_on_its_trunk_that_costs_nothing_and_breaks_no_pair(
    kind: Planted, books: Books, reconciled: Reconciled
) -> None:
    plant = next(p for p in books.simulation.truth.plants() if p.planted is kind)
    for side in (plant.debtor, plant.creditor):
        result = reconciled[plant.debtor, plant.creditor, side]
        finding = _only(result, *plant.causes(side))
        assert finding.route in (plant.debtor_route, plant.creditor_route)
        assert finding.difference_micros == 0
        assert finding.severity is Severity.NOTICE
        assert ("47 s" if kind is Planted.CLOCK_OFFSET else "1 h") in finding.explanation
        assert result.pairs > 0.95 * books.rated(books.simulation.truth.of(*_ends(plant)), side).rated.num_rows


def test_a_clock_is_suspected_on_no_other_trunk(books: Books, reconciled: Reconciled) -> None:
    wrong = {(p.debtor, p.creditor) for p in books.simulation.truth.plants() if p.planted in CLOCK_FAULTS}
    for direction, _, result in _all(books, reconciled):
        suspected = [f for f in result.findings if f.cause in (Cause.CLOCK_OFFSET, Cause.TIME_ZONE)]
        assert len(suspected) == (1 if (direction.debtor, direction.creditor) in wrong else 0)


def test_invented_calls_are_forgery_and_only_they_are(books: Books, reconciled: Reconciled) -> None:
    for direction, side, result in _all(books, reconciled):
        forged = sum(f.count for f in result.findings if f.severity is Severity.FORGERY)
        invented = [p.count for p in direction.plants if p.planted is Planted.INVENTED]
        assert forged == sum(invented), (direction.debtor, direction.creditor, side)


def test_findings_explain_the_whole_difference_of_the_true_totals(books: Books, reconciled: Reconciled) -> None:
    for direction, side, result in _all(books, reconciled):
        sign = 1 if side == direction.creditor else -1
        whole = direction.creditor_total.amount_micros - direction.debtor_total.amount_micros
        assert sum(f.difference_micros for f in result.findings) == sign * whole


def test_both_sides_see_the_same_causes_mirrored(books: Books, reconciled: Reconciled) -> None:
    for direction in books.simulation.truth.directions:
        one, two = (reconciled[direction.debtor, direction.creditor, s] for s in (direction.debtor, direction.creditor))
        assert Counter((f.count, f.difference_micros) for f in one.findings) == Counter(
            (f.count, -f.difference_micros) for f in two.findings
        )


def _only(result: Reconciliation, *causes: Cause) -> Finding:
    (finding,) = (f for f in result.findings if f.cause in causes)
    return finding


def _plant(direction: DirectionTruth, kind: Planted) -> Plant:
    return next(p for p in direction.plants if p.planted is kind)


def _ends(plant: Plant) -> tuple[CarrierCode, CarrierCode]:
    return plant.debtor, plant.creditor


def _planted_legs(books: Books, direction: DirectionTruth) -> dict[int, Planted]:
    """Legs that some record of the month bears a fault of; wrong clocks move no money and are judged by route."""
    legs = books.legs_of(direction)
    seen = pc.greater(pc.add(legs["debtor_count"], legs["creditor_count"]), 0)
    legs = legs.filter(seen).select(["leg", "planted"])
    kinds = {leg: Planted(kind) for leg, kind in zip(*(column.to_pylist() for column in legs.columns), strict=True)}
    return {leg: kind for leg, kind in kinds.items() if kind is not Planted.NOTHING and kind not in CLOCK_FAULTS}


def _causes_by_leg(
    books: Books, direction: DirectionTruth, side: CarrierCode, result: Reconciliation
) -> dict[int, set[Cause]]:
    """The causes the engine gives to each leg, by the lines of the raw files its exceptions name."""
    legs = books.legs_of(direction)
    own, other = ("debtor", "creditor") if side == direction.debtor else ("creditor", "debtor")
    by_line = {"ours": _lines(legs, own), "theirs": _lines(legs, other)}
    found: dict[int, set[Cause]] = {}
    columns = (result.exceptions[name].to_pylist() for name in ("ours_line", "theirs_line", "cause"))
    for ours, theirs, cause in zip(*columns, strict=True):
        leg = by_line["ours"][ours] if ours is not None else by_line["theirs"][theirs]
        if ours is not None and theirs is not None:
            assert by_line["theirs"][theirs] == leg, "two different calls were paired"
        found.setdefault(leg, set()).add(Cause(cause))
    return found


def _lines(legs: pa.Table, side: str) -> dict[int, int]:
    names = [f"{side}_line", *(["second_line"] if side == "creditor" else [])]
    return {
        line: leg
        for name in names
        for line, leg in zip(legs[name].to_pylist(), legs["leg"].to_pylist(), strict=True)
        if line
    }
