"""Is a call over midnight one call, and one over the month's end nobody's loss?"""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from ledger.agreement import Agreement
from reconciliation.finding import Cause, Severity
from reconciliation.reconcile import Reconciliation, reconcile
from reconciliation.settling.disputes import dispute_proposals
from tests.reconciliation.records import CN, MONTH_END_MS, MONTH_START_MS, NOON_MS, Call, agreement, many, scope, table

END_S, START_S = (MONTH_END_MS - NOON_MS) / 1000, (MONTH_START_MS - NOON_MS) / 1000
MIDNIGHT_S = 12 * 3_600
HONEST = many(40)


def compared(ours: list[Call], theirs: list[Call], terms: Agreement | None = None) -> Reconciliation:
    """Beside calls that both hold; we are GB-B, the creditor."""
    sides = table([*HONEST, *ours]), table([*HONEST, *theirs])
    return reconcile(*sides, scope=scope(), agreement=terms or agreement())


def causes(answer: Reconciliation) -> list[tuple[Cause, int]]:
    return [(each.cause, each.count) for each in answer.findings]


def test_a_call_that_one_side_begins_before_midnight_and_the_other_after_is_one_call() -> None:
    before, after = Call(at=MIDNIGHT_S - 1), Call(at=MIDNIGHT_S + 1)
    answer = compared([before], [after])
    assert (answer.findings, answer.pairs, answer.exact) == ((), 41, 41)
    apart = [key for key in answer.totals.keys if key.ours_count != key.theirs_count]
    assert len(apart) == 2, "two days' totals differ, and no money does"


def test_a_call_that_lasts_over_midnight_is_one_call_though_a_switch_cuts_it_there() -> None:
    whole = Call(at=MIDNIGHT_S - 600, lasts=1_200)
    parts = [whole.but(lasts=600), whole.but(at=MIDNIGHT_S, lasts=600)]
    assert causes(compared([whole], parts)) == [(Cause.SPLIT_CALL, 1), (Cause.SPLIT_CALL, 1)]
    assert compared([whole], parts).totals.difference_micros == 0


@pytest.mark.parametrize(("at", "lasts"), [(END_S - 600, 900), (END_S - 1, 30), (START_S + 1, 30), (START_S - 60, 90)])
def test_a_call_over_the_months_end_that_only_one_side_counts_here_is_a_crossing(at: float, lasts: float) -> None:
    over = Call(at=at, lasts=lasts)
    for ours, theirs in (([over], []), ([], [over])):
        answer = compared(ours, theirs)
        assert causes(answer) == [(Cause.PERIOD_CROSSING, 1)]
        assert answer.findings[0].severity is Severity.NOTICE
        seen = reconcile(*(table([*HONEST, *side]) for side in (theirs, ours)), scope=scope(CN), agreement=agreement())
        assert causes(seen) == [(Cause.PERIOD_CROSSING, 1)]
        assert dispute_proposals(seen, agreement()) == (), "the next month has it"


def test_a_call_over_the_months_end_that_both_count_here_is_a_pair() -> None:
    over = Call(at=END_S - 600, lasts=900)
    assert (compared([over], [over]).findings, compared([over], [over]).pairs) == ((), 41)


def test_a_call_that_ends_well_inside_the_month_is_no_crossing() -> None:
    """Else whoever invents calls of the last day would not be asked for them."""
    inside = Call(at=END_S - 600, lasts=500)
    assert causes(compared([inside], [])) == [(Cause.MISSING_AT_THEIRS, 1)]
    assert causes(compared([Call(at=START_S + 60)], [])) == [(Cause.MISSING_AT_THEIRS, 1)]


def test_the_month_ends_where_the_agreement_says() -> None:
    """31 October ends at 16:00 UTC in Shanghai: a call over that hour crosses there, and not by UTC."""
    shanghai = replace(agreement(), zone=ZoneInfo("Asia/Shanghai"))
    over = Call(at=END_S - 8 * 3_600 - 600, lasts=900)
    assert causes(compared([over], [], shanghai)) == [(Cause.PERIOD_CROSSING, 1)]
    assert causes(compared([over], [])) == [(Cause.MISSING_AT_THEIRS, 1)]
