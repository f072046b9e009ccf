"""Is a call that one side wrote in parts one call, and nothing else taken for a part?"""

import pytest

from reconciliation.finding import Cause, Severity
from tests.reconciliation.records import Call, many
from tests.reconciliation.test_reconcile import seen_by_creditor, seen_by_debtor, told

HOUR_S = 3_600
WHOLE = Call(lasts=5 * HOUR_S)


def parts(*lasts: float, gap: float = 0.0) -> list[Call]:
    """WHOLE cut into records of so many seconds."""
    starts = [sum(lasts[:at]) + gap * at for at in range(len(lasts))]
    return [WHOLE.but(at=start, lasts=length) for start, length in zip(starts, lasts, strict=True)]


@pytest.mark.parametrize(
    "cut",
    [
        parts(2 * HOUR_S, 2 * HOUR_S, 2 * HOUR_S),  # an hour too long
        parts(2 * HOUR_S, 2 * HOUR_S),  # an hour too short
        parts(2 * HOUR_S, 3 * HOUR_S, gap=600),  # ten minutes later
        [parts(2 * HOUR_S, 3 * HOUR_S)[0], parts(2 * HOUR_S, 3 * HOUR_S)[1].but(b="447700900002")],  # to another number
    ],
)
def test_records_that_are_no_parts_stay_a_duration_and_missing_calls(cut: list[Call]) -> None:
    causes = {cause for cause, _, _ in told(seen_by_creditor([WHOLE], cut))}
    assert Cause.SPLIT_CALL not in causes
    assert Cause.DURATION in causes


def test_a_call_we_wrote_whole_and_they_in_three_parts_is_one_split_call() -> None:
    answer = seen_by_creditor([WHOLE, *many(30)], [*parts(2 * HOUR_S, 2 * HOUR_S, HOUR_S), *many(30)])
    assert sorted((cause, count) for cause, count, _ in told(answer)) == [(Cause.SPLIT_CALL, 1), (Cause.SPLIT_CALL, 2)]
    assert sum(difference for _, _, difference in told(answer)) == 0
    assert {finding.severity for finding in answer.findings} == {Severity.NOTICE}


def test_parts_on_the_creditors_side_are_found_as_well_and_seen_alike_from_both() -> None:
    cut = parts(HOUR_S, 4 * HOUR_S)
    seen, mirror = seen_by_creditor(cut, [WHOLE]), seen_by_debtor([WHOLE], cut)
    assert [(cause, count) for cause, count, _ in told(seen)] == [(Cause.SPLIT_CALL, 1), (Cause.SPLIT_CALL, 1)]
    assert [(c, n, -d) for c, n, d in told(seen)] == told(mirror)


def test_parts_may_be_a_second_apart() -> None:
    answer = seen_by_creditor([WHOLE], parts(2 * HOUR_S, 3 * HOUR_S - 1, gap=1))
    assert {cause for cause, _, _ in told(answer)} == {Cause.SPLIT_CALL}


def test_calls_cut_alike_on_both_sides_pair_part_by_part() -> None:
    cut = parts(2 * HOUR_S, 3 * HOUR_S)
    assert told(seen_by_creditor(cut, cut)) == []


def test_a_part_belongs_to_one_call_only() -> None:
    one, other = WHOLE, WHOLE.but(a="8613900000009")
    theirs = [*parts(2 * HOUR_S, 3 * HOUR_S), parts(2 * HOUR_S, 3 * HOUR_S)[0].but(a=other.a)]
    causes = told(seen_by_creditor([one, other], theirs))
    assert [(cause, count) for cause, count, _ in causes if cause == Cause.SPLIT_CALL] == [
        (Cause.SPLIT_CALL, 1),
        (Cause.SPLIT_CALL, 1),
    ]
    assert (Cause.DURATION, 1) in [(cause, count) for cause, count, _ in causes]
