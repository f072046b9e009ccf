"""Is a call whose caller was lost paired where the durations of all its route differ?"""

from dataclasses import replace

import pytest

from reconciliation import reconcile as module
from reconciliation.finding import Cause
from reconciliation.matching.match import Rule
from reconciliation.reconcile import Reconciliation, reconcile
from reconciliation.streaming.stream import Way
from tests.reconciliation.records import CN, Call, agreement, many, scope, table

LONGER_S = 9
OURS = [call.but(route=f"T{k % 2}") for k, call in enumerate(many(400))]
BIASED = [call.but(lasts=call.lasts + LONGER_S) if call.route == "T1" else call for call in OURS]
THEIRS = [call.but(a="") if k % 15 < 2 else call for k, call in enumerate(BIASED)]
"""Every second call is longer; of both kinds some have no caller."""
LOST = sum(call.a == "" and call.route == "T1" for call in THEIRS)


def compared(ours: list[Call], theirs: list[Call], way: Way | None = None) -> Reconciliation:
    """We are GB-B and claim; CN-T owes."""
    sides = table(ours), table(theirs)
    return reconcile(*sides, scope=scope(), agreement=agreement(), **({"way": way} if way else {}))  # type: ignore[arg-type]


def found(answer: Reconciliation) -> list[tuple[Cause, int]]:
    return sorted((each.cause, each.count) for each in answer.findings)


def test_calls_without_caller_on_a_route_that_counts_longer_are_part_of_its_bias() -> None:
    answer = compared(OURS, THEIRS)
    assert LOST > 20
    assert found(answer) == [(Cause.DURATION_BIAS, 200)]
    rules = answer.exceptions["rule"].to_pylist()
    assert rules.count(Rule.BIASED_ROUTE.words) == LOST


def test_without_that_they_are_missing_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault of the test before."""
    monkeypatch.setattr(module, "with_lost_callers", lambda books: books)
    missing = (Cause.MISSING_AT_THEIRS, LOST), (Cause.MISSING_AT_OURS, LOST)
    assert set(found(compared(OURS, THEIRS))) == {(Cause.DURATION_BIAS, 200 - LOST), *missing}


def test_the_other_side_sees_the_same() -> None:
    other = reconcile(table(THEIRS), table(OURS), scope=scope(us=CN), agreement=agreement())
    assert found(other) == [(Cause.DURATION_BIAS, 200)]


@pytest.mark.parametrize("way", [Way(bucket_rows=1), Way(bucket_rows=50, memory_bytes=0), Way(sifted=False)])
def test_however_the_work_is_cut_the_answer_is_the_same(way: Way) -> None:
    one, other = compared(OURS, THEIRS), compared(OURS, THEIRS, way)
    assert replace(one, exceptions=None) == replace(other, exceptions=None)  # type: ignore[arg-type]
    assert one.exceptions.equals(other.exceptions)


@pytest.mark.parametrize(
    "changed",
    [{"lasts": 400.0}, {"b": "447700911111"}, {"at": 1_000.0}, {"route": "T0"}],
    ids=["another length", "another called number", "another time", "a route without bias"],
)
def test_what_does_not_fit_the_bias_stays_missing(changed: dict[str, object]) -> None:
    at = next(k for k, call in enumerate(THEIRS) if call.a == "" and call.route == "T1")
    theirs = [call.but(**changed) if k == at else call for k, call in enumerate(THEIRS)]
    assert set(found(compared(OURS, theirs))) == {
        (Cause.DURATION_BIAS, 199),
        (Cause.MISSING_AT_THEIRS, 1),
        (Cause.MISSING_AT_OURS, 1),
    }


def test_of_two_calls_to_one_number_the_nearer_is_taken() -> None:
    at = next(k for k, call in enumerate(THEIRS) if call.a == "" and call.route == "T1")
    again = OURS[at].but(at=OURS[at].at + 2, a="8613955555555")
    answer = compared([*OURS, again], THEIRS)
    assert set(found(answer)) == {(Cause.DURATION_BIAS, 200), (Cause.MISSING_AT_THEIRS, 1)}
    lonely = [each for each in answer.exceptions.to_pylist() if each["cause"] == Cause.MISSING_AT_THEIRS]
    assert [each["ours_row"] for each in lonely] == [len(OURS)]
