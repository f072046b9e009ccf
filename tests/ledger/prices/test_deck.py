"""Which rate applies to a number at a moment, and what does a price list file refuse?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import CurrencyMismatch, Malformed, UnknownDestination
from ledger.money import Nanos
from ledger.prices.deck import LaterStep, Rate, RateDeck, deck_hash, deck_history, decks_hash, rate_deck
from ledger.prices.deck_file import dump_deck, parse_deck
from ledger.service import Service

SEPTEMBER, OCTOBER, MIDDLE = 1_788_220_800_000, 1_790_812_800_000, 1_792_022_400_000

LIST = """\
Destination,Code,Rate,Increment,Connect fee,Effective date,Currency
United Kingdom,44,0.0102,1/1,,,USD
United Kingdom mobile,447;4475,0.0205,30/6,0.001,,USD
United Kingdom mobile,447,0.0305,60/60,,2026-10-15,USD
China,86,0.0123,60/6,,,USD
"""


def _price(code: str, nanos: int, effective_ms: int | None = None, destination: str = "X") -> Rate:
    return Rate(destination, code, Nanos(nanos), effective_ms=effective_ms)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "header line has other columns"),
        ("destination,code,rate\nUK,44,1\n", "header line has other columns"),
        ("destination,code,rate,increment,colour\nUK,44,1,1/1,red\n", "header line has other columns"),
        (LIST + "France,33\n", "line 6 of the rate deck has another width"),
        (LIST + 'France,"33,0.1,1/1,,,USD\n', "line 6 of the rate deck is not CSV"),
        (LIST + "France,033,0.1,1/1,,,USD\n", "line 6 of the rate deck: not a dial code"),
        (LIST + "France,33;;34,0.1,1/1,,,USD\n", "line 6 of the rate deck: not a dial code"),
        (LIST + "France,٣٣,0.1,1/1,,,USD\n", "not a dial code"),
        (LIST + "France,33,-0.1,1/1,,,USD\n", "not a rate"),
        (LIST + "France,33,0.0000000001,1/1,,,USD\n", "not a rate"),
        (LIST + "France,33,1e3,1/1,,,USD\n", "not a rate"),
        (LIST + "France,33,0.1,0/1,,,USD\n", "not an increment"),
        (LIST + "France,33,0.1,60/,,,USD\n", "not an increment"),
        (LIST + "France,33,0.1,1/1,,15.10.2026,USD\n", "not a date of effect"),
        (LIST + "France,33,0.1,1/1,,2026-10-15T00:00:00,USD\n", "not a date of effect"),
        (LIST + ",33,0.1,1/1,,,USD\n", "not a rate"),
        (LIST + "China,86,0.0124,60/6,,,USD\n", "two rates from one date"),
        ("destination,code,rate,increment,currency\n", "names no currency"),
        ("destination,code,rate,increment\nUK,44,1,1/1\n", "names no currency"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_deck(wrong)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("X,44,-0.01,1/1,,,,", "rate is not a rate: it is negative; expected 0 or more; got '-0.01'"),
        ("X,44,0.30000000000000004,1/1,,,,", "rate is not a rate: it has more than 9 .* got '0.30000000000000004'"),
        ("X,44,1,1/1,-0.5,,,", "connect_fee is not a rate: it is negative; .* got '-0.5'"),
        ("X,44,1,6/6/6,,,,", "increment is not an increment; .* got '6/6/6'"),
        ("X,44,1,1/1,,60,1,6/6", "later_increment is no number of seconds; expected one whole .* got '6/6'"),
        ("X,44,1,1/1,,1/1,1,6", "later_after is no number of seconds; .* got '1/1'"),
    ],
)
def test_a_refusal_names_the_column_shows_the_value_and_says_why(line: str, says: str) -> None:
    header = "destination,code,rate,increment,connect_fee,later_after,later_rate,later_increment\n"
    with pytest.raises(Malformed, match=f"line 2 of the rate deck: {says}"):
        parse_deck(header + line + "\n", "USD")


def test_a_deck_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch, match="expected EUR; got USD"):
        parse_deck(LIST, "EUR")
    with pytest.raises(CurrencyMismatch):
        parse_deck(LIST + "France,33,0.1,1/1,,,EUR\n")
    dollars, euros = rate_deck("USD", [_price("1", 1)]), rate_deck("EUR", [_price("1", 1)])
    with pytest.raises(CurrencyMismatch):
        deck_history([(0, dollars), (1, euros)])


def test_a_deck_file_is_read_in_code_order_with_its_dates(tmp_path: Path) -> None:
    path = tmp_path / "deck.csv"
    path.write_text("\ufeff" + LIST, "utf-8")
    deck = parse_deck(path)
    assert deck.currency == "USD" and deck.service is Service.VOICE
    assert [(rate.code, rate.nanos, rate.effective_ms) for rate in deck.rates] == [
        ("44", 10_200_000, None),
        ("447", 20_500_000, None),
        ("447", 30_500_000, MIDDLE),
        ("4475", 20_500_000, None),
        ("86", 12_300_000, None),
    ]
    mobile = deck.rates[1]
    assert (mobile.first, mobile.next, mobile.connect_nanos) == (30_000, 6_000, 1_000_000)


def test_the_longest_code_applies_from_its_date_on() -> None:
    history = deck_history([(SEPTEMBER, parse_deck(LIST))])
    assert history.rate_for("442079460000", OCTOBER).nanos == 10_200_000
    assert history.rate_for("447700900000", MIDDLE - 1).nanos == 20_500_000
    assert history.rate_for("447700900000", MIDDLE).nanos == 30_500_000
    assert history.rate_for("447500900000", MIDDLE).code == "4475"
    assert history.rate_for("44", OCTOBER).code == "44"


def test_a_code_may_move_to_another_destination() -> None:
    deck = rate_deck("USD", [_price("447", 1, None, "Mobile"), _price("447", 2, MIDDLE, "Jersey")])
    history = deck_history([(SEPTEMBER, deck)])
    assert history.rate_for("4477", MIDDLE - 1).destination == "Mobile"
    assert history.rate_for("4477", MIDDLE).destination == "Jersey"


def test_a_later_deck_replaces_the_one_before_as_a_whole() -> None:
    first, second = rate_deck("USD", [_price("44", 1), _price("86", 1)]), rate_deck("USD", [_price("44", 2)])
    history = deck_history([(OCTOBER, second), (SEPTEMBER, first)])
    assert history.rate_for("44123", OCTOBER - 1).nanos == 1
    assert history.rate_for("44123", OCTOBER).nanos == 2
    assert history.rate_for("86138", OCTOBER - 1).nanos == 1
    with pytest.raises(UnknownDestination, match="no rate for this number"):
        history.rate_for("86138", OCTOBER)
    assert history.moments() == (SEPTEMBER, OCTOBER)


def test_a_price_dated_after_its_deck_ended_never_applies() -> None:
    first = rate_deck("USD", [_price("44", 1), _price("44", 9, OCTOBER + 5)])
    history = deck_history([(SEPTEMBER, first), (OCTOBER, rate_deck("USD", [_price("44", 2)]))])
    assert history.rate_for("44123", OCTOBER + 9).nanos == 2
    assert history.moments() == (SEPTEMBER, OCTOBER)


@pytest.mark.parametrize(("number", "at"), [("447", SEPTEMBER - 1), ("331", OCTOBER), ("4", OCTOBER), ("", OCTOBER)])
def test_without_a_rate_the_destination_is_unknown_and_not_free(number: str, at: int) -> None:
    with pytest.raises(UnknownDestination):
        deck_history([(SEPTEMBER, parse_deck(LIST))]).rate_for(number, at)


def test_a_history_needs_decks_that_do_not_begin_at_once() -> None:
    deck = rate_deck("USD", [_price("44", 1)])
    with pytest.raises(Malformed, match="at least one published deck"):
        deck_history([])
    with pytest.raises(Malformed, match="take effect at once"):
        deck_history([(1, deck), (1, deck)])
    with pytest.raises(Malformed, match="two services"):
        deck_history([(1, deck), (2, RateDeck("USD", Service.SMS, deck.rates))])
    with pytest.raises(Malformed, match="needs rates"):
        rate_deck("USD", [])


def test_a_later_step_begins_where_an_increment_ends() -> None:
    good = Rate("X", "44", Nanos(1), first=60_000, next=6_000, later=LaterStep(66_000, Nanos(1), 1_000))
    assert rate_deck("USD", [good]).rates == (good,)
    with pytest.raises(Malformed, match="not a later step"):
        rate_deck(
            "USD", [Rate("X", "44", Nanos(1), first=60_000, next=6_000, later=LaterStep(65_000, Nanos(1), 1_000))]
        )


def test_the_hash_is_of_the_prices_and_not_of_the_files_order() -> None:
    header, *lines = LIST.splitlines()
    deck = parse_deck(LIST)
    assert deck_hash(parse_deck("\n".join([header, *reversed(lines)]))) == deck_hash(deck)
    assert deck_hash(parse_deck(LIST.replace("0.0102", "0.0103"))) != deck_hash(deck)
    assert deck_hash(parse_deck(LIST.replace("60/6,", "60/1,"))) != deck_hash(deck)
    assert deck_hash(parse_deck(LIST.replace("China", "PR China"))) != deck_hash(deck)


def test_a_batch_names_all_decks_its_events_fall_under() -> None:
    first, second = rate_deck("USD", [_price("44", 1)]), rate_deck("USD", [_price("44", 2)])
    history = deck_history([(SEPTEMBER, first), (OCTOBER, second)])
    assert decks_hash(history, SEPTEMBER, OCTOBER - 1) == deck_hash(first)
    assert decks_hash(history, OCTOBER, MIDDLE) == deck_hash(second)
    assert decks_hash(history, SEPTEMBER, OCTOBER) not in (deck_hash(first), deck_hash(second))


seconds = st.integers(1, 600).map(lambda value: value * 1000)
rates = st.builds(
    Rate,
    st.text("ABc ,\"';éÅ", min_size=1, max_size=6).map(str.strip).filter(bool),
    st.integers(1, 10**6).map(str),
    st.integers(0, 10**12).map(Nanos),
    st.just(60_000),
    seconds,
    seconds,
    st.integers(0, 10**12).map(Nanos),
    st.none() | st.integers(0, 4_000_000_000).map(lambda value: value * 1000),
)


@given(st.lists(rates, min_size=1, max_size=8, unique_by=lambda rate: (rate.code, rate.effective_ms)))
def test_a_deck_written_is_read_back_to_the_same_prices(prices: list[Rate]) -> None:
    deck = rate_deck("USD", prices)
    assert parse_deck(dump_deck(deck)) == deck
    assert deck_hash(rate_deck("USD", reversed(prices))) == deck_hash(deck)
