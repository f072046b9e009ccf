"""Does a search of a seeded month find what was planted, nothing else, and the same in any order?"""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from reconciliation.fraud.flow import Flow
from reconciliation.fraud.search import find_frauds
from reconciliation.matching.side import Names
from reconciliation.suspicion import Suspicion
from scripts.traffic.frauds.legs import LABELS, Label
from scripts.traffic.frauds.month import FRAUDS, KNOWN, UNDETERMINABLE, US, FraudMonth, Score, draw_month, score
from scripts.traffic.simulation import OCTOBER

SEED, CALLS_PER_PAIR = 20261031, 20_000


@cache
def month() -> tuple[FraudMonth, tuple[Suspicion, ...]]:
    print(f"seed {SEED}")
    drawn = draw_month(SEED, CALLS_PER_PAIR, OCTOBER)
    return drawn, find_frauds(US, drawn.flows, KNOWN)


def of(kind: Label) -> Score:
    return next(each for each in score(*month()) if each.kind is kind)


@pytest.mark.parametrize("kind", FRAUDS)
def test_what_is_planted_is_found_and_no_other_record_accused(kind: Label) -> None:
    found = of(kind)
    assert found.planted > 100
    assert found.found >= 0.95 * found.planted
    assert (found.alarms > 0, found.false_alarms) == (True, 0)


@pytest.mark.parametrize("kind", UNDETERMINABLE)
def test_what_is_said_to_be_undeterminable_is_there_and_not_found(kind: Label) -> None:
    """Should one of these be found one day, docs/detectors.md has to say so."""
    assert (of(kind).planted > 0, of(kind).found) == (True, 0)


def test_honest_traffic_that_looks_like_fraud_is_there_and_left_alone() -> None:
    honest = draw_month(SEED + 1, CALLS_PER_PAIR, OCTOBER, frauds=False)
    assert sum(int((labels == LABELS.index(Label.DECOY)).sum()) for labels in honest.labels) > 50_000
    assert find_frauds(US, honest.flows, KNOWN) == ()


def test_the_order_of_flows_and_of_rows_changes_nothing() -> None:
    drawn, found = month()
    rng = np.random.default_rng(SEED)
    orders = [rng.permutation(len(flow)) for flow in drawn.flows]
    mixed = [_permuted(flow, order) for flow, order in zip(drawn.flows, orders, strict=True)]
    again = find_frauds(US, mixed[::-1], KNOWN)
    assert [_told(each) for each in again] == [_told(each) for each in found]
    place = {_way(flow): order for flow, order in zip(drawn.flows, orders, strict=True)}
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(np.sort(place[_way(other)][other.rows]), one.rows)


def test_a_search_of_nothing_finds_nothing() -> None:
    assert find_frauds(US, []) == ()
    empty = [_permuted(flow, np.empty(0, np.int64)) for flow in month()[0].flows]
    assert find_frauds(US, empty, KNOWN) == ()


def _told(each: Suspicion) -> tuple[object, ...]:
    return each.kind, each.subject, each.count, each.money_at_risk_micros, each.explanation


def _way(each: Flow | Suspicion) -> tuple[object, ...]:
    return each.creditor, each.debtor, each.service


def _permuted(flow: Flow, order: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Flow:
    columns: dict[str, object] = {}
    for each in fields(Flow):
        value = getattr(flow, each.name)
        if isinstance(value, np.ndarray):
            columns[each.name] = value[order]
        elif isinstance(value, Names):
            columns[each.name] = Names(value.codes[order], value.texts)
    return replace(flow, names=flow.names.take(order), **columns)  # type: ignore[arg-type]
