"""What does a call to this number cost at this moment? A-Z price lists, their dates and their order of publication."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

from ledger.canonical import Value, canonical_hash
from ledger.errors import CurrencyMismatch, Malformed, UnknownDestination
from ledger.keccak import keccak256
from ledger.money import Nanos
from ledger.service import Service

MINUTE_MS = 60_000
MAX_CODE_DIGITS = 15


class RateStatus(StrEnum):
    """What a line of a deck says about its code from its date on."""

    OPEN = "open"
    """Calls have this price."""
    BLOCKED = "blocked"
    """The destination is closed: a call to it has no price, also where a shorter code has one."""
    REMOVED = "removed"
    """The code has left the deck: the next shorter one applies."""


class MaxRule(StrEnum):
    """What happens when a call reaches its maximum charge."""

    FREE = "free"
    """It goes on for nothing."""
    DISCONNECT = "disconnect"
    """The switch ends it; a record that is longer all the same is charged in full."""


@dataclass(frozen=True, slots=True)
class LaterStep:
    """Another price for the part of a call beyond `after`: the second rate group of a stepped rate."""

    after: int
    """Quantity at which it begins; an end of the first step's increments."""
    nanos: Nanos
    """For `Rate.per` units."""
    increment: int


@dataclass(frozen=True, slots=True)
class Rate:
    """One price of a rate deck. Quantities are in the service's unit: milliseconds for voice."""

    destination: str
    code: str
    """Dial code, digits; the longest that begins the number applies."""
    nanos: Nanos
    """Price of `per` units."""
    per: int = MINUTE_MS
    first: int = 1_000
    """First increment; a shorter quantity is charged as this."""
    next: int = 1_000
    """Later increments, counted from the end of the first."""
    connect_nanos: Nanos = field(default=Nanos(0))
    """Fee for each charged record."""
    effective_ms: int | None = None
    """In force from then; None: as soon as the deck is."""
    later: LaterStep | None = None
    attempt_nanos: Nanos = field(default=Nanos(0))
    """Fee for each attempt that failed: a record of quantity 0."""
    min_nanos: Nanos = field(default=Nanos(0))
    """Least charge of a record of more than 0, fee and surcharge included."""
    max_nanos: Nanos | None = None
    """Highest charge of a record, fee and surcharge included."""
    max_rule: MaxRule = MaxRule.FREE
    origin: str = ""
    """Only for calls of this origin (ledger/prices/rating_terms.py); "": of every one."""
    band: str = ""
    """Only in this time band; "": at any time."""
    status: RateStatus = RateStatus.OPEN

    @property
    def is_plain(self) -> bool:
        """Whether a record's number, start and quantity alone decide, in increments and a fee."""
        fees = self.attempt_nanos or self.min_nanos or self.max_nanos is not None or self.max_rule is not MaxRule.FREE
        return not (fees or self.origin or self.band or self.status is not RateStatus.OPEN)


@dataclass(frozen=True)
class RateDeck:
    """A price list; its rates are ordered by code and date. Make it with `rate_deck` or `parse_deck`.

    Without slots, since it keeps its hash: that of 200,000 codes takes seconds.
    """

    currency: str
    service: Service
    rates: tuple[Rate, ...]

    @cached_property
    def hashed(self) -> bytes:
        """keccak256 of the canonical bytes."""
        return canonical_hash("rate-deck", [self.currency, int(self.service), [_values(rate) for rate in self.rates]])


@dataclass(frozen=True, slots=True)
class DatedDeck:
    """A deck and the moment from which it replaces the one before."""

    effective_ms: int
    deck: RateDeck


@dataclass(frozen=True, slots=True, eq=False)
class DeckHistory:
    """The decks of one creditor and service as they were published, in order of effect. Make it with `deck_history`."""

    decks: tuple[DatedDeck, ...]

    @property
    def currency(self) -> str:
        return self.decks[0].deck.currency

    @property
    def service(self) -> Service:
        return self.decks[0].deck.service

    def deck_at(self, at_ms: int) -> RateDeck:
        """The deck in force. Raises UnknownDestination before the first."""
        position = bisect_right([dated.effective_ms for dated in self.decks], at_ms)
        if position == 0:
            raise UnknownDestination(
                "no rate deck is in force", expected=f"an event from {self.decks[0].effective_ms} on", got=at_ms
            )
        return self.decks[position - 1].deck

    def rate_for(self, number: str, at_ms: int, origin: str = "", band: str = "") -> Rate:
        """The price of a call to a number in E.164 digits at a moment. Raises UnknownDestination.

        Of the rates that fit the call (begun, of its origin or of any, of its band or of any) the longest code's
        applies; of one code's, the one that names the origin, then the one that names the band.
        """
        rates = self.in_force(at_ms, origin, band)
        for length in range(min(len(number), MAX_CODE_DIGITS), 0, -1):
            if (rate := rates.get(number[:length])) is not None:
                if rate.status is RateStatus.BLOCKED:
                    raise UnknownDestination(
                        "the destination is closed", expected="a code that is open", got=f"{number}, code {rate.code}"
                    )
                return rate
        raise UnknownDestination(
            "no rate for this number",
            expected="a dial code that begins it",
            got=number,
            todo="Ask the creditor for a deck that has the destination; the record stays quarantined until then.",
        )

    def moments(self) -> tuple[int, ...]:
        """When any price changes: starts of decks, and dated rates while their deck is in force; ascending."""
        ends = [dated.effective_ms for dated in self.decks[1:]]
        found = {dated.effective_ms for dated in self.decks}
        for dated, end in zip(self.decks, [*ends, None], strict=True):
            dates = {rate.effective_ms for rate in dated.deck.rates if rate.effective_ms is not None}
            found |= {at for at in dates if at > dated.effective_ms and (end is None or at < end)}
        return tuple(sorted(found))

    def in_force(self, at_ms: int, origin: str = "", band: str = "") -> Mapping[str, Rate]:
        """Every code's rate at a moment for calls of an origin and a band. Raises UnknownDestination before the first
        deck."""
        return _in_force(self, self._moment_of(at_ms), origin, band)

    def _moment_of(self, at_ms: int) -> int:
        moments = _moments(self)
        return moments[max(0, bisect_right(moments, at_ms) - 1)] if at_ms >= moments[0] else at_ms


def rate_deck(currency: str, rates: Iterable[Rate], service: Service = Service.VOICE) -> RateDeck:
    """A deck of these rates in canonical order. Raises Malformed."""
    ordered = sorted(rates, key=_order)
    if not ordered:
        raise Malformed("a rate deck needs rates", expected="at least one", got=0)
    for rate in ordered:
        check_rate(rate)
    for before, after in pairwise(ordered):
        if _order(before) == _order(after):
            raise Malformed("a code has two rates from one date", expected="one rate", got=f"code {after.code} twice")
    return RateDeck(currency, service, tuple(ordered))


def deck_history(decks: Iterable[tuple[int, RateDeck]]) -> DeckHistory:
    """Decks with the UTC milliseconds from which each applies. Raises Malformed, CurrencyMismatch."""
    dated = tuple(DatedDeck(at, deck) for at, deck in sorted(decks, key=lambda pair: pair[0]))
    if not dated:
        raise Malformed("no rate deck is known", expected="at least one published deck", got=0)
    for before, after in pairwise(dated):
        if before.effective_ms == after.effective_ms:
            raise Malformed("two decks take effect at once", expected="one", got=after.effective_ms)
        check_currency(before.deck.currency, after.deck.currency)
        if before.deck.service != after.deck.service:
            raise Malformed("decks of two services", expected=before.deck.service.word, got=after.deck.service.word)
    return DeckHistory(dated)


def deck_hash(deck: RateDeck) -> bytes:
    """keccak256 of the deck's canonical bytes; the order of the file's lines does not matter."""
    return deck.hashed


def decks_hash(history: DeckHistory, from_ms: int, to_ms: int) -> bytes:
    """What a declaration names as its decks: the hash of the one deck in force in [from, to], or, if there were
    several, keccak256 of their hashes one after another."""
    ends = [dated.effective_ms for dated in history.decks[1:]]
    hashes = [
        deck_hash(dated.deck)
        for dated, end in zip(history.decks, [*ends, None], strict=True)
        if dated.effective_ms <= to_ms and (end is None or end > from_ms)
    ]
    return hashes[0] if len(hashes) == 1 else keccak256(b"".join(hashes))


@lru_cache(maxsize=8)
def _moments(history: DeckHistory) -> tuple[int, ...]:
    return history.moments()


@lru_cache(maxsize=64)
def _in_force(history: DeckHistory, at_ms: int, origin: str, band: str) -> Mapping[str, Rate]:
    """Rates are ordered by code, origin, band and date: the last that has begun wins, then the one that names more."""
    begun: dict[tuple[str, str, str], Rate] = {}
    for rate in history.deck_at(at_ms).rates:
        fits = rate.origin in ("", origin) and rate.band in ("", band)
        if fits and (rate.effective_ms is None or rate.effective_ms <= at_ms):
            begun[rate.code, rate.origin, rate.band] = rate
    return {rate.code: rate for rate in begun.values() if rate.status is not RateStatus.REMOVED}


def _order(rate: Rate) -> tuple[str, str, str, int]:
    return rate.code, rate.origin, rate.band, -1 if rate.effective_ms is None else rate.effective_ms


def _values(rate: Rate) -> list[Value]:
    later = rate.later
    return [
        rate.destination,
        rate.code,
        rate.nanos,
        rate.per,
        rate.first,
        rate.next,
        rate.connect_nanos,
        rate.effective_ms,
        None if later is None else [later.after, later.nanos, later.increment],
        *([] if rate.is_plain else _further(rate)),
    ]


def _further(rate: Rate) -> list[Value]:
    most = rate.max_nanos
    return [rate.attempt_nanos, rate.min_nanos, most, str(rate.max_rule), rate.origin, rate.band, str(rate.status)]


def check_rate(rate: Rate) -> None:
    if not _is_code(rate.code):
        raise Malformed("not a dial code", expected=f"1 to {MAX_CODE_DIGITS} digits, no leading 0", got=rate.code)
    if not rate.destination or rate.nanos < 0 or rate.connect_nanos < 0:
        raise Malformed("not a rate", expected="a destination and prices of 0 or more", got=f"code {rate.code}")
    if min(rate.attempt_nanos, rate.min_nanos) < 0 or (rate.max_nanos is not None and rate.max_nanos < rate.min_nanos):
        raise Malformed(
            "not a charge's bounds", expected="0 or more, the least below the most", got=f"code {rate.code}"
        )
    if min(rate.per, rate.first, rate.next) < 1:
        raise Malformed("not an increment", expected="1 or more", got=f"{rate.first}/{rate.next}")
    if rate.effective_ms is not None and rate.effective_ms < 0:
        raise Malformed("not a date of effect", expected="1970 or later", got=rate.effective_ms)
    later = rate.later
    if later is not None and (later.nanos < 0 or later.increment < 1 or not _ends_increment(rate, later.after)):
        raise Malformed("not a later step", expected=f"an end of increments {rate.first}/{rate.next}", got=later.after)


def _ends_increment(rate: Rate, quantity: int) -> bool:
    return quantity >= rate.first and (quantity - rate.first) % rate.next == 0


def _is_code(text: str) -> bool:
    return 0 < len(text) <= MAX_CODE_DIGITS and text.isascii() and text.isdigit() and text[0] != "0"


def check_currency(expected: str, got: str) -> None:
    if expected != got:
        raise CurrencyMismatch("the rate deck is in another currency", expected=expected, got=got or "none")
