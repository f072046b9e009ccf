from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from ledger.agreement import Tolerance
from ledger.errors import Malformed, Refused
from ledger.money import Nanos
from ledger.prices.charging import charge
from ledger.prices.deck import Rate, deck_history, rate_deck
from reconciliation import reconcile as module
from reconciliation.finding import Cause, Finding, Severity
from reconciliation.reconcile import Reconciliation, reconcile
from tests.reconciliation.records import CN, GB, MONTH_END_MS, NOON_MS, OCTOBER, US, Call, agreement, many, scope, table

END_S = (MONTH_END_MS - NOON_MS) // 1000
DAY_S = 86_400


def seen_by_creditor(ours: list[Call], theirs: list[Call], tolerance: Tolerance | None = None) -> Reconciliation:
    """We are GB-B and claim; CN-T owes."""
    return reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(tolerance))


def seen_by_debtor(ours: list[Call], theirs: list[Call]) -> Reconciliation:
    """We are CN-T and owe; GB-B claims."""
    return reconcile(table(ours), table(theirs), scope=scope(us=CN), agreement=agreement())


def told(reconciliation: Reconciliation) -> list[tuple[Cause, int, int]]:
    """(cause, count, difference in micros) of each finding."""
    return [(f.cause, f.count, f.difference_micros) for f in reconciliation.findings]


def the(reconciliation: Reconciliation, cause: Cause) -> Finding:
    (finding,) = [f for f in reconciliation.findings if f.cause == cause]
    return finding


def test_a_table_without_amounts_is_refused_by_name() -> None:
    with pytest.raises(Malformed, match="not a rated table"):
        reconcile(table([]).drop_columns(["amount_micros"]), table([]), scope=scope(), agreement=agreement())


def test_empty_cells_are_refused() -> None:
    holed = table([Call()]).set_column(1, "a_party", pa.array([None], pa.string()))
    with pytest.raises(Malformed, match="empty cells"):
        reconcile(holed, table([]), scope=scope(), agreement=agreement())


def test_a_carrier_that_is_no_party_is_refused() -> None:
    with pytest.raises(Refused):
        reconcile(table([]), table([]), scope=scope(us=US), agreement=agreement())


def test_equal_sides_have_no_findings() -> None:
    calls = many(50)
    answer = seen_by_creditor(calls, calls)
    assert (answer.findings, answer.pairs, answer.exact) == ((), 50, 50)
    assert answer.waterfall.ours_micros == answer.waterfall.theirs_micros


def test_two_empty_sides_are_equal() -> None:
    assert seen_by_creditor([], []).findings == ()


def test_traffic_only_we_declared_is_a_dispute_for_the_debtor() -> None:
    calls = many(50)
    answer = seen_by_creditor(calls, calls[2:])
    lost = sum(call.lasts_ms // 3 for call in calls[:2])
    assert told(answer) == [(Cause.MISSING_AT_THEIRS, 2, lost)]
    assert answer.findings[0].severity is Severity.DISPUTE
    assert answer.findings[0].explanation == "CN-T is missing 2 of our calls, USD 0.03"


def test_traffic_only_they_declared_is_a_finding() -> None:
    calls = many(50)
    answer = seen_by_creditor(calls[2:], calls)
    assert the(answer, Cause.MISSING_AT_OURS).count == 2
    assert the(answer, Cause.MISSING_AT_OURS).severity is Severity.NOTICE
    assert the(answer, Cause.MISSING_AT_OURS).explanation == "We are missing 2 calls that CN-T has, USD 0.03"


def test_a_routes_lost_day_is_a_finding_of_its_own() -> None:
    calls = many(1_000)
    lost = [c for c in calls if 0 <= c.at + 43_200 < DAY_S]
    answer = seen_by_creditor(calls, [c for c in calls[5:] if c not in lost])
    found = [(f.count, f.route, f.day) for f in answer.findings]
    assert found == [(5, None, None), (len(lost), "T1", date(2026, 10, 11))]


def test_one_and_two_seconds_are_one_finding_within_tolerance() -> None:
    calls = many(60)
    theirs = [call.but(lasts=call.lasts + (0, 1, -2)[k % 3]) for k, call in enumerate(calls)]
    answer = seen_by_creditor(calls, theirs)
    assert [(f.cause, f.count) for f in answer.findings] == [(Cause.DURATION_WITHIN_TOLERANCE, 40)]
    assert answer.findings[0].severity is Severity.NOTICE


def test_scattered_longer_calls_are_disputed_one_by_one() -> None:
    calls = many(100)
    ours = [call.but(lasts=call.lasts + 60) if k % 10 == 0 else call for k, call in enumerate(calls)]
    finding = the(seen_by_creditor(ours, calls), Cause.DURATION)
    assert (finding.count, finding.severity, finding.difference_micros) == (10, Severity.DISPUTE, 200_000)
    assert "GB-B has the longer duration, 1 min in the middle" in finding.explanation


def test_shorter_and_longer_calls_are_two_findings_because_only_one_is_disputed() -> None:
    calls = many(100)
    ours = [call.but(lasts=call.lasts + (60, -25)[k % 2]) if k % 10 < 2 else call for k, call in enumerate(calls)]
    findings = [f for f in seen_by_creditor(ours, calls).findings if f.cause is Cause.DURATION]
    assert sorted((f.severity, f.count) for f in findings) == [(Severity.DISPUTE, 10), (Severity.NOTICE, 10)]


def test_a_route_that_counts_seven_seconds_too_many_is_one_finding() -> None:
    calls = [call.but(route=f"T{k % 2 + 1}") for k, call in enumerate(many(200))]
    ours = [call.but(lasts=call.lasts + 7) if call.route == "T2" else call for call in calls]
    finding = the(seen_by_creditor(ours, calls), Cause.DURATION_BIAS)
    assert (finding.route, finding.count, finding.severity) == ("T2", 100, Severity.DISPUTE)
    assert "GB-B counts 7 s longer than CN-T on each call of T2" in finding.explanation


def test_a_bias_by_a_share_of_the_quantity_is_one_finding_too() -> None:
    calls = many(200)
    ours = [call.but(lasts=round(call.lasts * 1.05)) for call in calls]
    assert the(seen_by_creditor(ours, calls), Cause.DURATION_BIAS).count == 200


def test_further_parts_of_split_calls_are_not_counted_as_calls_written_in_parts() -> None:
    calls = [call.but(lasts=240.0) for call in many(60)]
    parts = [call.but(at=call.at + 80 * part, lasts=80.0) for call in calls for part in range(3)]
    found = [f for f in seen_by_creditor(parts, calls).findings if f.cause is Cause.SPLIT_CALL]
    assert sorted((f.count, f.explanation.split(", USD")[0]) for f in found) == [
        (60, "60 calls were written in parts on one side"),
        (120, "120 calls are further parts of calls"),
    ]


def test_days_in_findings_are_of_the_accounting_zone() -> None:
    """The first hours of Shanghai's October are September in UTC."""
    zone = ZoneInfo("Asia/Shanghai")
    begin_ms, end_ms = OCTOBER.bounds_ms(zone)
    step = (end_ms - begin_ms) // 100
    calls = [call.but(at=(begin_ms - NOON_MS + 60_000 + k * step) / 1000) for k, call in enumerate(many(100))]
    agreed = replace(agreement(), zone=zone)
    ours = table([call.but(amount=call.lasts_ms) for call in calls])
    (found,) = reconcile(ours, table(calls), scope=scope(), agreement=agreed).findings
    assert (found.cause, found.day) == (Cause.RATE, date(2026, 10, 1))
    assert "2026-10-01 to 2026-10-31" in found.explanation


def test_a_bias_that_is_not_the_same_on_each_call_is_not_said_to_be() -> None:
    """Whole minutes instead of seconds: up to a minute longer, never shorter."""
    calls = [call.but(lasts=call.lasts + k % 7) for k, call in enumerate(many(200))]
    ours = [call.but(lasts=-(-call.lasts // 60) * 60) for call in calls]
    said = the(seen_by_creditor(ours, calls), Cause.DURATION_BIAS).explanation
    assert "GB-B counts calls of T1 longer than CN-T, by " in said and "in the middle" in said
    assert "on each call" not in said


def test_a_bias_of_some_days_covers_those_days_only() -> None:
    calls = many(1_000)
    ours = [call.but(lasts=call.lasts + 7) if 0 <= call.at + 43_200 < 3 * DAY_S else call for call in calls]
    finding = the(seen_by_creditor(ours, calls), Cause.DURATION_BIAS)
    assert "2026-10-11 to 2026-10-13" in finding.explanation


def test_an_altered_call_on_a_biased_route_stays_a_dispute_of_its_own() -> None:
    calls = many(200)
    ours = [call.but(lasts=call.lasts + (90 if k == 0 else 7)) for k, call in enumerate(calls)]
    answer = seen_by_creditor(ours, calls)
    assert the(answer, Cause.DURATION_BIAS).count == 199
    assert the(answer, Cause.DURATION).count == 1


def test_a_missed_rate_change_is_grouped_by_destination_and_dated() -> None:
    calls = many(200)
    ours = [call.but(amount=call.lasts_ms // 2) if call.at >= DAY_S else call for call in calls]
    finding = the(seen_by_creditor(ours, calls), Cause.RATE)
    assert (finding.destination, finding.day) == ("United Kingdom Mobile", date(2026, 10, 12))
    assert finding.count == sum(call.at >= DAY_S for call in calls)
    assert "GB-B charges USD 0.0300 a minute, CN-T reckons 0.0200" in finding.explanation


def test_the_missed_rate_is_named_from_the_published_decks() -> None:
    calls = many(100)
    new, old = (Rate("United Kingdom Mobile", "447", Nanos(nanos)) for nanos in (30_000_000, 20_000_000))
    decks = deck_history([(0, rate_deck("USD", [old])), (NOON_MS, rate_deck("USD", [new]))])
    ours, theirs = ([c.but(amount=charge(c.lasts_ms, rate).amount_micros) for c in calls] for rate in (new, old))
    answer = reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(), decks=decks)
    said = "CN-T's amounts on these codes follow from the prices of 1970-01-01, before and after it: 100 of 100"
    assert said in the(answer, Cause.RATE).explanation


def test_price_and_quantity_of_one_pair_are_told_apart_and_sum_to_its_difference() -> None:
    calls = [call.but(lasts=60, amount=20_000) for call in many(40)]
    ours = [call.but(amount=30_000) for call in calls]
    ours[0] = ours[0].but(lasts=62, amount=31_000)
    answer = seen_by_creditor(ours, calls)
    assert told(answer) == [
        (Cause.DURATION_WITHIN_TOLERANCE, 1, 20_667 - 20_000),
        (Cause.RATE, 40, 39 * 10_000 + 31_000 - 20_667),
    ]


def test_a_connect_fee_is_no_rate_difference_where_durations_differ() -> None:
    """Amounts are not in proportion to durations; the neighbours with equal durations show that prices agree."""
    calls = [call.but(amount=50_000 + call.lasts_ms // 3) for call in many(60)]
    ours = [
        c.but(lasts=c.lasts + 1, amount=50_000 + (c.lasts_ms + 1000) // 3) if k % 3 == 0 else c
        for k, c in enumerate(calls)
    ]
    assert {cause for cause, *_ in told(seen_by_creditor(ours, calls))} == {Cause.DURATION_WITHIN_TOLERANCE}


def test_another_dial_code_is_a_destination_finding() -> None:
    calls = many(30)
    ours = [
        c.but(code="4479", destination="UK Premium", amount=c.lasts_ms) if k < 4 else c for k, c in enumerate(calls)
    ]
    finding = the(seen_by_creditor(ours, calls), Cause.DESTINATION)
    assert (finding.count, finding.destination, finding.severity) == (4, "UK Premium", Severity.DISPUTE)
    assert "code 4479" in finding.explanation
    assert "code 447)" in finding.explanation


def test_amounts_rounded_to_the_cent_are_a_rounding_finding() -> None:
    calls = [call.but(amount=call.lasts_ms // 3 * 100) for call in many(60)]
    ours = [call.but(amount=-(-(call.amount or 0) // 10_000) * 10_000) for call in calls]
    finding = the(seen_by_creditor(ours, calls), Cause.ROUNDING)
    assert finding.severity is Severity.NOTICE


def test_whole_minutes_against_seconds_are_a_rounding_of_the_quantity() -> None:
    calls = [call.but(amount=call.lasts_ms // 3) for call in many(60, lasts=45)]
    ours = [call.but(charged=60, amount=20_000) for call in calls]
    assert {cause for cause, *_ in told(seen_by_creditor(ours, calls))} == {Cause.ROUNDING}


def test_an_unanswered_attempt_on_one_side_is_zero_duration() -> None:
    calls = many(30)
    theirs = [call.but(lasts=0, amount=0) if k == 3 else call for k, call in enumerate(calls)]
    finding = the(seen_by_creditor(calls, theirs), Cause.ZERO_DURATION)
    assert (finding.count, finding.difference_micros) == (1, calls[3].lasts_ms // 3)


def test_a_record_held_twice_is_a_duplicate() -> None:
    calls = many(30)
    finding = the(seen_by_creditor([*calls, calls[4]], calls), Cause.DUPLICATE_AT_OURS)
    assert (finding.count, finding.severity) == (1, Severity.DISPUTE)
    assert finding.explanation.startswith("1 call of ours repeats another, USD ")


def test_a_call_in_the_months_last_second_may_be_in_the_next_one() -> None:
    last = Call(at=END_S - 1, lasts=60)
    finding = the(seen_by_creditor([*many(30), last], many(30)), Cause.PERIOD_CROSSING)
    assert (finding.count, finding.severity) == (1, Severity.NOTICE)


def test_a_call_that_a_fast_clock_takes_across_the_bound_is_a_crossing() -> None:
    """Their clock is 47 s ahead: for them our last call but 20 s is of November."""
    calls = many(100)
    last = Call(at=END_S - 20, lasts=10)
    answer = seen_by_creditor([*calls, last], [call.but(at=call.at + 47) for call in calls])
    assert the(answer, Cause.PERIOD_CROSSING).count == 1
    assert the(answer, Cause.CLOCK_OFFSET).count == 100


def test_a_clock_offset_is_a_finding_that_costs_nothing() -> None:
    calls = many(100)
    answer = seen_by_creditor(calls, [call.but(at=call.at + 47) for call in calls])
    assert told(answer) == [(Cause.CLOCK_OFFSET, 100, 0)]
    assert "runs 47 s" in answer.findings[0].explanation
    assert answer.pairs == 100


def test_whole_hours_are_a_time_zone() -> None:
    calls = many(100)
    answer = seen_by_creditor(calls, [call.but(at=call.at + 8 * 3_600) for call in calls])
    assert told(answer) == [(Cause.TIME_ZONE, 100, 0)]


def test_exceptions_say_which_rows_which_lines_and_which_rule() -> None:
    calls = many(10)
    theirs = [calls[0].but(at=calls[0].at + 1, lasts=calls[0].lasts + 1), *calls[2:]]
    answer = seen_by_creditor(calls, theirs)
    missing, longer = answer.exceptions.to_pylist()
    assert (missing["ours_row"], missing["ours_line"], missing["theirs_row"], missing["offset_ms"]) == (
        1,
        3,
        None,
        None,
    )
    assert (longer["ours_row"], longer["theirs_row"], longer["offset_ms"]) == (0, 0, 1_000)
    assert (longer["cause"], longer["fields"]) == ("duration_within_tolerance", "quantity")
    assert longer["rule"] == "both numbers, start within the window"
    assert answer.rows_of(missing["finding"]).num_rows == 1


def test_an_incomplete_explanation_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: an explainer that forgets its last difference."""
    explain = module.explain
    monkeypatch.setattr(module, "explain", lambda books, evidence: explain(books, evidence)[:-1])
    with pytest.raises(AssertionError):
        seen_by_creditor(many(30), many(30)[1:])


def test_a_record_told_twice_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: a difference that is listed twice, with opposite amounts."""
    explain = module.explain

    def twice(books: module.Books, evidence: module.Evidence) -> tuple[module.Difference, ...]:
        (one,) = explain(books, evidence)
        return one, one, replace(one, creditor_rows=one.debtor_rows, creditor_micros=-one.creditor_micros)

    monkeypatch.setattr(module, "explain", twice)
    with pytest.raises(AssertionError, match="in no finding, or in two"):
        seen_by_creditor(many(30), many(30)[1:])


def test_the_agreement_may_name_the_carriers_either_way() -> None:
    calls = many(30)
    answer = reconcile(table(calls), table(calls[1:]), scope=scope(us=GB, creditor=CN), agreement=agreement())
    assert the(answer, Cause.MISSING_AT_THEIRS).severity is Severity.NOTICE
    assert the(answer, Cause.MISSING_AT_THEIRS).creditor == CN


def test_every_pair_is_told_on_demand_and_both_sides_hear_the_same() -> None:
    ours = [Call(at=0), Call(at=100, lasts=60), Call(at=200)]
    theirs = [Call(at=101, lasts=50), Call(at=0)]
    heard: dict[str, list[pa.Table]] = {CN: [], GB: []}

    reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(), pairs=heard[GB].append)
    reconcile(table(theirs), table(ours), scope=scope(us=CN), agreement=agreement(), pairs=heard[CN].append)

    seen = {carrier: pa.concat_tables(pieces).sort_by("ours_row").to_pylist() for carrier, pieces in heard.items()}
    assert [tuple(each.values()) for each in seen[GB]] == [(0, 1, 0, 0, 0), (1, 0, 2, 0, 1_000)]
    assert [tuple(each.values()) for each in seen[CN]] == [(0, 1, 2, 0, -1_000), (1, 0, 0, 0, 0)]
