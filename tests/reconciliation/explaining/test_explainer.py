"""Is the rule named that made their figures, and none where none did?"""

from dataclasses import replace
from datetime import date

import pyarrow.compute as pc
import pytest

from ledger.agreement import Agreement
from ledger.money import Nanos, Rounding
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.fx import conversion, parse_fx
from ledger.prices.fx_terms import FxTerms
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RatingTerms, RoundingPlace
from ledger.usage import USAGE_SCHEMA
from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import MONTH_START_MS, NOON_MS, Call, agreement, many, scope, table

AGREED = agreement()
MOBILE = Rate("United Kingdom Mobile", "447", Nanos(21_234_567), first=30_000, next=6_000, connect_nanos=Nanos(1_000))
FIXED = Rate("United Kingdom", "44", Nanos(8_190_000), first=1_000, next=1_000)
DECKS = deck_history([(0, rate_deck("USD", [MOBILE, FIXED]))])
HOUR_S = 3_600


def priced(calls: list[Call], decks: DeckHistory = DECKS, agreed: Agreement = AGREED) -> list[Call]:
    """The calls with the amounts, codes and destinations that these decks and this agreement give them."""
    rows = rate(table(calls).select(USAGE_SCHEMA.names), decks, agreed).rated.to_pylist()
    return [
        call.but(
            amount=row["amount_micros"],
            code=row["code"],
            destination=row["destination"],
            charged=row["charged_quantity"] / 1000,
        )
        for call, row in zip(calls, rows, strict=True)
    ]


def said(ours: list[Call], theirs: list[Call], decks: DeckHistory = DECKS, agreed: Agreement = AGREED) -> str:
    """What the creditor, who is us, hears of the price findings."""
    answer = reconcile(table(ours), table(theirs), scope=scope(), agreement=agreed, decks=decks)
    priced_apart = [f for f in answer.findings if f.cause in (Cause.RATE, Cause.ROUNDING, Cause.DESTINATION)]
    return " | ".join(finding.explanation for finding in priced_apart)


def with_rates(*rates: Rate) -> DeckHistory:
    return deck_history([(0, rate_deck("USD", rates))])


CALLS = [call.but(lasts=1 + at * 37 % 240) for at, call in enumerate(many(60))]


def test_amounts_that_no_rule_gives_are_explained_by_none() -> None:
    ours = priced(CALLS)
    theirs = [call.but(amount=(call.amount or 0) * 7 // 9 + at) for at, call in enumerate(ours)]
    assert "follow from" not in said(ours, theirs)


def test_a_rule_that_changes_nothing_explains_nothing() -> None:
    ours = priced(CALLS)
    theirs = [call.but(amount=(call.amount or 0) + 5_000) if at % 7 == 0 else call for at, call in enumerate(ours)]
    assert "follow from" not in said(ours, theirs)


def test_a_rounding_that_follows_the_whole_month_is_not_guessed_at() -> None:
    whole = replace(AGREED, rating=RatingTerms(place=RoundingPlace.STATEMENT))
    ours = priced(CALLS)
    assert "follow from" not in said(ours, [call.but(amount=(call.amount or 0) + 1) for call in ours], agreed=whole)


@pytest.mark.parametrize(
    ("mode", "words"), [(Rounding.FLOOR, "rounding floor"), (Rounding.CEILING, "rounding ceiling")]
)
def test_another_rounding_is_named(mode: Rounding, words: str) -> None:
    theirs = priced(CALLS, agreed=replace(AGREED, rounding=mode))
    assert f"CN-T's amounts on these codes follow from {words} to 6 decimals" in said(priced(CALLS), theirs)


def test_half_even_is_named_where_another_rounding_was_agreed() -> None:
    floored = replace(AGREED, rounding=Rounding.FLOOR)
    heard = said(priced(CALLS, agreed=floored), priced(CALLS), agreed=floored)
    assert "CN-T's amounts on these codes follow from rounding half even to 6 decimals: 60 of 60" in heard


def test_cents_are_named() -> None:
    theirs = priced(CALLS, agreed=replace(AGREED, rating=RatingTerms(decimals=2)))
    assert "on these codes follow from rounding half even to 2 decimals: 60 of 60, GB-B's from what was agreed" in said(
        priced(CALLS), theirs
    )


@pytest.mark.parametrize("increments", [(60, 60), (60, 1), (6, 6), (1, 1)])
def test_other_increments_are_named(increments: tuple[int, int]) -> None:
    first, following = increments
    otherwise = with_rates(replace(MOBILE, first=first * 1000, next=following * 1000))
    assert f"on these codes follow from increments of {first}/{following} s" in said(
        priced(CALLS), priced(CALLS, otherwise)
    )


def test_thirty_and_six_are_named_where_whole_minutes_were_agreed() -> None:
    minutes = with_rates(replace(MOBILE, first=60_000, next=60_000))
    heard = said(priced(CALLS, minutes), priced(CALLS), minutes)
    assert "CN-T's amounts on these codes follow from increments of 30/6 s: 60 of 60" in heard


def test_a_missing_connect_fee_is_named() -> None:
    dear = replace(MOBILE, connect_nanos=Nanos(50_000_000))
    decks = with_rates(dear, FIXED)
    theirs = priced(CALLS, with_rates(replace(dear, connect_nanos=Nanos(0)), FIXED))
    assert "on these codes follow from rates without the connect fee: 60 of 60" in said(
        priced(CALLS, decks), theirs, decks
    )


def test_a_deck_that_came_late_is_named_by_its_day() -> None:
    dearer = rate_deck("USD", [replace(MOBILE, nanos=Nanos(30_000_000))])
    decks = deck_history([(0, rate_deck("USD", [MOBILE])), (NOON_MS, dearer)])
    ours, theirs = priced(CALLS, decks), priced(CALLS, deck_history([(0, rate_deck("USD", [MOBILE]))]))
    assert "on these codes follow from the prices of 1970-01-01, before and after it: 60 of 60" in said(
        ours, theirs, decks
    )


def test_a_deck_that_came_early_is_named_by_its_day() -> None:
    dearer = rate_deck("USD", [replace(MOBILE, nanos=Nanos(30_000_000))])
    decks = deck_history([(0, rate_deck("USD", [MOBILE])), (NOON_MS, dearer)])
    ours, theirs = priced(CALLS, decks), priced(CALLS, deck_history([(0, dearer)]))
    assert "on these codes follow from the prices of 2026-10-11, before and after it: 60 of 60" in said(
        ours, theirs, decks
    )


def test_a_destination_opened_within_the_month_stops_no_search() -> None:
    """Before it opens nothing near its code has a price: a rule of that day cannot be built, and is passed over."""
    opened = replace(MOBILE, effective_ms=MONTH_START_MS + 1)
    decks = deck_history([(0, rate_deck("USD", [opened]))])
    theirs = with_rates(replace(MOBILE, first=60_000, next=60_000))
    assert "on these codes follow from increments of 60/60 s" in said(
        priced(CALLS, decks), priced(CALLS, theirs), decks
    )


EUROS = deck_history([(0, rate_deck("EUR", [MOBILE, FIXED]))])
EXCHANGE = parse_fx(
    "date,base,quote,rate,source\n"
    + "".join(f"2026-10-{day:02d},EUR,USD,1.{150 + 7 * day % 50},ECB\n" for day in range(1, 32))
)
CONVERTED = replace(AGREED, fx=FxTerms("ECB"))


def in_dollars(day: date | None, calls: list[Call] = CALLS) -> list[Call]:
    """The amounts by the exchange rate of a day, or of each call's own."""
    into = replace(conversion(EXCHANGE, CONVERTED, "EUR"), day=day)
    rows = rate(table(calls).select(USAGE_SCHEMA.names), EUROS, CONVERTED, into).rated.to_pylist()
    return [
        call.but(amount=row["amount_micros"], charged=row["charged_quantity"] / 1000)
        for call, row in zip(calls, rows, strict=True)
    ]


@pytest.mark.parametrize(
    ("agreed", "theirs", "words"),
    [
        (None, date(2026, 10, 3), "the exchange rate of 2026-10-03"),
        (date(2026, 10, 30), date(2026, 10, 12), "the exchange rate of 2026-10-12"),
        (date(2026, 10, 30), None, "exchange rates of each record's own day"),
    ],
)
def test_the_date_of_an_exchange_rate_is_named(agreed: date | None, theirs: date | None, words: str) -> None:
    sides = table(in_dollars(agreed)), table(in_dollars(theirs))
    differing = pc.sum(pc.not_equal(*(side["amount_micros"] for side in sides))).as_py()
    into = replace(conversion(EXCHANGE, CONVERTED, "EUR"), day=agreed)
    (found,) = reconcile(*sides, scope=scope(), agreement=CONVERTED, decks=EUROS, into=into).findings
    assert (found.cause, found.count) == (Cause.CURRENCY, differing)
    assert f"CN-T's amounts on these codes follow from {words}: 60 of 60, GB-B's from what was agreed" in (
        found.explanation
    )


def test_a_factor_of_no_days_exchange_rate_is_none() -> None:
    ours = in_dollars(None)
    theirs = [call.but(amount=(call.amount or 0) * 5 // 6) for call in ours]
    into = conversion(EXCHANGE, CONVERTED, "EUR")
    found = reconcile(table(ours), table(theirs), scope=scope(), agreement=CONVERTED, decks=EUROS, into=into).findings
    assert not any("exchange" in each.explanation for each in found)


def test_a_lost_dial_code_is_named() -> None:
    ours, theirs = priced(CALLS), priced(CALLS, with_rates(FIXED))
    assert "CN-T's amounts on these codes follow from the price of code 44 for longer codes, too: 60 of 60" in said(
        ours, theirs
    )


def test_a_clock_of_another_zone_is_named_where_a_price_changes() -> None:
    dearer = rate_deck("USD", [replace(MOBILE, nanos=Nanos(30_000_000))])
    decks = deck_history([(0, rate_deck("USD", [MOBILE])), (NOON_MS, dearer)])
    calls = [call.but(at=HOUR_S * 40 * (at / 60 - 0.5)) for at, call in enumerate(CALLS)]
    shifted = deck_history([(0, rate_deck("USD", [MOBILE])), (NOON_MS - 8 * HOUR_S * 1000, dearer)])
    assert "a clock 8 h ahead where the date or time of day decides: 60 of 60" in said(
        priced(calls, decks), priced(calls, shifted), decks
    )


def test_two_rules_at_once_are_named_together() -> None:
    otherwise = with_rates(replace(MOBILE, first=60_000, next=60_000))
    theirs = priced(CALLS, otherwise, replace(AGREED, rating=RatingTerms(decimals=2)))
    assert "on these codes follow from rounding half even to 2 decimals, and increments of 60/60 s" in said(
        priced(CALLS), theirs
    )


def test_the_creditor_is_named_if_the_debtor_reckons_as_agreed() -> None:
    ours = priced(CALLS, with_rates(replace(MOBILE, first=60_000, next=60_000)))
    assert "GB-B's amounts on these codes follow from increments of 60/60 s: 60 of 60" in said(ours, priced(CALLS))


def test_records_that_the_rule_leaves_are_counted() -> None:
    theirs = priced(CALLS, with_rates(replace(MOBILE, first=60_000, next=60_000)))
    theirs[7] = theirs[7].but(amount=1)
    assert "on these codes follow from increments of 60/60 s: 59 of 60" in said(priced(CALLS), theirs)


@pytest.mark.parametrize("otherwise", [replace(AGREED, rating=RatingTerms(decimals=2)), AGREED])
def test_amounts_that_another_rounding_or_increment_gives_are_no_other_rate(otherwise: Agreement) -> None:
    """Cents on calls of cents move more than a hundredth: by the amounts alone it looks like a rate."""
    decks = DECKS if otherwise != AGREED else with_rates(replace(MOBILE, first=60_000, next=60_000))
    ours, theirs = priced(CALLS), priced(CALLS, decks, otherwise)
    theirs = [call.but(charged=mine.charged) for call, mine in zip(theirs, ours, strict=True)]
    (found,) = reconcile(table(ours), table(theirs), scope=scope(), agreement=AGREED, decks=DECKS).findings
    (plain,) = reconcile(table(ours), table(theirs), scope=scope(), agreement=AGREED).findings
    assert (found.cause, plain.cause) == (Cause.ROUNDING, Cause.RATE)
    assert found.severity is plain.severity


def test_a_rounding_that_gives_only_some_amounts_leaves_it_a_rate() -> None:
    theirs = priced(CALLS, agreed=replace(AGREED, rating=RatingTerms(decimals=2)))
    theirs = [call.but(amount=7) if at % 5 == 0 else call for at, call in enumerate(theirs)]
    (found,) = reconcile(table(priced(CALLS)), table(theirs), scope=scope(), agreement=AGREED, decks=DECKS).findings
    assert (found.cause, "48 of 60" in found.explanation) == (Cause.RATE, True)
