"""Is a late record told apart from the period's own, matched with what the other side had counted, and summed up?"""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.period import Period
from reconciliation.explaining.late import LateRecords, with_late
from reconciliation.finding import Cause, Finding, Severity
from reconciliation.reconcile import Reconciliation, reconcile
from reconciliation.settling.disputes import dispute_proposals
from tests.reconciliation.records import CN, GB, Call, agreement, scope, table

SEPTEMBER = Period(2026, 9)
OWN = [Call(at=600 * at, b=f"44770090{at:04d}") for at in range(5)]


def compared(
    ours: list[Call],
    theirs: list[Call],
    ours_alone: list[Call] = [],  # noqa: B006 - never changed
    theirs_alone: list[Call] = [],  # noqa: B006
    *,
    us: str = CN,
) -> Reconciliation:
    """CN-T owes GB-B: both hold OWN; `ours` and `theirs` came late, the others had no counterpart in September."""
    own = table(OWN)
    late = LateRecords(table(ours), table(theirs), table(ours_alone), table(theirs_alone), (SEPTEMBER,))
    scope_ = scope(us=CN if us == CN else GB)
    return with_late(reconcile(own, own, scope=scope_, agreement=agreement()), late, agreement())


def late(number: int, amount: int = 50_000) -> Call:
    return Call(at=-86_400 * 20 + 900 * number, b=f"44771234{number:04d}", amount=amount)


def told(answer: Reconciliation) -> list[tuple[Severity, int, int, int]]:
    assert {finding.cause for finding in answer.findings} <= {Cause.LATE_RECORD}
    return [(each.severity, each.count, each.ours_micros, each.theirs_micros) for each in answer.findings]


def test_late_records_that_we_do_not_have_are_a_finding_of_their_own_and_can_be_disputed() -> None:
    answer = compared([], [late(1), late(2)])
    (proposal,) = dispute_proposals(answer, agreement())

    assert told(answer) == [(Severity.DISPUTE, 2, 0, 100_000)]
    assert (proposal.cause, proposal.amount_micros, proposal.count) == (Cause.LATE_RECORD, 100_000, 2)
    assert proposal.rows["theirs_row"].to_pylist() == [5, 6], "rows after those of the period itself"
    assert "2 calls of 2026-09 came late from GB-B, we have none" in answer.findings[0].explanation


def test_late_records_that_we_counted_in_their_own_month_cost_nothing() -> None:
    answer = compared([], [late(1), late(2)], [late(2), late(1)])
    assert told(answer) == [(Severity.NOTICE, 2, 0, 100_000)]
    assert dispute_proposals(answer, agreement()) == ()


def test_only_what_they_ask_beyond_what_we_had_counted_is_disputed() -> None:
    answer = compared([], [late(1, 80_000)], [late(1, 50_000)])
    (proposal,) = dispute_proposals(answer, agreement())

    assert told(answer) == [(Severity.NOTICE, 1, 0, 50_000), (Severity.DISPUTE, 1, 0, 30_000)]
    assert proposal.amount_micros == 30_000


def test_what_came_late_at_both_sides_is_matched_among_itself() -> None:
    answer = compared([late(1)], [late(1), late(2, 60_000)])
    assert told(answer) == [(Severity.NOTICE, 1, 50_000, 50_000), (Severity.DISPUTE, 1, 0, 60_000)]


def test_a_record_is_counterpart_once_so_that_declaring_it_late_twice_is_disputed() -> None:
    """The planted fault: one late record more than we had counted."""
    answer = compared([], [late(1), late(1)], [late(1)])
    assert told(answer) == [(Severity.NOTICE, 1, 0, 50_000), (Severity.DISPUTE, 1, 0, 50_000)]


def test_a_free_record_that_came_late_is_told_too() -> None:
    assert told(compared([], [late(1, 0)], [late(1, 0)])) == [(Severity.NOTICE, 1, 0, 0)]


def test_without_late_records_the_answer_is_the_engine_s() -> None:
    own = table(OWN)
    plain = reconcile(own, own, scope=scope(), agreement=agreement())
    nothing = LateRecords(*(table([]) for _ in range(4)), ())
    assert with_late(plain, nothing, agreement()) is plain


numbers = st.lists(st.integers(1, 12), max_size=8)


@settings(max_examples=60, deadline=None)
@given(numbers, numbers, numbers, numbers, st.data())
def test_the_findings_sum_to_the_whole_difference_and_mirror_when_the_sides_are_swapped(
    ours: list[int], theirs: list[int], ours_alone: list[int], theirs_alone: list[int], data: st.DataObject
) -> None:
    books = [
        [late(number, data.draw(st.integers(0, 3)) * 10_000) for number in each]
        for each in (ours, theirs, ours_alone, theirs_alone)
    ]
    answer = compared(*books)
    swapped = compared(books[1], books[0], books[3], books[2], us=GB)

    whole = sum(call.amount or 0 for call in books[0]) - sum(call.amount or 0 for call in books[1])
    assert sum(each.difference_micros for each in answer.findings) == whole
    assert answer.totals.ours_micros - answer.totals.theirs_micros == whole
    assert sorted(map(_figures, answer.findings)) == sorted(_mirrored(each) for each in swapped.findings)
    assert _rows(answer.exceptions) == len([*ours, *theirs]), "each late record stands in some finding"


def _figures(finding: Finding) -> tuple[str, int, int, int]:
    return finding.severity, finding.count, finding.ours_micros, finding.theirs_micros


def _mirrored(finding: Finding) -> tuple[str, int, int, int]:
    return finding.severity, finding.count, finding.theirs_micros, finding.ours_micros


def _rows(exceptions: pa.Table) -> int:
    """Late records that some row names."""
    return sum(len(exceptions[side].drop_null().unique()) for side in ("ours_row", "theirs_row"))


@pytest.mark.parametrize("us", [CN, GB])
def test_the_explanation_names_the_month_and_both_amounts(us: str) -> None:
    answer = compared([late(1)], [], us=us)
    assert "of 2026-09 came late from us" in answer.findings[0].explanation
    assert "USD 0.05 ours, 0.00" in answer.findings[0].explanation
