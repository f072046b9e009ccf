"""Do columns of calls cost what single calls cost, in any order and cut anywhere?"""

from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import GscError
from ledger.money import Nanos, Rounding
from ledger.prices.call_price import Call, price_call
from ledger.prices.call_rating import exact_calls, price_rules
from ledger.prices.charging import rounded
from ledger.prices.deck import DeckHistory, LaterStep, MaxRule, Rate, RateStatus, deck_history, rate_deck
from ledger.prices.exact_columns import exact_total
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
    TimeBands,
    UnknownCallers,
)
from tests.ledger.prices.rated_calls import MONDAY_PEAK_END, agreed_with, made_calls
from tests.ledger.prices.test_bands import PEAK, WEEKEND

rows = st.lists(
    st.tuples(
        st.sampled_from(["", "1234", "31201", "4930123456", "8613912345678", "21012345"]),
        st.sampled_from(["44700", "4470", "4", "31612345678", "3161", "9", "x"]),
        st.integers(-300, 300).map(lambda second: MONDAY_PEAK_END + second * 1000)
        | st.integers(0, 7 * 86_400).map(lambda second: MONDAY_PEAK_END + second * 1000),
        st.integers(0, 600_000) | st.just(0) | st.integers(-3, 10**9),
    ),
    max_size=10,
)
MINUTE = 60_000
EEA = Origin("EEA", frozenset({"31", "32", "49"}))
WEEK = RatingTerms(bands=TimeBands((PEAK, WEEKEND)))
nanos = st.integers(0, 10**10).map(Nanos)
huge = st.integers(10**15, 10**18).map(Nanos)
steps = st.sampled_from([1, 7, 1_000, 6_000, 30_000, 60_000])
some_rates = st.builds(
    lambda code, price_, first, following, fee, beyond, attempt, least, room, rule, origin, band, status: Rate(
        f"to {code} {origin} {band}",
        code,
        price_,
        MINUTE,
        first,
        following,
        fee,
        None,
        LaterStep(first + 2 * following, beyond, 10) if beyond % 2 else None,
        attempt,
        least,
        None if room is None else Nanos(least + room),
        rule,
        origin,
        band,
        status,
    ),
    st.sampled_from(["4", "44", "447", "31"]),
    nanos | huge,
    steps,
    steps,
    nanos,
    nanos,
    nanos,
    nanos,
    st.none() | nanos,
    st.sampled_from(MaxRule),
    st.sampled_from(["", "", "EEA", OTHER, INVALID]),
    st.sampled_from(["", "", "peak", "weekend"]),
    st.sampled_from([RateStatus.OPEN, RateStatus.OPEN, RateStatus.OPEN, RateStatus.BLOCKED, RateStatus.REMOVED]),
)
some_decks = st.lists(some_rates, min_size=1, max_size=8, unique_by=lambda each: (each.code, each.origin, each.band))
surcharges = st.builds(
    lambda origins, price_, fee, to: Surcharge("s", origins, price_, fee, to),
    st.frozensets(st.sampled_from(["EEA", OTHER, INVALID]), min_size=1),
    nanos,
    nanos,
    st.frozensets(st.sampled_from(["EEA", OTHER, INVALID])),
)
some_terms = st.builds(
    RatingTerms,
    st.sampled_from(RoundingPlace),
    st.integers(0, 6),
    st.builds(lambda rule: TimeBands((PEAK, WEEKEND), "Europe/Berlin", rule), st.sampled_from(BandRule))
    | st.just(TimeBands((PEAK, WEEKEND))),
    st.just((EEA,)),
    st.lists(surcharges, max_size=2).map(tuple),
    st.none() | st.just(UnknownCallers("EEA", 5_000)) | st.just(UnknownCallers(OTHER, 9_000, ShareBy.DURATION)),
)


def _history(rates: list[Rate]) -> DeckHistory:
    return deck_history([(0, rate_deck("USD", rates))])


def _terms_that_fit(terms: RatingTerms) -> RatingTerms:
    return replace(terms, decimals=6) if terms.place is RoundingPlace.STATEMENT else terms


@given(some_decks, some_terms, rows, st.sampled_from(Rounding))
@settings(max_examples=80, deadline=None)
def test_columns_are_priced_as_single_calls(
    rates: list[Rate], terms: RatingTerms, calls: list[tuple[str, str, int, int]], rounding: Rounding
) -> None:
    table, agreement = made_calls(*calls), agreed_with(_terms_that_fit(terms), rounding)
    rules = price_rules(table, _history(rates), agreement)
    columns = exact_calls(table, rules)
    for row, (a, b, at, quantity) in enumerate(calls):
        try:
            expected, rate_ = price_call(Call(a, b, at, quantity), rules)
        except GscError:
            assert columns.which[row] == -1 and row in columns.refused
            continue
        assert columns.micros(row) == expected.micros
        assert columns.wide.get(row, int(columns.charged[row])) == expected.charged_quantity
        assert columns.rates[columns.which[row]].destination == rate_.destination
    rated = rate(table, _history(rates), agreement).rated
    if terms.place is not RoundingPlace.STATEMENT:
        for record in rated.to_pylist():
            a, b, at, quantity = calls[record["line"] - 1]
            micros = price_call(Call(a, b, at, quantity), rules)[0].micros
            assert record["amount_micros"] == rounded(micros, rounding, agreement.rating.decimals)


@given(some_decks, some_terms, rows, st.sampled_from(Rounding), st.integers(0, 10), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_and_cutting_change_no_exact_total(
    rates: list[Rate],
    terms: RatingTerms,
    calls: list[tuple[str, str, int, int]],
    rounding: Rounding,
    cut: int,
    shuffler: Random,
) -> None:
    history, agreement = _history(rates), agreed_with(_terms_that_fit(terms), rounding)
    rules = price_rules(made_calls(*calls), history, agreement)
    whole = exact_total(exact_calls(made_calls(*calls), rules))
    parts = sum(
        (exact_total(exact_calls(made_calls(*part), rules)) for part in (calls[:cut], calls[cut:])), Fraction(0)
    )
    shuffler.shuffle(calls)
    assert exact_total(exact_calls(made_calls(*calls), rules)) == whole == parts


@given(some_decks, rows, st.sampled_from(Rounding), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_statements_records_add_up_to_its_one_rounding_in_any_order(
    rates: list[Rate], calls: list[tuple[str, str, int, int]], rounding: Rounding, shuffler: Random
) -> None:
    agreement = agreed_with(replace(WEEK, place=RoundingPlace.STATEMENT, origins=(EEA,)), rounding)
    table = made_calls(*calls)
    rating = rate(table, _history(rates), agreement)
    if "amount out of bounds" in rating.refused["reason"].to_pylist():
        return
    exact = exact_total(exact_calls(table, price_rules(table, _history(rates), agreement)))
    assert sum(rating.rated["amount_micros"].to_pylist()) == rounded(exact, rounding)
    shuffler.shuffle(calls)
    again = rate(made_calls(*calls), _history(rates), agreement).rated
    columns = ["a_party", "b_party", "start_ms", "quantity", "amount_micros"]
    assert sorted(again.select(columns).to_pylist(), key=str) == sorted(
        rating.rated.select(columns).to_pylist(), key=str
    )
