import numpy as np
import pytest

from reconciliation.finding import Cause, Severity
from reconciliation.forgery.chance import surprise
from reconciliation.reconcile import Reconciliation, reconcile
from tests.reconciliation.records import CN, Call, agreement, many, scope, table

HOUR_S = 3_600


def reconciled(
    ours: list[Call], theirs: list[Call], capacity: dict[str, int] | None = None, unallocated: tuple[str, ...] = ()
) -> Reconciliation:
    """We are GB-B and claim; CN-T owes."""
    return reconcile(
        table(ours), table(theirs), scope=scope(), agreement=agreement(), capacity=capacity, unallocated=unallocated
    )


def forged(answer: Reconciliation) -> list[tuple[str, int]]:
    """(rule, records) of each forgery finding."""
    return [(f.rule, f.count) for f in answer.findings if f.cause is Cause.INVENTED]


def test_calls_lost_at_random_stay_missing() -> None:
    calls = many(2_000)
    chance = np.random.default_rng(5)
    theirs = [call for call in calls if chance.random() > 0.02]
    answer = reconciled(calls, theirs)
    assert forged(answer) == []
    assert [(f.cause, f.count) for f in answer.findings] == [(Cause.MISSING_AT_THEIRS, len(calls) - len(theirs))]


def test_a_lost_day_of_a_route_is_no_forgery_though_its_callers_cluster() -> None:
    calls = [call.but(a="8613900000001") if 0 <= call.at < 20 * HOUR_S else call for call in many(2_000)]
    theirs = [call for call in calls if not -12 * HOUR_S <= call.at < 12 * HOUR_S]
    assert forged(reconciled(calls, theirs)) == []


def test_the_debtors_own_extra_calls_are_no_forgery() -> None:
    """Who owes gains nothing by inventing calls."""
    extra = [Call(at=k * 60, a="8613955555555", b="447700999999", lasts=600) for k in range(50)]
    assert forged(reconciled(many(500), [*many(500), *extra])) == []


def test_calls_to_a_range_nobody_holds_are_invented() -> None:
    ghosts = [Call(at=k * 977, a=f"86138{k:08d}", b=f"44700{k:07d}", lasts=60 + k) for k in range(3)]
    answer = reconciled([*many(500), *ghosts], many(500), unallocated=("44700",))
    assert forged(answer) == [("called number in an unallocated range", 3)]


def test_a_trunk_cannot_carry_more_calls_than_its_circuits() -> None:
    """Two real calls fill the trunk; the third at the same time is only in the creditor's books."""
    real = [Call(at=k * HOUR_S + j, lasts=900, a=f"8613{k:04d}{j:05d}") for k in range(100) for j in range(2)]
    ghost = Call(at=10 * HOUR_S + 60, lasts=60, a="8613999999999")
    assert forged(reconciled([*real, ghost], real, {"T1": 2})) == [("more calls at once than the 2 circuits of T1", 1)]
    assert forged(reconciled([*real, ghost], real, {"T1": 3})) == []


def test_a_subscriber_cannot_be_in_three_calls_at_once() -> None:
    ghosts = [Call(at=10 + k, lasts=600, a="8613955555555", b=f"4477{k:08d}") for k in range(3)]
    assert forged(reconciled([*many(500), *ghosts], many(500))) == [
        ("3 or more overlapping calls of one calling number", 3)
    ]


def test_a_switchboard_that_overlaps_in_matched_traffic_too_is_no_mark() -> None:
    board = [Call(at=10 + k, lasts=600, a="8613955555555", b=f"4477{k:08d}") for k in range(20)]
    assert forged(reconciled([*many(500), *board], [*many(500), *board[:16]])) == []


@pytest.mark.parametrize(
    ("ghost", "what"),
    [
        (lambda k: Call(at=k * 3_700, a=f"86137{k * 7919:08d}", b="44770055555" + str(k % 10)), "called range"),
        (lambda k: Call(at=k * 3_700, a="8613755555555", b=f"4477{k * 104729:08d}"), "calling number"),
    ],
)
def test_many_calls_of_one_number_that_all_lack_partners_are_invented(ghost: "object", what: str) -> None:
    assert callable(ghost)
    ghosts = [ghost(k).but(lasts=61 + k) for k in range(8)]
    rule = f"5 or more of one {what} without partner, odds under 1e-9"
    assert forged(reconciled([*many(1_000), *ghosts], many(1_000))) == [(rule, 8)]


def test_a_busy_number_that_loses_its_share_is_no_mark() -> None:
    hotline = [Call(at=k * 900, b="448001111111", a=f"86136{k:08d}", lasts=40 + k % 90) for k in range(800)]
    lost = {k * 97 % 800 for k in range(12)}
    theirs = [call for k, call in enumerate(hotline) if k not in lost]
    assert forged(reconciled([*many(200), *hotline], [*many(200), *theirs])) == []


def test_calls_of_exactly_one_length_are_invented_where_people_talk_as_they_like() -> None:
    chance = np.random.default_rng(7)
    calls = [call.but(lasts=int(chance.integers(10_000, 600_000)) / 1000) for call in many(1_000)]
    ghosts = [
        Call(at=k * 4_100, lasts=120, a=f"86135{k * 6_700_417:08d}"[:13], b=f"4478{k * 7_654_321:08d}"[:12])
        for k in range(1, 13)
    ]
    rule = "5 or more of exactly one duration, odds under 1e-9"
    assert forged(reconciled([*calls, *ghosts], calls)) == [(rule, 12)]


def test_a_length_that_is_common_in_matched_traffic_is_no_mark() -> None:
    """A voice mail box hangs up after 30 s."""
    calls = many(1_000, lasts=30.0)
    assert forged(reconciled(calls, calls[12:])) == []


def test_forgery_is_disputed_in_full_and_says_so() -> None:
    ghosts = [Call(at=10 + k, lasts=600, a="8613955555555", b=f"4477{k:08d}") for k in range(3)]
    answer = reconciled([*many(500), *ghosts], many(500))
    (finding,) = answer.findings
    assert (finding.severity, finding.ours_micros, finding.theirs_micros) == (Severity.FORGERY, 600_000, 0)
    assert finding.explanation == (
        "3 calls that only GB-B holds bear marks of forgery, USD 0.60: 1 calling numbers in several calls at once"
    )


def test_the_debtor_sees_the_same_forgery() -> None:
    ghosts = [Call(at=10 + k, lasts=600, a="8613955555555", b=f"4477{k:08d}") for k in range(3)]
    answer = reconcile(table(many(500)), table([*many(500), *ghosts]), scope=scope(us=CN), agreement=agreement())
    (finding,) = answer.findings
    assert (finding.cause, finding.ours_micros, finding.theirs_micros) == (Cause.INVENTED, 0, 600_000)


def test_surprise_bounds_the_poisson_tail() -> None:
    """P(at least 5 | 0.5 expected) is 1.7e-4; the bound must not promise less."""
    assert surprise(5, 0.5) <= -np.log(1.7e-4)
    assert surprise(5, 5.0) == surprise(0, 1.0) == 0.0
    assert surprise(8, 0.05) > surprise(5, 0.05) > 0


@pytest.mark.parametrize("apart_s", [60_000, 60], ids=["one after another", "at once"])
def test_callers_that_are_not_told_are_no_number_that_forges(apart_s: int) -> None:
    """Calls without a caller that only the creditor holds: lost, not invented."""
    extra = [
        Call(at=k * apart_s - 800_000, lasts=600 + k * 7.3, a="", b=f"4477{k * 7919:08d}", route="T3")
        for k in range(40)
    ]
    told = [call.but(a="8613955555555") for call in extra]
    real = many(900)
    assert forged(reconciled([*real, *extra], real)) == []
    assert [count for _, count in forged(reconciled([*real, *told], real))] == [40]
