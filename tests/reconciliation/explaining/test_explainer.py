"""Is the rule named that made their figures, and none where none did?"""

from dataclasses import replace

import pytest

from ledger.agreement import Agreement
from ledger.money import Nanos, Rounding
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RatingTerms, RoundingPlace
from ledger.usage import USAGE_SCHEMA
from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import NOON_MS, Call, agreement, many, scope, table

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
    assert "a clock 8 h ahead" in said(priced(calls, decks), priced(calls, shifted), decks)


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
