"""How could a carrier reckon otherwise than was agreed? The rules that the trade's disputes come down to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from ledger.agreement import Agreement
from ledger.money import Nanos, Rounding
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.fx import Conversion

INCREMENTS_S = ((1, 1), (6, 6), (30, 6), (60, 1), (60, 60))
HOUR_MS = 3_600_000
DAYS_BEFORE, DAYS_AFTER = timedelta(days=31), timedelta(days=62)
"""A rate is of a day about the records: of the month before, of the statement, of the receipt."""
ZONES_H = tuple(hours for hours in range(-12, 15) if hours)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All that an amount follows from, beside the record."""

    history: DeckHistory
    agreement: Agreement
    shift_ms: int = 0
    """What their clock adds before it looks for the deck and the time band."""
    into: Conversion | None = None
    """What brings the deck's currency into the agreement's, where they differ."""


class Kind(StrEnum):
    """What a rule changes; a pair of rules is of two kinds."""

    ROUNDING = "rounding"
    """Mode or place."""
    INCREMENTS = "increments"
    """Of every rate."""
    FEE = "fee"
    """The connect fee is left out."""
    DECK = "deck"
    """The prices of one day, for all days."""
    CODE = "code"
    """A shorter dial code."""
    ORIGIN = "origin"
    """Where a call comes from."""
    ZONE = "zone"
    """The clock that chooses deck and time band."""
    CURRENCY = "currency"
    """The day of the exchange rate."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to reckon otherwise."""

    kind: Kind
    words: str
    change: Callable[[Reckoning], Reckoning]
    is_common: bool = True
    """Tried together with another rule, too."""


def plausible_rules(agreed: Reckoning, codes: frozenset[str], starts_ms: tuple[int, int]) -> Iterator[Rule]:
    """Ways to reckon otherwise, the smallest first, for records of these codes that start between these moments."""
    yield from _roundings(agreed)
    yield from _increments()
    yield Rule(Kind.FEE, "rates without the connect fee", _without_connect_fee)
    yield from _decks(agreed)
    yield from _shorter_codes(codes)
    yield Rule(Kind.ORIGIN, "rates that do not ask where a call comes from", _without_origins)
    yield from _exchange_days(agreed, starts_ms)
    if _time_matters(agreed, starts_ms):
        yield from (_zone(hours) for hours in ZONES_H)


def both(first: Rule, second: Rule) -> Rule:
    """Two rules at once, of the larger one's kind."""
    return Rule(second.kind, f"{first.words}, and {second.words}", lambda agreed: second.change(first.change(agreed)))


def _with_rates(reckoning: Reckoning, change: Callable[[Sequence[Rate]], Sequence[Rate]]) -> Reckoning:
    decks = [
        (dated.effective_ms, rate_deck(dated.deck.currency, rates, dated.deck.service))
        for dated in reckoning.history.decks
        if (rates := change(dated.deck.rates))
    ]
    return replace(reckoning, history=deck_history(decks)) if decks else reckoning


def _roundings(agreed: Reckoning) -> Iterator[Rule]:
    own = agreed.agreement.rounding
    for decimals in dict.fromkeys((agreed.agreement.rating.decimals, 6, 5, 4, 3, 2)):
        for mode in sorted(Rounding, key=lambda mode: (mode != own, mode != Rounding.HALF_EVEN)):
            if (mode, decimals) != (own, agreed.agreement.rating.decimals):
                words = f"rounding {mode.value.replace('-', ' ')} to {decimals} decimals"
                is_common = mode == own or decimals == agreed.agreement.rating.decimals
                yield Rule(Kind.ROUNDING, words, _rounded(mode, decimals), is_common)


def _rounded(mode: Rounding, decimals: int) -> Callable[[Reckoning], Reckoning]:
    def change(reckoning: Reckoning) -> Reckoning:
        agreement = reckoning.agreement
        terms = replace(agreement.rating, decimals=decimals)
        return replace(reckoning, agreement=replace(agreement, rounding=mode, rating=terms))

    return change


def _increments() -> Iterator[Rule]:
    for first, following in INCREMENTS_S:
        yield Rule(
            Kind.INCREMENTS, f"increments of {first}/{following} s", _with_increments(first * 1000, following * 1000)
        )


def _with_increments(first: int, following: int) -> Callable[[Reckoning], Reckoning]:
    def each(rates: Sequence[Rate]) -> Sequence[Rate]:
        return [replace(rate, first=first, next=following, later=None) for rate in rates]

    return lambda reckoning: _with_rates(reckoning, each)


def _without_connect_fee(reckoning: Reckoning) -> Reckoning:
    return _with_rates(reckoning, lambda rates: [replace(rate, connect_nanos=Nanos(0)) for rate in rates])


def _decks(agreed: Reckoning) -> Iterator[Rule]:
    for moment in agreed.history.moments():
        day = datetime.fromtimestamp(moment // 1000, agreed.agreement.zone).date()
        yield Rule(Kind.DECK, f"the prices of {day}, before and after it", _frozen_at(moment))


def _frozen_at(moment: int) -> Callable[[Reckoning], Reckoning]:
    """The prices in force at a moment, for all time: a change missed, or made too early."""

    def change(reckoning: Reckoning) -> Reckoning:
        deck = reckoning.history.deck_at(moment)
        begun: dict[tuple[str, str, str], Rate] = {}
        for each in deck.rates:
            if each.effective_ms is None or each.effective_ms <= moment:
                begun[each.code, each.origin, each.band] = replace(each, effective_ms=None)
        if not begun:
            return reckoning
        return replace(reckoning, history=deck_history([(0, rate_deck(deck.currency, begun.values(), deck.service))]))

    return change


def _shorter_codes(codes: frozenset[str]) -> Iterator[Rule]:
    """Their own code is what they matched; ours is a longer one that they did not have."""
    for code in sorted(codes - {""}, key=lambda code: (-len(code), code)):
        yield Rule(Kind.CODE, f"the price of code {code} for longer codes, too", _as_code(code))


def _as_code(code: str) -> Callable[[Reckoning], Reckoning]:
    def without(rates: Sequence[Rate]) -> Sequence[Rate]:
        return [rate for rate in rates if rate.code == code or not rate.code.startswith(code)]

    return lambda reckoning: _with_rates(reckoning, without)


def _without_origins(reckoning: Reckoning) -> Reckoning:
    agreement = reckoning.agreement
    terms = replace(agreement.rating, surcharges=(), unknown_callers=None)
    plain = replace(reckoning, agreement=replace(agreement, rating=terms))
    return _with_rates(plain, lambda rates: [rate for rate in rates if not rate.origin])


def _exchange_days(agreed: Reckoning, starts_ms: tuple[int, int]) -> Iterator[Rule]:
    """The exchange rates of any one published day about these records, or of each record's own."""
    into = agreed.into
    if into is None:
        return
    first, last = (datetime.fromtimestamp(each // 1000, UTC).date() for each in starts_ms)
    stated = {each.day for each in into.rates.rates if {each.base, each.quote} == {into.base, into.quote}}
    near = (day for day in sorted(stated) if first - DAYS_BEFORE <= day <= last + DAYS_AFTER)
    if into.day is not None:
        yield _exchanged(None, "exchange rates of each record's own day")
    for day in near:
        yield _exchanged(day, f"the exchange rate of {day}")


def _exchanged(day: date | None, words: str) -> Rule:
    def change(reckoning: Reckoning) -> Reckoning:
        assert reckoning.into is not None, "rules about exchange rates are for amounts that are converted"
        return replace(reckoning, into=replace(reckoning.into, day=day))

    return Rule(Kind.CURRENCY, words, change, is_common=False)


def _time_matters(agreed: Reckoning, starts_ms: tuple[int, int]) -> bool:
    """Whether some hours more or less could choose another price."""
    if agreed.agreement.rating.bands.bands:
        return True
    reach = max(abs(hours) for hours in ZONES_H) * HOUR_MS
    first, last = starts_ms[0] - reach, starts_ms[1] + reach
    return any(first <= moment <= last for moment in agreed.history.moments())


def _zone(hours: int) -> Rule:
    way = "ahead" if hours > 0 else "behind"
    return Rule(
        Kind.ZONE,
        f"a clock {abs(hours)} h {way} where the date or time of day decides",
        lambda reckoning: replace(reckoning, shift_ms=hours * HOUR_MS),
        is_common=False,
    )
