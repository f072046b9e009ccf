"""What does a call to this number cost at this moment? A-Z price lists, their dates and their order of publication."""

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from ledger.canonical import Value, canonical_hash
from ledger.errors import CurrencyMismatch, Malformed, UnknownDestination
from ledger.keccak import keccak256
from ledger.money import Nanos, parse_nanos
from ledger.service import Service

MINUTE_MS = 60_000
MAX_CODE_DIGITS = 15
_MAX_INCREMENT_S = 3_600
_MAX_ROW_CHARACTERS = 65_536


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


@dataclass(frozen=True, slots=True)
class RateDeck:
    """A price list; its rates are ordered by code and date. Make it with `rate_deck` or `parse_deck`."""

    currency: str
    service: Service
    rates: tuple[Rate, ...]


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

    def rate_for(self, number: str, at_ms: int) -> Rate:
        """The price of a call to a number in E.164 digits at a moment. Raises UnknownDestination."""
        rates = _in_force(self, self._moment_of(at_ms))
        for length in range(min(len(number), MAX_CODE_DIGITS), 0, -1):
            if (rate := rates.get(number[:length])) is not None:
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

    def in_force(self, at_ms: int) -> Mapping[str, Rate]:
        """Every code's rate at a moment. Raises UnknownDestination before the first deck."""
        return _in_force(self, self._moment_of(at_ms))

    def _moment_of(self, at_ms: int) -> int:
        moments = _moments(self)
        return moments[max(0, bisect_right(moments, at_ms) - 1)] if at_ms >= moments[0] else at_ms


def rate_deck(currency: str, rates: Iterable[Rate], service: Service = Service.VOICE) -> RateDeck:
    """A deck of these rates in canonical order. Raises Malformed."""
    ordered = sorted(rates, key=_order)
    if not ordered:
        raise Malformed("a rate deck needs rates", expected="at least one", got=0)
    for rate in ordered:
        _check_rate(rate)
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
        _check_currency(before.deck.currency, after.deck.currency)
        if before.deck.service != after.deck.service:
            raise Malformed("decks of two services", expected=before.deck.service.word, got=after.deck.service.word)
    return DeckHistory(dated)


def deck_hash(deck: RateDeck) -> bytes:
    """keccak256 of the deck's canonical bytes; the order of the file's lines does not matter."""
    return canonical_hash("rate-deck", [deck.currency, int(deck.service), [_values(rate) for rate in deck.rates]])


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


def load_deck(path: Path, currency: str | None = None, service: Service = Service.VOICE) -> RateDeck:
    """Read a deck file. Raises Malformed, CurrencyMismatch."""
    try:
        return parse_deck(path.read_text("utf-8-sig"), currency, service)
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed("the rate deck cannot be read", expected="a UTF-8 text file", got=str(error)) from None


def parse_deck(source: Path | str, currency: str | None = None, service: Service = Service.VOICE) -> RateDeck:
    """Read a price list from a file, or from its text.

    A header line names the columns: destination, code (one, or several with ';'), rate (for a minute), increment
    ("60/60", "30/6", seconds), and optionally connect_fee, effective_date (YYYY-MM-DD, midnight UTC, or a moment with
    its offset), currency, and for stepped rates later_after, later_rate, later_increment (seconds, a minute, seconds).
    Without a currency column `currency` says it. Raises Malformed with the line, CurrencyMismatch.
    """
    if isinstance(source, Path):
        return load_deck(source, currency, service)
    rows = _rows(source)
    stated: set[str] = set()
    rates: list[Rate] = []
    for line, row in rows:
        try:
            stated.add(row.get("currency") or currency or "")
            rates += _rates_of(row)
        except Malformed as error:
            raise Malformed(
                f"line {line} of the rate deck: {error.message}", expected=error.expected, got=error.got, line=line
            ) from None
    return rate_deck(_one_currency(stated, currency), rates, service)


def dump_deck(deck: RateDeck) -> str:
    """The deck as a file that `parse_deck` reads back to the same values; voice prices only."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for rate in deck.rates:
        moment = "" if rate.effective_ms is None else datetime.fromtimestamp(rate.effective_ms / 1000, UTC).isoformat()
        step = rate.later
        later = ("", "", "") if step is None else (step.after // 1000, _show_nanos(step.nanos), step.increment // 1000)
        increment = f"{rate.first // 1000}/{rate.next // 1000}"
        fee = _show_nanos(rate.connect_nanos)
        price = _show_nanos(rate.nanos)
        writer.writerow([rate.destination, rate.code, price, increment, fee, moment, deck.currency, *later])
    return out.getvalue()


_COLUMNS = [
    "destination",
    "code",
    "rate",
    "increment",
    "connect_fee",
    "effective_date",
    "currency",
    "later_after",
    "later_rate",
    "later_increment",
]
_REQUIRED = ("destination", "code", "rate", "increment")


@lru_cache(maxsize=8)
def _moments(history: DeckHistory) -> tuple[int, ...]:
    return history.moments()


@lru_cache(maxsize=16)
def _in_force(history: DeckHistory, at_ms: int) -> Mapping[str, Rate]:
    """Rates are ordered by code and date, so the last that has begun wins."""
    rates = history.deck_at(at_ms).rates
    return {rate.code: rate for rate in rates if rate.effective_ms is None or rate.effective_ms <= at_ms}


def _order(rate: Rate) -> tuple[str, int]:
    return rate.code, -1 if rate.effective_ms is None else rate.effective_ms


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
    ]


def _check_rate(rate: Rate) -> None:
    if not _is_code(rate.code):
        raise Malformed("not a dial code", expected=f"1 to {MAX_CODE_DIGITS} digits, no leading 0", got=rate.code)
    if not rate.destination or rate.nanos < 0 or rate.connect_nanos < 0:
        raise Malformed("not a rate", expected="a destination and prices of 0 or more", got=f"code {rate.code}")
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


def _check_currency(expected: str, got: str) -> None:
    if expected != got:
        raise CurrencyMismatch("the rate deck is in another currency", expected=expected, got=got or "none")


def _one_currency(stated: set[str], currency: str | None) -> str:
    expected = currency or min(stated, default="")
    for got in sorted(stated):
        _check_currency(expected, got)
    if not expected:
        raise Malformed("the rate deck names no currency", expected="a currency column", got="none")
    return expected


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        _check_header(header)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header) or sum(map(len, row)) > _MAX_ROW_CHARACTERS:
                raise Malformed(
                    f"line {reader.line_num} of the rate deck has another width", expected=len(header), got=len(row)
                )
            yield reader.line_num, {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        raise Malformed(
            f"line {reader.line_num} of the rate deck is not CSV", expected="RFC 4180", got=str(error)
        ) from None


def _check_header(header: list[str]) -> None:
    missing = [name for name in _REQUIRED if name not in header]
    unknown = [name for name in header if name not in _COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        raise Malformed(
            "the rate deck's header line has other columns",
            expected=", ".join(_COLUMNS),
            got=", ".join(header)[:200] or "nothing",
            todo="Rename the columns; docs/formats.md shows an example.",
        )


def _rates_of(row: Mapping[str, str]) -> Iterator[Rate]:
    first, following = _increments(row["increment"])
    rate = parse_nanos(row["rate"])
    fee = parse_nanos(row.get("connect_fee") or "0")
    effective = _moment(row.get("effective_date") or "")
    later = _later(row)
    for code in row["code"].split(";"):
        price = Rate(row["destination"], code.strip(), rate, MINUTE_MS, first, following, fee, effective, later)
        _check_rate(price)
        yield price


def _increments(text: str) -> tuple[int, int]:
    first, slash, following = text.partition("/")
    return _seconds(first), _seconds(following if slash else first)


def _seconds(text: str) -> int:
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 4 and 1 <= int(digits) <= _MAX_INCREMENT_S:
        return int(digits) * 1000
    raise Malformed("not an increment", expected=f"seconds from 1 to {_MAX_INCREMENT_S}, as 60/6", got=repr(text[:20]))


def _later(row: Mapping[str, str]) -> LaterStep | None:
    if not (after := row.get("later_after", "")):
        return None
    return LaterStep(_seconds(after), parse_nanos(row.get("later_rate", "")), _seconds(row.get("later_increment", "")))


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or not text.isascii() or (moment.tzinfo is None and len(text) != 10):
        raise Malformed("not a date of effect", expected="2026-10-15 or 2026-10-15T00:00:00Z", got=repr(text[:40]))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1000


def _show_nanos(nanos: int) -> str:
    whole, part = divmod(nanos, 10**9)
    return f"{whole}.{part:09d}"
