"""Does a private line cost what its days, its price and its outages say, and never less than nothing?"""

from collections.abc import Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Agreement
from ledger.money import show_micros
from ledger.period import Period
from ledger.prices.circuits import Outage, installation_charges, month_share, rate_circuits
from ledger.prices.deck import DeckHistory
from ledger.prices.rating import Rating
from ledger.prices.service_terms import CreditedMonth, IplTerms, MonthDays, OutageCredit, Tier
from ledger.service import Service
from tests.ledger.prices.service_records import GB_B, OCTOBER, agreed, decks, ms, usage_of

HEADER = "destination,circuit,monthly,install\n"
UTC = ZoneInfo("UTC")
TIERS = (Tier(999_000, 500), Tier(995_000, 1_000), Tier(990_000, 2_500))


def prices(lines: str = "London-Beijing 1G,C1,3100,500\n", since: str = "2026-09-01") -> DeckHistory:
    return decks(Service.IPL, (since, HEADER + lines))


def rated(
    *rows: tuple[str, int],
    deck: DeckHistory | None = None,
    terms: IplTerms | None = None,
    outages: Sequence[Outage] = (),
) -> Rating:
    """Records of circuit C1 of (first day in service, days)."""
    usage = usage_of(("LON1", "BJS2", start, days, "C1") for start, days in rows)
    return rate_circuits(usage, deck or prices(), agreed(ipl=terms), outages)


def shown(rating: Rating) -> list[str]:
    return [show_micros(each, 2) for each in rating.rated["amount_micros"].to_pylist()]


def outage(begin: str, end: str, circuit: str = "C1") -> Outage:
    return Outage(circuit, ms(begin), ms(end))


@pytest.mark.parametrize(
    ("start", "days", "route", "reason"),
    [
        ("2026-10-01", 31, "C9", "unknown circuit"),
        ("2026-10-01", 32, "C1", "more days in service"),
        ("2026-10-31", 2, "C1", "more days in service"),
        ("2026-10-01", 0, "C1", "or none"),
        ("2026-10-01", -1, "C1", "or none"),
        ("2026-08-31", 1, "C1", "no rate deck in force"),
    ],
)
def test_a_circuit_without_a_price_or_with_impossible_days_is_refused(
    start: str, days: int, route: str, reason: str
) -> None:
    rating = rate_circuits(usage_of([("A", "Z", start, days, route)]), prices(), agreed())
    assert len(rating.rated) == 0
    assert reason in rating.refused["reason"].to_pylist()[0]


def test_a_whole_month_costs_the_monthly_charge_and_a_part_its_days() -> None:
    assert shown(rated(("2026-10-01", 31))) == ["3100.00"]
    assert shown(rated(("2026-10-01", 10))) == ["1000.00"]
    assert rated(("2026-10-01", 10)).rated["charged_quantity"].to_pylist() == [10]


@pytest.mark.parametrize(
    ("days", "month_days", "actual", "thirty"),
    [
        (31, 31, "1", "1"),
        (30, 31, "30/31", "1"),
        (15, 31, "15/31", "1/2"),
        (28, 28, "1", "1"),
        (27, 28, "27/28", "9/10"),
    ],
)
def test_a_day_is_a_share_of_the_month_or_of_thirty_as_named(
    days: int, month_days: int, actual: str, thirty: str
) -> None:
    assert month_share(days, month_days, IplTerms(days=MonthDays.ACTUAL)) == Fraction(actual)
    assert month_share(days, month_days, IplTerms(days=MonthDays.THIRTY)) == Fraction(thirty)


def installed(
    start: str, days: int, deck: DeckHistory | None = None, period: Period = OCTOBER
) -> list[dict[str, object]]:
    usage = usage_of([("LON1", "BJS2", start, days, "C1")])
    rows: list[dict[str, object]] = installation_charges(usage, deck or prices(), agreed(), GB_B, period).to_pylist()
    return rows


def test_installation_is_a_charge_record_when_service_begins() -> None:
    (charge,) = installed("2026-10-12", 20)
    assert (charge["a_party"], charge["b_party"], charge["quantity"], charge["route"]) == ("GB-B", "CN-T", 0, "C1")
    assert (charge["amount_micros"], charge["line"]) == (500_000_000, 0)
    assert charge["start_ms"] == OCTOBER.bounds_ms(UTC)[1] - 1
    assert charge["destination"] == "installation: London-Beijing 1G"


def test_installation_is_charged_once_and_only_where_it_has_a_price() -> None:
    assert installed("2026-11-01", 30, period=Period(2026, 11)) == [], "not again in the month after"
    assert len(installed("2026-10-01", 31, deck=prices(since="2026-10-01"))) == 1, "the first price on the first day"
    assert installed("2026-10-12", 20, deck=prices("X,C1,3100,\n")) == [], "nothing if none is agreed"
    assert installed("2026-10-12", 20, deck=prices("X,C9,3100,500\n")) == [], "nor without a price"
    assert installed("2026-08-12", 20, period=Period(2026, 8)) == [], "nor before any deck"


def test_each_day_has_the_price_in_force_when_it_begins() -> None:
    deck = decks(Service.IPL, ("2026-09-01", HEADER + "X,C1,3100,\n"), ("2026-10-11", HEADER + "X,C1,6200,\n"))
    assert shown(rated(("2026-10-01", 31), deck=deck)) == ["5200.00"]  # 10 × 100 + 21 × 200


def test_a_day_of_25_hours_is_one_day() -> None:
    """Summer time ends in London on 25 October; the month's last 7 days begin at midnight of summer time."""
    usage = usage_of([("A", "Z", "2026-10-24T23:00:00", 7, "C1")])
    assert shown(rate_circuits(usage, prices(), agreed(zone="Europe/London"))) == ["700.00"]


def test_an_outage_earns_the_share_of_each_hour_begun() -> None:
    terms = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME)
    four_begun = [outage("2026-10-05T00:00:00", "2026-10-05T03:00:01")]
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=four_begun)) == ["3083.33"]  # 3,100 × (1 - 4/744)
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=[outage("2026-10-05", "2026-10-06", "C2")])) == [
        "3100.00"
    ]


@pytest.mark.parametrize(
    ("minutes", "amount"),
    [(44, "3100.00"), (45, "2945.00"), (223, "2945.00"), (224, "2790.00"), (446, "2790.00"), (447, "2325.00")],
)
def test_the_lowest_tier_the_availability_falls_below_counts(minutes: int, amount: str) -> None:
    """Of 44,640 minutes 99.9 % leaves 44.64, 99.5 % 223.2 and 99 % 446.4."""
    terms = IplTerms(credit=OutageCredit.TIER, tiers=TIERS, credited_month=CreditedMonth.SAME)
    begin = ms("2026-10-05")
    out = [Outage("C1", begin, begin + minutes * 60_000)]
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=out)) == [amount]


def test_charged_in_advance_an_outage_is_credited_in_the_month_after() -> None:
    terms = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.NEXT)
    out = [outage("2026-09-30T18:00:00", "2026-10-01T06:00:00")]
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=out)) == ["3074.17"]  # 6 of September's 720 hours
    assert shown(rated(("2026-11-01", 30), terms=terms, outages=out)) == ["3075.00"]  # 6 of October's 744


def test_a_credit_stops_at_the_cap_and_never_passes_the_months_charge() -> None:
    whole = [outage("2026-09-01", "2026-12-01")]
    half = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME, most_credit_bps=5_000)
    assert shown(rated(("2026-10-01", 31), terms=half, outages=whole)) == ["1550.00"]
    every = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME)
    apart = [
        Outage("C1", ms("2026-10-01") + n * 1_800_000, ms("2026-10-01") + n * 1_800_000 + 60_000) for n in range(1_400)
    ]
    assert shown(rated(("2026-10-01", 31), terms=every, outages=apart)) == ["0.00"]


def test_short_outages_earn_nothing_and_overlapping_ones_count_once() -> None:
    terms = IplTerms(credit=OutageCredit.HOUR, least_outage_minutes=10, credited_month=CreditedMonth.SAME)
    short = [outage("2026-10-05T00:00:00", "2026-10-05T00:09:59")]
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=short)) == ["3100.00"]
    touching = [
        *short,
        outage("2026-10-05T00:09:59", "2026-10-05T00:20:00"),
        outage("2026-10-05T00:05:00", "2026-10-05T00:15:00"),
    ]
    assert shown(rated(("2026-10-01", 31), terms=terms, outages=touching)) == ["3095.83"]  # one hour


BY_HOUR = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME)
IN_ADVANCE = IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.NEXT)


@pytest.mark.parametrize(
    ("begin", "end", "amount"),
    [
        ("2026-10-12", "2026-11-01", "0.000000"),
        ("2026-10-01", "2026-10-12", "2000.000000"),
        ("2026-10-14T08:00:00", "2026-10-14T09:00:01", "1991.666667"),
        ("2026-10-11T23:00:00", "2026-10-12T01:30:00", "1991.666667"),
    ],
)
def test_an_outage_of_a_circuit_in_service_for_20_days_counts_where_it_was_in_service(
    begin: str, end: str, amount: str
) -> None:
    """2,000 of 3,100; each hour begun is 1/744 of 3,100."""
    rating = rated(("2026-10-12", 20), terms=BY_HOUR, outages=[outage(begin, end)])
    assert [show_micros(each) for each in rating.rated["amount_micros"].to_pylist()] == [amount]


@pytest.mark.parametrize(("seconds", "amount"), [(1_728, "2000.00"), (1_729, "1900.00"), (1_801, "1900.00")])
def test_availability_is_measured_over_the_time_in_service(seconds: int, amount: str) -> None:
    """0.1 % of 480 hours is 1,728 seconds; of the whole month it would be 2,678."""
    terms = IplTerms(credit=OutageCredit.TIER, tiers=TIERS, credited_month=CreditedMonth.SAME)
    begin = ms("2026-10-14")
    out = [Outage("C1", begin, begin + seconds * 1_000)]
    assert shown(rated(("2026-10-12", 20), terms=terms, outages=out)) == [amount]


def test_an_outage_of_the_month_before_is_credited_at_what_it_cost_then() -> None:
    out = [outage("2026-09-10", "2026-09-13")]
    ends, begins = ("2026-10-01", 10), ("2026-10-12", 20)
    assert shown(rated(ends, terms=IN_ADVANCE, outages=out)) == ["690.00"]  # 72 of 720 hours of 3,100
    assert shown(rated(("2026-09-01", 30), ("2026-10-22", 10), terms=IN_ADVANCE, outages=out)) == ["3100.00", "690.00"]
    assert shown(rated(("2026-09-12", 19), ends, terms=IN_ADVANCE, outages=out)) == ["1963.33", "896.67"], "24 hours"
    assert shown(rated(begins, terms=IN_ADVANCE, outages=[outage("2026-09-01", "2026-10-01")])) == ["2000.00"]
    twelve = [outage("2026-09-01", "2026-09-13")]
    assert shown(rated(begins, ends, terms=IN_ADVANCE, outages=twelve)) == ["1760.00", "0.00"], "1,240, earliest first"
    dearer = decks(Service.IPL, ("2026-09-01", HEADER + "X,C1,3100,\n"), ("2026-10-01", HEADER + "X,C1,6200,\n"))
    assert shown(rated(ends, deck=dearer, terms=IN_ADVANCE, outages=out)) == ["1690.00"], "at September's price"


def test_a_circuit_is_not_charged_twice_for_a_day() -> None:
    twice = rated(("2026-10-01", 31), ("2026-10-01", 31), ("2026-10-31", 1), ("2026-09-30", 1))
    assert shown(twice) == ["3100.00", "103.33"]
    assert [row["line"] for row in twice.refused.to_pylist()] == [2, 3]
    assert {row["reason"] for row in twice.refused.to_pylist()} == {
        "days of C1 are charged twice: in service from 2026-10-01 to before 2026-11-01"
    }
    assert shown(rated(("2026-10-01", 10), ("2026-10-11", 21))) == ["1000.00", "2100.00"], "one after the other"
    (row,) = rate_circuits(usage_of([ROW]), prices(), agreed(), known=usage_of([ROW])).refused.to_pylist()
    assert "charged twice" in row["reason"], "in another file"


ROW = ("LON1", "BJS2", "2026-10-01", 31, "C1")


def test_installation_is_charged_once_for_each_circuit_that_is_charged() -> None:
    deck = prices("X,C1;C2,3100,500\n")
    rows = [
        ("A", "Z", "2026-10-12", 21, "C1"),
        ("A", "Z", "2026-10-12", 5, "C2"),
        ("A", "Z", "2026-10-12", 5, "C2"),
        ("A", "Z", "2026-10-20", 5, "C2"),
    ]
    charges = installation_charges(usage_of(rows), deck, agreed(), GB_B, OCTOBER)
    assert charges["route"].to_pylist() == ["C2"], "21 days from the 12th are refused, and days charged twice"


def test_service_that_begins_on_the_first_is_new_if_the_last_day_before_did_not_have_it() -> None:
    def new(*before: tuple[str, int, str]) -> list[str]:
        known = usage_of([("A", "Z", *each) for each in before])
        charges = installation_charges(usage_of([ROW]), prices(), agreed(), GB_B, OCTOBER, known)
        routes: list[str] = charges["route"].to_pylist()
        return routes

    assert new(("2026-09-01", 30, "C2")) == ["C1"]
    assert new(("2026-09-01", 29, "C1")) == ["C1"], "it was gone for a day"
    assert new(("2026-09-20", 11, "C1")) == []
    assert new(("2026-08-01", 31, "C2")) == new() == [], "nothing is known of September but its price"


spans = st.tuples(st.integers(0, 45 * 24 * 60), st.integers(0, 5_000)).map(
    lambda each: Outage("C1", ms("2026-09-25") + each[0] * 60_000, ms("2026-09-25") + (each[0] + each[1]) * 60_000)
)
terms_of_credit = st.sampled_from(
    [
        IplTerms(),
        IplTerms(credit=OutageCredit.HOUR, most_credit_bps=3_000),
        IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME),
        IplTerms(credit=OutageCredit.TIER, tiers=TIERS, days=MonthDays.THIRTY),
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(spans, max_size=6), st.integers(1, 31), terms_of_credit)
def test_a_charge_lies_between_nothing_and_the_monthly_one_and_more_outages_never_cost_more(
    drawn: list[Outage], days: int, terms: IplTerms
) -> None:
    (amount,) = rated(("2026-10-01", days), terms=terms, outages=drawn).rated["amount_micros"].to_pylist()
    (longer,) = (
        rated(("2026-10-01", days), terms=terms, outages=[*drawn, outage("2026-10-01", "2026-10-09")])
        .rated["amount_micros"]
        .to_pylist()
    )
    assert 0 <= longer <= amount <= 3_100_000_000


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["C1", "C2", "C3", "C4"]), max_size=4, unique=True), st.integers(0, 4), st.integers(1, 31)
)
def test_order_and_cutting_change_no_amount(circuits: list[str], at: int, days: int) -> None:
    deck = prices("X,C1;C2,3100,\nY,C3,99.999999999,7\n")
    agreement: Agreement = agreed()
    rows = [("LON1", "BJS2", "2026-10-01", days, name) for name in circuits]
    whole = rate_circuits(usage_of(rows), deck, agreement)
    parts = [rate_circuits(usage_of(part), deck, agreement) for part in (rows[at:][::-1], rows[:at][::-1])]

    together = pa.concat_tables([part.rated for part in parts])
    assert sorted(together["amount_micros"].to_pylist()) == sorted(whole.rated["amount_micros"].to_pylist())
    assert sum(len(part.refused) for part in parts) == len(whole.refused) == circuits.count("C4")
