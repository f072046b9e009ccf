from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from ledger.agreement import Tolerance
from ledger.money import Micros, parse_micros
from reconciliation.matching.side import side_of
from reconciliation.totals import (
    Totals,
    Verdict,
    compare_totals,
    exceeds_both,
    madrid_limit_micros,
    share_of_ours,
    sums_of_side,
    verdict_of_total,
)
from tests.reconciliation.records import UTC_ZONE, Call, table


def totals(ours: list[Call], theirs: list[Call], zone: ZoneInfo = UTC_ZONE) -> Totals:
    return compare_totals(*(sums_of_side(side_of(table(each)), zone) for each in (ours, theirs)), Tolerance())


def test_a_destination_only_they_hold_is_listed_c11() -> None:
    keys = totals([Call()], [Call(), Call(destination="SMSMO")]).keys
    assert [(key.destination, key.ours_count, key.theirs_count) for key in keys] == [
        ("SMSMO", 0, 1),
        ("United Kingdom Mobile", 1, 1),
    ]
    assert keys[0].verdict is Verdict.BEYOND


@pytest.mark.parametrize(
    ("ours", "theirs", "apart", "per_cent"),
    [
        ("23573.98", "23456.7", "117.28", "0.497498"),
        ("48740.74", "49382.72", "-641.98", "-1.317132"),
        ("11787.03", "11728.39", "58.64", "0.497496"),
        ("45085.07", "45678.9", "-593.83", "-1.317132"),
    ],
)
def test_the_aggregates_of_c11_are_exact(ours: str, theirs: str, apart: str, per_cent: str) -> None:
    us, them = parse_micros(ours), parse_micros(theirs)
    assert us - them == parse_micros(apart)
    assert round(share_of_ours(us, them) * 100, 6) == Fraction(per_cent)


def test_nothing_against_nothing_is_0_and_against_something_100_per_cent_c11() -> None:
    assert share_of_ours(0, 0) == 0
    assert share_of_ours(0, 5) == share_of_ours(5, 0) == 1


@pytest.mark.parametrize(
    ("owed", "limit"),
    [(2_000, 25), (2_500, 25), (50_000, 500), (100_000, 1_000), (250_000, 1_750), (1_000_000, 5_500)],
)
def test_the_madrid_rule_of_1932_c14(owed: int, limit: int) -> None:
    assert madrid_limit_micros(owed * 10**6) == limit * 10**6


def test_the_madrid_case_of_c14_stops_once_inside() -> None:
    limit = madrid_limit_micros(250_000 * 10**6)
    assert parse_micros("1750") <= limit < parse_micros("1750.01")
    assert parse_micros("1749") <= limit


@pytest.mark.parametrize(
    ("per_cent_bps", "dollars", "escalates"), [(1_200, 480, False), (900, 9_000, False), (1_010, 501, True)]
)
def test_the_sms_rule_of_c14_needs_share_and_amount(per_cent_bps: int, dollars: int, escalates: bool) -> None:
    difference = dollars * 10**6
    owed = difference * 10_000 // per_cent_bps
    assert exceeds_both(difference, owed, 1_000, 500 * 10**6) is escalates


def test_the_total_may_pass_while_keys_do_not() -> None:
    even = [Call(destination="A", lasts=600), Call(destination="B", lasts=600)]
    odd = [Call(destination="A", lasts=630), Call(destination="B", lasts=571)]
    both = totals(even, odd)
    assert [key.verdict for key in both.keys] == [Verdict.BEYOND, Verdict.BEYOND]
    assert both.verdict is Verdict.WITHIN


def test_equal_is_equal_in_count_quantity_and_amount() -> None:
    assert totals([Call()], [Call()]).verdict is Verdict.EQUAL
    assert totals([Call(amount=5)], [Call(amount=5), Call(amount=0)]).verdict is not Verdict.EQUAL


def test_a_total_is_beyond_from_the_share_or_from_the_amount() -> None:
    tolerance = Tolerance(volume_bps=100, volume_micros=Micros(1_000))
    assert verdict_of_total(10_000_000, 9_999_001, tolerance) is Verdict.WITHIN
    assert verdict_of_total(10_000_000, 9_999_000, tolerance) is Verdict.BEYOND
    assert verdict_of_total(10_000, 9_901, tolerance) is Verdict.WITHIN
    assert verdict_of_total(10_000, 9_900, tolerance) is Verdict.BEYOND


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 10, 11)),
        ("Asia/Shanghai", date(2026, 10, 12)),
        ("Asia/Kolkata", date(2026, 10, 12)),
        ("America/New_York", date(2026, 10, 11)),
    ],
)
def test_a_day_is_the_accounting_zones(zone: str, day: date) -> None:
    evening = Call(at=6.75 * 3600)
    assert totals([evening], [], ZoneInfo(zone)).keys[0].day == day


def test_sums_pass_63_bits_without_wrapping() -> None:
    huge = [Call(amount=2**62), Call(amount=2**62), Call(amount=2**62)]
    assert totals(huge, []).ours_micros == 3 * 2**62
    assert totals(huge, []).keys[0].ours_micros == 3 * 2**62
