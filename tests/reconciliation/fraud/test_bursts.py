"""Is a burst to a dear range found, and is honest traffic that looks like one left alone?"""

import pytest

from ledger.detector_terms import DetectorTerms
from reconciliation.fraud.bursts import irsf, premium_ranges
from reconciliation.fraud.flow import Known
from reconciliation.suspicion import SuspicionKind
from tests.reconciliation.fraud.flows import DAY_S, HOUR_S, dear, outgoing, usual
from tests.reconciliation.records import Call

NOTHING = Known()


def burst(count: int = 30, callers: int = 2, lasts: float = 300, spread_s: int = 600) -> list[Call]:
    """A hacked switchboard's calls to 4490012000 and on, five times the usual price."""
    return [
        dear(Call(at=k * spread_s, lasts=lasts, a=f"8610777700{k % callers:02d}", b=f"44900120{k * 97 % 10_000:04d}"))
        for k in range(count)
    ]


def test_a_burst_of_few_callers_to_one_dear_range_is_irsf() -> None:
    flow = outgoing([*usual(), *burst()])
    (found,) = irsf(flow, NOTHING)
    assert (found.kind, found.subject, found.count) == (SuspicionKind.IRSF, "44900120*", 30)
    assert found.rows.tolist() == list(range(200, 230))
    assert found.money_at_risk_micros == 30 * 500_000
    assert found.explanation == "30 calls and 150 minutes of 2 calling numbers to 44900120* on 1 days"


@pytest.mark.parametrize(
    "calls",
    [
        burst(19),
        burst(lasts=100),
        burst(callers=15),
        [call.but(amount=None) for call in burst()],
        burst(40, spread_s=8 * HOUR_S),
    ],
    ids=["too few", "too short", "many callers, as in a televote", "not dear", "all month, as to a branch"],
)
def test_what_is_no_burst_stays_silent(calls: list[Call]) -> None:
    assert list(irsf(outgoing([*usual(), *calls]), NOTHING)) == []


def test_a_burst_to_a_known_premium_range_needs_no_high_price_and_is_surer() -> None:
    cheap = [call.but(amount=None) for call in burst()]
    (found,) = irsf(outgoing([*usual(), *cheap]), Known(premium=("44900",)))
    assert found.confidence == 95


def test_the_thresholds_are_the_agreements() -> None:
    flow = outgoing([*usual(), *burst()], DetectorTerms(irsf_calls=31))
    assert list(irsf(flow, NOTHING)) == []


def premium(count: int, lasts: float, step_s: int = HOUR_S) -> list[Call]:
    return [Call(at=k * step_s, lasts=lasts, a="8613977777777", b=f"449{k * 104729:09d}") for k in range(count)]


def test_a_caller_on_premium_lines_for_hours_a_day_is_told() -> None:
    flow = outgoing([*usual(), *premium(6, 1_300)])
    (found,) = premium_ranges(flow, Known(premium=("449",)), told=flow.called < 0)
    assert (found.kind, found.subject, found.count) == (SuspicionKind.PREMIUM_RANGE, "8613977777777", 6)


@pytest.mark.parametrize(
    "calls",
    [premium(2, 4_000), premium(6, 1_100), premium(12, 1_300, DAY_S // 2)],
    ids=["two long talks", "less than two hours", "two a day"],
)
def test_other_use_of_premium_lines_is_not(calls: list[Call]) -> None:
    flow = outgoing([*usual(), *calls])
    assert list(premium_ranges(flow, Known(premium=("449",)), told=flow.called < 0)) == []


def test_what_is_told_as_a_burst_is_not_told_again() -> None:
    flow = outgoing(premium(6, 1_300))
    assert list(premium_ranges(flow, Known(premium=("449",)), told=flow.called > 0)) == []
