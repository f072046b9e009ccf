"""Which routes say "answered" before anybody answers?"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from reconciliation.forgery.chance import surprise
from reconciliation.fraud.flow import Flow, Known, numbers_of
from reconciliation.fraud.grouping import grouped, pairs
from reconciliation.matching.side import Flags, Ints
from reconciliation.suspicion import Suspicion, SuspicionKind

REDIAL_MS = 120_000
"""Who heard it ring and hung up tries again within two minutes."""
TEST_RULE = "charged calls to numbers that are never answered"


def answered_tests(flow: Flow, known: Known) -> Iterator[Suspicion]:
    """Charged calls to numbers that nobody answers.

    Rule: any. Source: test numbers as i3forum recommends them (release 3.3, 4.1.2); a proof, not a statistic.
    """
    tests = numbers_of(pa.chunked_array([list(known.test_numbers)], pa.string()))
    rows = np.flatnonzero(np.isin(flow.called, tests) & (flow.quantity > 0))
    for code in np.unique(flow.route.codes[rows]).tolist():
        mine = rows[flow.route.codes[rows] == code]
        said = f"{len(mine):,} calls on {flow.route.texts[code]} to numbers that are never answered were charged"
        yield _suspicion(flow, mine, code, TEST_RULE, said, 99)


def false_answer(outgoing: Sequence[Flow]) -> Iterator[Suspicion]:
    """Routes and destinations whose calls end within seconds and are dialled again, far more often than elsewhere.

    Rule: `false_answer_calls` different called numbers with a call of at most `false_answer_ms` that its caller repeats
    within two minutes, at odds of 10^-`odds_power` against the other traffic's share (Chernoff's bound on a Poisson
    tail). Counted by called number, so that one busy hotline is one. Source: i3forum, release 3.3, 4.1.2, and US patent
    application 2011/0033032, which tests completed calls of short duration against their usual share. It finds the
    route, not each call: its records are all short calls of the route and destination.
    """
    flows = [flow for flow in outgoing if len(flow)]
    again = _dialled_again(flows)
    shares = [_by_called(flow, again[at]) for at, flow in enumerate(flows)]
    hits, tries = sum(int(h.sum()) for h, _, _ in shares), sum(int(t.sum()) for _, t, _ in shares)
    for flow, (hit, tried, place) in zip(flows, shares, strict=True):
        for group in np.flatnonzero(hit >= flow.terms.false_answer_calls).tolist():
            others = max(1, tries - int(tried[group]))
            expected = int(tried[group]) * (hits - int(hit[group]) + 1) / others
            if surprise(int(hit[group]), expected) > flow.terms.odds_power * math.log(10):
                yield _route(flow, place, group, int(hit[group]), expected)


def _short(flow: Flow) -> Flags:
    return (flow.quantity > 0) & (flow.quantity <= flow.terms.false_answer_ms)


def _dialled_again(flows: Sequence[Flow]) -> list[Flags]:
    """Which short calls their caller repeats, on whatever route."""
    key = np.concatenate([pairs(flow.calling, flow.called) for flow in flows]) if flows else np.empty(0, np.int64)
    start = np.concatenate([flow.start_ms for flow in flows]) if flows else key
    end = np.concatenate([flow.start_ms + flow.quantity for flow in flows]) if flows else key
    order = np.lexsort((start, key))
    soon = np.zeros(len(order), np.bool_)
    soon[:-1] = (key[order][1:] == key[order][:-1]) & (start[order][1:] - end[order][:-1] <= REDIAL_MS)
    again = np.zeros(len(order), np.bool_)
    again[order] = soon
    ends = np.cumsum([len(flow) for flow in flows]).tolist()
    return [again[end - len(flow) : end] & _short(flow) for flow, end in zip(flows, ends, strict=True)]


def _by_called(flow: Flow, again: Flags) -> tuple[Ints, Ints, Ints]:
    """For each route and destination: called numbers with such a call, called numbers, and the place of each row."""
    place = flow.route.codes * len(flow.destination.texts) + flow.destination.codes
    places = len(flow.route.texts) * len(flow.destination.texts)
    answered = np.flatnonzero(flow.quantity > 0)
    called = grouped(pairs(place[answered], flow.called[answered]))
    where = place[answered][called.order[called.starts]]
    hit = called.sums(again[answered].astype(np.int64)) > 0
    return np.bincount(where[hit], minlength=places), np.bincount(where, minlength=places), place


def _route(flow: Flow, place: Ints, group: int, hit: int, expected: float) -> Suspicion:
    terms = flow.terms
    rows = np.flatnonzero((place == group) & _short(flow))
    code = group // len(flow.destination.texts)
    destination = flow.destination.texts[group % len(flow.destination.texts)]
    rule = (
        f"{terms.false_answer_calls} called numbers or more with a call of at most {terms.false_answer_ms // 1000} s "
        f"that is dialled again within {REDIAL_MS // 60_000} minutes, odds under 1e-{terms.odds_power}"
    )
    said = (
        f"{len(rows):,} calls on {flow.route.texts[code]} to {destination} ended within "
        f"{terms.false_answer_ms // 1000} s; to {hit:,} numbers they were dialled again, where other routes let "
        f"expect {expected:,.0f}"
    )
    return _suspicion(flow, rows, code, rule, said, 75)


def _suspicion(flow: Flow, rows: Ints, route: int, rule: str, explanation: str, confidence: int) -> Suspicion:
    return flow.suspect(
        kind=SuspicionKind.FALSE_ANSWER,
        confidence=confidence,
        subject=flow.route.texts[route],
        rows=rows,
        rule=rule,
        explanation=explanation,
    )
