"""Is every call priced by its origin, band, surcharge and bounds exactly, in columns as by hand?"""

from datetime import date
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.money import Nanos, Rounding, parse_nanos
from ledger.prices import call_rating
from ledger.prices.call_rating import exact_calls, price_rules
from ledger.prices.charging import Stretch, charge, price
from ledger.prices.deck import Rate, deck_history, rate_deck
from ledger.prices.deck_file import parse_deck
from ledger.prices.origin import origin_of, shares_of_known
from ledger.prices.rating import rate
from ledger.prices.rating_terms import (
    INVALID,
    OTHER,
    BandRule,
    Origin,
    RatingTerms,
    RoundingPlace,
    ShareBy,
    Surcharge,
    TimeBand,
    TimeBands,
    UnknownCallers,
    Weekday,
)
from tests.ledger.prices.rated_calls import AGREEMENT, MONDAY_PEAK_END, agreed_with, made_calls, moment_ms
from tests.ledger.prices.test_bands import PEAK, WEEKEND

MINUTE = 60_000
EEA = Origin("EEA", frozenset({"31", "32", "49"}))


def amounts_of(table: pa.Table, deck: str, agreement: Agreement) -> list[int]:
    rating = rate(table, deck_history([(0, parse_deck("destination,code,rate,increment,currency," + deck))]), agreement)
    assert not len(rating.refused), rating.refused.to_pylist()
    amounts: list[int] = rating.rated["amount_micros"].to_pylist()
    return amounts


# CGRateS tutorial: a fee, the first minute in steps, then another price in other steps; peak 08-19, Monday to Friday
CGRATES = """\
destination,code,rate,increment,connect_fee,later_after,later_rate,later_increment,band,currency
DST_1002,1002,0.4,30/30,0.8,60,0.2,10,peak,USD
DST_1002,1002,0.1,60/60,0.2,60,0.05,1,,USD
DST_1003,1003,0.2,60/60,0.4,60,0.1,1,,USD
DST_1003,1003,0.1,60/60,0.2,60,0.05,1,weekend,USD
"""
WEEK = RatingTerms(bands=TimeBands((PEAK, WEEKEND)))


@pytest.mark.parametrize(
    ("number", "start", "seconds", "exact"),
    [
        ("1002", "2016-01-06T19:00:00+00:00", 90, Fraction("0.325")),
        ("1002", "2016-01-06T18:31:05+00:00", 90, Fraction("1.3")),
        ("1003", "2014-12-07T08:42:26+00:00", 120, Fraction("0.35")),
        ("1003", "2016-01-06T12:00:00+00:00", 85, Fraction(77, 120)),
        ("1003", "2016-01-06T12:00:00+00:00", 130, Fraction(43, 60)),
    ],
)
def test_a_band_names_the_rate_as_c01_of_cgrates_is_published_and_exact_where_it_is_not(
    number: str, start: str, seconds: int, exact: Fraction
) -> None:
    table = made_calls(("", number, moment_ms(start), seconds * 1000))
    history = deck_history([(0, parse_deck(CGRATES))])
    assert exact_calls(table, price_rules(table, history, agreed_with(WEEK))).micros(0) == exact * 10**6


@pytest.mark.parametrize(
    ("rule", "seconds", "amount"), [("free", 50, "0.5"), ("free", 70, "0.62"), ("disconnect", 70, "0.7")]
)
def test_beyond_the_highest_charge_a_call_is_free_or_was_ended_by_the_switch(
    rule: str, seconds: int, amount: str
) -> None:
    # C-01 CGRateS: 0.01 a second, MaxCost 0.62
    table = made_calls(("", "49", 0, seconds * 1000))
    deck = f"max_charge,max_rule\nX,49,0.6,1/1,USD,0.62,{rule}\n"
    assert amounts_of(table, deck, AGREEMENT) == [parse_nanos(amount) // 1000]


def test_a_call_that_is_shorter_than_its_least_charge_costs_that() -> None:
    table = made_calls(("", "49", 0, 1_000), ("", "49", 0, 60_000), ("", "49", 0, 0))
    assert amounts_of(table, "min_charge\nX,49,0.6,1/1,USD,0.05\n", AGREEMENT) == [50_000, 600_000, 0]


def test_a_failed_attempt_costs_its_fee_and_an_answered_call_does_not() -> None:
    # C-05 yeti-web writecdr_attempt_fee_spec: the vendor's fee 3.0, whoever is charged for the call in the end
    table = made_calls(("", "49", 0, 0), ("", "49", 0, 12_000), ("", "44", 0, 0))
    deck = "attempt_fee\nX,49,1.0,12/13,USD,3.0\nY,44,1.0,12/13,USD,0\n"
    assert amounts_of(table, deck, AGREEMENT) == [3_000_000, 200_000, 0]


def test_a_price_that_holds_the_tax_is_exact_too() -> None:
    # C-05 yeti-web writecdr_spec: 560 s at 60/11 and 0.0001 a minute, VAT 23 %: net 0.000943333..., gross 0.0011603
    net, gross = (Rate("X", "1", parse_nanos(text), MINUTE, 60_000, 11_000) for text in ("0.0001", "0.000123"))
    assert price(560_000, [Stretch(0, net)]).micros == Fraction(566, 600_000) * 10**6
    assert price(560_000, [Stretch(0, gross)]).micros == Fraction("0.0011603") * 10**6


def test_c07_of_cgrates_peak_off_peak_and_a_date_that_overrides_both() -> None:
    year = TimeBand("new year", frozenset({Weekday.HOLIDAY}))
    terms = RatingTerms(bands=TimeBands((year, PEAK), holidays=frozenset({date(2020, 1, 1)})))
    deck = """band,connect_fee
X,1003,1.2,60/60,USD,peak,0.2
X,1003,0.6,1/1,USD,,0.1
X,2001,1.2,60/60,USD,,0.2
X,2001,0.6,1/1,USD,new year,0.1
"""
    table = made_calls(
        ("1001", "1003", moment_ms("2019-03-11T09:00:00+00:00"), 45_000),
        ("1001", "1003", moment_ms("2019-03-11T21:00:00+00:00"), 45_000),
        ("1002", "2001", moment_ms("2020-01-01T21:00:00+00:00"), 45_000),
        ("1002", "2001", moment_ms("2020-01-02T21:00:00+00:00"), 45_000),
    )
    assert amounts_of(table, deck, agreed_with(terms)) == [1_400_000, 550_000, 550_000, 1_400_000]


def test_a_call_over_a_bands_end_is_split_there_or_not_as_agreed() -> None:
    deck = "band\nX,49,0.60,6/6,USD,peak\nX,49,0.06,1/1,USD,\n"
    at = moment_ms("2026-10-05T18:59:50+00:00")
    table = made_calls(("", "49", at, 60_000), ("", "49", at, 10_000), ("", "49", at, 12_000))
    split, start = (agreed_with(RatingTerms(bands=TimeBands((PEAK,), rule=rule))) for rule in BandRule)
    # two increments of 6 s begin before the end, 48 seconds after it
    assert amounts_of(table, deck, split) == [120_000 + 48_000, 120_000, 120_000]
    assert amounts_of(table, deck, start) == [600_000, 120_000, 120_000]


@pytest.mark.parametrize(
    ("caller", "origin"),
    [
        ("12125550100", OTHER),
        ("31201234567", "EEA"),
        ("1234", INVALID),
        ("", INVALID),
        ("3120123456789012", INVALID),
        ("31201", "EEA"),
        ("21012345678", INVALID),
        ("031201234567", INVALID),
        ("anonymous", INVALID),
        ("٣١٢٠١٢٣٤", INVALID),
    ],
)
def test_a_caller_is_of_a_class_of_another_country_or_none(caller: str, origin: str) -> None:
    assert origin_of(caller, (EEA,)) == origin


def test_c27_calls_from_elsewhere_or_nowhere_to_the_eea_cost_a_quarter_more() -> None:
    # C-27 (cm.com, pluscloud): +0.25 a minute for a caller outside the EEA, or none that is valid
    surcharge = Surcharge("origin", frozenset({OTHER, INVALID}), parse_nanos("0.25"), to=frozenset({"EEA"}))
    terms = RatingTerms(origins=(EEA,), surcharges=(surcharge,))
    callers = ["12125550100", "31201234567", "1234", "", "3120123456789012", "31201"]
    table = made_calls(*((caller, "31612345678", 0, MINUTE) for caller in callers), ("", "44207", 0, MINUTE))
    deck = "connect_fee\nNL,31,0.01,1/1,USD,0\nUK,44,0.01,1/1,USD,0\n"
    assert amounts_of(table, deck, agreed_with(terms)) == [260_000, 10_000, 260_000, 260_000, 260_000, 10_000, 10_000]


def test_an_origin_names_its_own_rate_for_a_code() -> None:
    deck = "origin\nNL,31,0.01,1/1,USD,EEA\nNL,31,0.05,1/1,USD,\nNL,31,0.09,1/1,USD,invalid\n"
    table = made_calls(*((caller, "31612345678", 0, MINUTE) for caller in ("4930", "49301", "8613912345678", "")))
    assert amounts_of(table, deck, agreed_with(RatingTerms(origins=(EEA,)))) == [90_000, 10_000, 50_000, 90_000]


def test_a_longer_code_without_the_callers_origin_leaves_the_call_to_the_shorter_one() -> None:
    deck = "origin\nNL,31,0.05,1/1,USD,\nNL mobile,316,0.01,1/1,USD,EEA\n"
    table = made_calls(("49301234", "31612345678", 0, MINUTE), ("8613912345678", "31612345678", 0, MINUTE))
    assert amounts_of(table, deck, agreed_with(RatingTerms(origins=(EEA,)))) == [10_000, 50_000]


LOCAL, FAR = Origin("local", frozenset({"1212"})), Origin("far", frozenset({"1"}))
CPN = "origin\nNY,1,0.01,1/1,USD,local\nNY,1,0.05,1/1,USD,far\n"


def _with_callers(known: int, unknown: int) -> pa.Table:
    """60 % of the known callers are local."""
    callers = ["12125550100"] * (known * 6 // 10) + ["13105550100"] * (known * 4 // 10) + [""] * unknown
    return made_calls(*((caller, "12015550100", 0, MINUTE) for caller in callers))


def test_c15_from_ninety_percent_on_unknown_callers_are_charged_as_the_known_ones() -> None:
    terms = RatingTerms(origins=(LOCAL, FAR), unknown_callers=UnknownCallers("far"))
    # TDS clause, 92 %: the 8 % are split 60/40; 10,000 calls as 1,000
    enough = sum(amounts_of(_with_callers(920, 80), CPN, agreed_with(terms)))
    assert enough == 600 * 10_000 + 400 * 50_000
    # 89 %: all of the rest at the high rate; 890 known callers, 534 of them local
    short = sum(amounts_of(_with_callers(890, 110), CPN, agreed_with(terms)))
    assert short == 534 * 10_000 + (356 + 110) * 50_000


def test_shares_are_counted_by_calls_or_by_how_long_they_lasted() -> None:
    names = ["local", "far", INVALID]
    origins, lasted = np.array([0, 0, 1, 2], np.int32), np.array([1, 1, 6, 2], np.int64)
    by_calls = RatingTerms(unknown_callers=UnknownCallers("far", 5_000))
    by_duration = RatingTerms(unknown_callers=UnknownCallers("far", 5_000, ShareBy.DURATION))
    assert shares_of_known(origins, lasted, names, by_calls) == {"far": Fraction(1, 3), "local": Fraction(2, 3)}
    assert shares_of_known(origins, lasted, names, by_duration) == {"far": Fraction(3, 4), "local": Fraction(1, 4)}
    assert shares_of_known(origins[3:], lasted[3:], names, by_calls) == {"far": 1}


def test_a_closed_destination_has_no_price_and_a_removed_code_that_of_the_shorter_one() -> None:
    deck = parse_deck(
        "destination,code,rate,increment,effective_date,status,currency\n"
        "UK,44,0.01,1/1,,,USD\nUK mobile,447,0.02,1/1,,,USD\nUK mobile,447,,1/1,2026-10-15,removed,USD\n"
        "Jersey,441534,,1/1,2026-10-15,blocked,USD\n"
    )
    before, after = moment_ms("2026-10-14T23:59:59+00:00"), moment_ms("2026-10-15T00:00:00+00:00")
    table = made_calls(*(("", number, at, MINUTE) for number in ("447700", "4415340") for at in (before, after)))
    rating = rate(table, deck_history([(0, deck)]), AGREEMENT)
    assert rating.rated["amount_micros"].to_pylist() == [20_000, 10_000, 10_000]
    assert rating.refused.select(["line", "reason"]).to_pylist() == [{"line": 4, "reason": "destination is closed"}]


@pytest.mark.parametrize(
    ("place", "decimals", "amounts"),
    [
        (RoundingPlace.RECORD, 6, [33_333, 33_333, 33_333]),
        (RoundingPlace.RECORD, 2, [30_000, 30_000, 30_000]),
        (RoundingPlace.INCREMENT, 4, [33_600, 33_600, 33_600]),
        (RoundingPlace.STATEMENT, 6, [33_333, 33_334, 33_333]),
    ],
)
def test_an_amount_is_rounded_where_the_agreement_says(place: RoundingPlace, decimals: int, amounts: list[int]) -> None:
    # 42 s at 2/42 a minute is 1/30; an increment of 1 s is 0.00079365..., 0.0008 in four places
    table = made_calls(*(("", "49", at, 42_000) for at in (1, 2, 3)))
    history = deck_history([(0, rate_deck("USD", [Rate("X", "49", Nanos(2 * 10**9), 42 * MINUTE)]))])
    agreement = agreed_with(RatingTerms(place=place, decimals=decimals))
    assert rate(table, history, agreement).rated["amount_micros"].to_pylist() == amounts


@pytest.mark.parametrize(
    ("deck", "says"),
    [("origin\nNL,31,0.01,1/1,USD,EU\n", "names an origin"), ("band\nNL,31,0.01,1/1,USD,night\n", "names a band")],
)
def test_a_deck_that_names_what_the_agreement_lacks_is_refused(deck: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        amounts_of(made_calls(("", "31", 0, 1)), deck, AGREEMENT)


def test_a_call_outside_the_calendar_is_refused_where_bands_decide() -> None:
    table = made_calls(
        ("", "49", -1, 1_000), ("", "49", 2**42, 1_000), ("", "49", 2**42 - 1_000, 1_000), ("", "49", 5, 2**62)
    )
    history = deck_history([(-10, rate_deck("USD", [Rate("X", "49", Nanos(1))]))])
    assert rate(table, history, agreed_with(WEEK)).refused["line"].to_pylist() == [1, 2, 4]


def test_a_charge_by_increments_rounds_each_of_them() -> None:
    rate_ = Rate("X", "49", Nanos(60_500_000), MINUTE, 1_000, 1_000, parse_nanos("0.0000005"))
    # 1 s costs 1008.33 micros, the fee half a micro
    assert charge(3_000, rate_, Rounding.HALF_UP, RoundingPlace.INCREMENT).amount_micros == 1 + 3 * 1_008
    assert charge(3_000, rate_, Rounding.HALF_UP).amount_micros == 3_026


def test_a_planted_fault_in_the_split_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_calls(("", "49", MONDAY_PEAK_END - 1_000 + 2 * 3_600_000, 60_000))
    deck = "band\nX,49,0.60,6/6,USD,peak\nX,49,0.06,1/1,USD,\n"
    right = amounts_of(table, deck, agreed_with(WEEK))
    honest = call_rating._bands

    def never_split(*asked: object) -> object:
        found, lasts, counted = honest(*asked)  # type: ignore[arg-type]
        return found, lasts & False, counted

    monkeypatch.setattr(call_rating, "_bands", never_split)
    assert amounts_of(table, deck, agreed_with(WEEK)) != right
