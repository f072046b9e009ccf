"""Is every call charged exactly, in columns as by hand, and never at zero for want of a rate?"""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement_file import parse_agreement
from ledger.errors import CurrencyMismatch, Malformed
from ledger.money import Nanos, Rounding, parse_nanos
from ledger.prices import rating as rating_module
from ledger.prices.charging import charge, in_increments
from ledger.prices.deck import DeckHistory, LaterStep, Rate, deck_history, rate_deck
from ledger.prices.rating import REFUSED_SCHEMA, Rating, rate, rate_in_mode
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA
from tests.ledger.records import OCTOBER_MS, usage
from tests.ledger.test_agreement_file import LEAST

MINUTE = 60_000


def _plan(fee: str, first_rate: str, step: int, then_rate: str, then_step: int) -> Rate:
    """A CGRateS plan: a fee, the first minute in steps (seconds), then another price in other steps."""
    later = LaterStep(MINUTE, parse_nanos(then_rate), then_step * 1000)
    return Rate(
        "Mobile", "49", parse_nanos(first_rate), MINUTE, step * 1000, step * 1000, parse_nanos(fee), None, later
    )


R10 = _plan("0.2", "0.1", 60, "0.05", 1)
R20 = _plan("0.4", "0.2", 60, "0.1", 1)
R40 = _plan("0.8", "0.4", 30, "0.2", 10)
CUSTOMER = Rate("Any", "1", parse_nanos("0.0001"), MINUTE, 60_000, 11_000)
VENDOR = Rate("Any", "1", parse_nanos("1.0"), MINUTE, 12_000, 13_000)


@pytest.mark.parametrize(
    ("source", "price", "seconds", "charged_s", "exact"),
    [
        ("C-01 CGRateS oldtutorial R20", R20, 20, 60, Fraction(6, 10)),
        ("C-01 CGRateS oldtutorial R20", R20, 85, 85, Fraction(77, 120)),
        ("C-01 CGRateS oldtutorial R20", R20, 130, 130, Fraction(43, 60)),
        ("C-01 CGRateS oldtutorial R40", R40, 20, 30, Fraction(1)),
        ("C-01 CGRateS oldtutorial R40", R40, 85, 90, Fraction(13, 10)),
        ("C-01 CGRateS tutorial R10, off peak", R10, 90, 90, Fraction(325, 1000)),
        ("C-01 CGRateS tutorial R40, peak", R40, 90, 90, Fraction(13, 10)),
        ("C-01 CGRateS tutorial R10, weekend", R10, 120, 120, Fraction(35, 100)),
        ("C-05 yeti-web writecdr_spec, customer 60/11", CUSTOMER, 560, 566, Fraction(566, 600_000)),
        ("C-05 yeti-web writecdr_spec, vendor 12/13", VENDOR, 560, 571, Fraction(571, 60)),
        (
            "C-07 CGRateS tutorial2, peak 0.2 + 1.2 a minute",
            _plan("0.2", "1.2", 60, "1.2", 60),
            45,
            60,
            Fraction(14, 10),
        ),
    ],
)
def test_published_cases_are_exact(source: str, price: Rate, seconds: int, charged_s: int, exact: Fraction) -> None:
    up, down = charge(seconds * 1000, price, Rounding.CEILING), charge(seconds * 1000, price, Rounding.FLOOR)
    assert up.charged_quantity == charged_s * 1000
    assert up.amount_micros == ceil(exact * 10**6)
    assert down.amount_micros == int(exact * 10**6)
    history = deck_history([(0, rate_deck("USD", [price]))])
    columns = rate_in_mode(usage((price.code + "1234567", 0, seconds * 1000)), history, Rounding.FLOOR)
    assert columns.rated["amount_micros"].to_pylist() == [int(exact * 10**6)], source


@pytest.mark.parametrize(
    ("quantity", "first", "following", "charged"),
    [
        (61_000, 60_000, 6_000, 66_000),
        (60_000, 60_000, 6_000, 60_000),
        (1, 60_000, 6_000, 60_000),
        (60_001, 60_000, 6_000, 66_000),
        (1_500, 1_000, 1_000, 2_000),
        (31_000, 30_000, 6_000, 36_000),
    ],
)
def test_later_increments_count_from_the_end_of_the_first(
    quantity: int, first: int, following: int, charged: int
) -> None:
    assert in_increments(quantity, first, following) == charged


@pytest.mark.parametrize(
    ("rounding", "micros"),
    [(Rounding.FLOOR, 2), (Rounding.CEILING, 3), (Rounding.HALF_UP, 3), (Rounding.HALF_EVEN, 2)],
)
def test_a_half_micro_goes_where_the_agreement_says(rounding: Rounding, micros: int) -> None:
    half = Rate("X", "44", Nanos(2_500))
    assert charge(MINUTE, half, rounding).amount_micros == micros
    history = deck_history([(0, rate_deck("USD", [half]))])
    assert rate_in_mode(usage(("4420", 0, MINUTE)), history, rounding).rated["amount_micros"].to_pylist() == [micros]


def test_nothing_used_costs_nothing_not_even_the_fee() -> None:
    assert charge(0, R20) == (0, 0)
    history = deck_history([(0, rate_deck("USD", [R20]))])
    assert rate_in_mode(usage(("4920", 0, 0)), history, Rounding.HALF_EVEN).rated["amount_micros"].to_pylist() == [0]


def test_a_call_of_no_length_goes_by_its_destination_all_the_same() -> None:
    deck = rate_deck("USD", [Rate("France", "33", Nanos(1)), Rate("UK", "44", Nanos(1))])
    (record,) = rate_in_mode(usage(("4420", 0, 0)), deck_history([(0, deck)]), Rounding.FLOOR).rated.to_pylist()
    assert (record["destination"], record["code"]) == ("UK", "44")


def test_a_negative_quantity_is_refused() -> None:
    with pytest.raises(Malformed, match="negative quantity"):
        charge(-1, R20)


def test_records_without_a_price_are_refused_one_by_one_with_their_reasons() -> None:
    deck = rate_deck("USD", [Rate("UK", "44", Nanos(60_000_000)), Rate("UK odd", "4420", Nanos(1))])
    history = deck_history([(OCTOBER_MS, deck)])
    table = usage(
        ("442", 0, 1_000),
        ("33123", 0, 1_000),
        ("4420", -1, 1_000),
        ("44x", 0, 1_000),
        ("", 0, 1_000),
        ("4" * 16, 0, 1_000),
        ("٤٤٢٠", 0, 1_000),
        ("442", 0, -1_000),
        ("44", 0, 1_000),
    )
    got = rate_in_mode(table, history, Rounding.HALF_EVEN)
    assert got.rated.select(["line", "code", "amount_micros"]).to_pylist() == [
        {"line": 1, "code": "44", "amount_micros": 1_000},
        {"line": 9, "code": "44", "amount_micros": 1_000},
    ]
    assert list(zip(got.refused["line"].to_pylist(), got.refused["reason"].to_pylist(), strict=True)) == [
        (2, "unknown destination"),
        (3, "no rate deck in force"),
        (4, "not a number in E.164 digits"),
        (5, "not a number in E.164 digits"),
        (6, "not a number in E.164 digits"),
        (7, "not a number in E.164 digits"),
        (8, "negative quantity"),
    ]
    assert got.rated.schema == RATED_SCHEMA and got.refused.schema == REFUSED_SCHEMA


def test_amounts_beyond_63_bits_on_the_way_are_exact_and_beyond_them_at_the_end_refused() -> None:
    dear = Rate("X", "44", Nanos(9 * 10**18), first=1, next=1)
    history = deck_history([(0, rate_deck("USD", [dear]))])
    table = usage(("4420", 0, 7), ("4420", 0, 2**62))
    got = rate_in_mode(table, history, Rounding.HALF_EVEN)
    assert got.rated["amount_micros"].to_pylist() == [7 * 9 * 10**15 // MINUTE]
    assert got.refused["reason"].to_pylist() == ["amount out of bounds"]


def test_decks_in_another_currency_and_other_columns_are_refused() -> None:
    agreement = parse_agreement(LEAST)
    history = deck_history([(0, rate_deck("EUR", [R20]))])
    with pytest.raises(CurrencyMismatch, match="expected USD; got EUR"):
        rate(usage(("49", 0, 1)), history, agreement)
    with pytest.raises(Malformed, match="not a usage table"):
        rate_in_mode(usage(("49", 0, 1)).drop_columns("route"), history, Rounding.FLOOR)


def test_rating_follows_the_agreements_rounding() -> None:
    history = deck_history([(0, rate_deck("USD", [Rate("X", "44", Nanos(2_500))]))])
    agreement = replace(parse_agreement(LEAST), rounding=Rounding.CEILING)
    assert rate(usage(("4420", 0, MINUTE)), history, agreement).rated["amount_micros"].to_pylist() == [3]


def test_an_empty_table_is_rated_to_an_empty_table() -> None:
    history = deck_history([(0, rate_deck("USD", [R20]))])
    got = rate_in_mode(USAGE_SCHEMA.empty_table(), history, Rounding.FLOOR)
    assert (len(got.rated), len(got.refused)) == (0, 0)


digits = st.text("012", min_size=1, max_size=5).map(lambda text: "4" + text)
steps = st.sampled_from([1, 7, 1_000, 6_000, 30_000, 60_000])
price_of_code = st.builds(
    lambda code, nanos, first, following, fee, effective, beyond: Rate(
        f"to {code}",
        code,
        Nanos(nanos),
        MINUTE,
        first,
        following,
        Nanos(fee),
        effective,
        LaterStep(first + 2 * following, Nanos(beyond), 10) if beyond % 2 else None,
    ),
    st.integers(0, 10**15).map(str).map(lambda text: "4" + text[:3]) | digits,
    st.integers(0, 10**10) | st.integers(10**15, 10**18),
    steps,
    steps,
    st.integers(0, 10**9),
    st.none() | st.integers(0, 40).map(lambda at: OCTOBER_MS + at),
    st.integers(0, 10**10),
)
decks = st.lists(price_of_code, min_size=1, max_size=12, unique_by=lambda price: (price.code, price.effective_ms))
histories = st.lists(st.tuples(st.integers(0, 40), decks), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
calls = st.lists(
    st.tuples(
        digits | st.text("04x", max_size=17), st.integers(-5, 60), st.integers(-2, 10**6) | st.integers(0, 2**62)
    ),
    max_size=12,
)


def _history(pairs: list[tuple[int, list[Rate]]]) -> DeckHistory:
    return deck_history([(OCTOBER_MS + at, rate_deck("USD", prices)) for at, prices in pairs])


def _plainly(table: pa.Table, history: DeckHistory, rounding: Rounding) -> Rating:
    """Every row by `charge`, as where numba is absent."""
    kernels = rating_module.pricing
    try:
        rating_module.pricing = None
        return rate_in_mode(table, history, rounding)
    finally:
        rating_module.pricing = kernels


@given(histories, calls, st.sampled_from(Rounding))
@settings(max_examples=150, deadline=None)
def test_columns_are_priced_as_single_records(
    pairs: list[tuple[int, list[Rate]]], rows: list[tuple[str, int, int]], rounding: Rounding
) -> None:
    table = usage(*rows)
    assert rate_in_mode(table, _history(pairs), rounding) == _plainly(table, _history(pairs), rounding)


@given(
    st.lists(st.tuples(st.text("0123456789/:x", max_size=17), st.just(0), st.integers(0, 10**7)), max_size=40),
    st.lists(
        st.text("0123456789", min_size=1, max_size=15).filter(lambda text: text[0] != "0"), min_size=1, unique=True
    ),
)
@settings(max_examples=150, deadline=None)
def test_numbers_and_codes_of_any_length_are_found_as_by_trying_prefixes(
    rows: list[tuple[str, int, int]], codes: list[str]
) -> None:
    prices = [Rate(f"to {code}", code, Nanos(7 * 10**6 + at)) for at, code in enumerate(codes)]
    history = deck_history([(0, rate_deck("USD", prices))])
    rows += [(code + "5", 0, 1_000) for code in codes]
    assert rate_in_mode(usage(*rows), history, Rounding.HALF_UP) == _plainly(usage(*rows), history, Rounding.HALF_UP)


@given(histories, calls, st.integers(0, 12), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_and_cutting_change_no_total(
    pairs: list[tuple[int, list[Rate]]], rows: list[tuple[str, int, int]], cut: int, shuffler: object
) -> None:
    history = _history(pairs)
    whole = _total(rate_in_mode(usage(*rows), history, Rounding.HALF_EVEN))
    pieces = [rate_in_mode(usage(*part), history, Rounding.HALF_EVEN) for part in (rows[:cut], rows[cut:])]
    shuffler.shuffle(rows)  # type: ignore[attr-defined]
    assert _total(rate_in_mode(usage(*rows), history, Rounding.HALF_EVEN)) == whole
    assert sum(_total(piece) for piece in pieces) == whole


def _total(rating: Rating) -> int:
    return sum(rating.rated["amount_micros"].to_pylist())


def test_a_planted_fault_in_the_kernel_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    deck = rate_deck("USD", [Rate("X", "44", Nanos(60_000_000), first=60_000, next=6_000)])
    table = usage(("4420", 0, 61_000))
    right = _plainly(table, deck_history([(0, deck)]), Rounding.HALF_EVEN)
    honest = rating_module.pricing
    assert honest is not None

    class Faulty:
        find_rates, flatten, index_cells = honest.find_rates, honest.flatten, honest.index_cells
        reciprocals, pack = honest.reciprocals, honest.pack
        measure_names, copy_names = honest.measure_names, honest.copy_names
        measure_codes, copy_codes = honest.measure_codes, honest.copy_codes

        @staticmethod
        def price(found, quantity, facts, plans, inverses, rounding, of_row, charged, amount):  # type: ignore[no-untyped-def]
            honest.price(found, quantity, facts, plans, inverses, rounding, of_row, charged, amount)
            amount += 1

    monkeypatch.setattr(rating_module, "pricing", Faulty)
    assert rate_in_mode(table, deck_history([(0, deck)]), Rounding.HALF_EVEN) != right
