"""How many units of one currency are one of another, on which day, and who said so? Dated rates that both signed.

A rate is exact as written; an amount is converted as a fraction and rounded once, where the agreement rounds. Special
drawing rights are a currency like others (XDR).
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import ClassVar
from zoneinfo import ZoneInfo

from ledger.agreement import Agreement
from ledger.canonical import canonical_hash
from ledger.chain.abi import FixedBytes, keccak
from ledger.chain.bound import Fields, Struct
from ledger.errors import Malformed, NotFound, SignatureRefused
from ledger.identity import Address, CarrierCode
from ledger.money import Micros, Rounding, divide
from ledger.prices.fx_terms import FxDate, FxTerms
from ledger.prices.rating_terms import RoundingPlace
from ledger.typed_data import Domain, digest, recover

COLUMNS = ("date", "base", "quote", "rate", "source")
OFF_CHAIN = Domain(0, Address("0x" + 40 * "0"))
"""What a signature of rates is for: a paper between two carriers, which no contract reads."""
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class FxRate:
    """One unit of `base` is `rate` units of `quote`."""

    day: date
    base: str
    quote: str
    rate: Fraction
    """Above 0, exact as written."""
    source: str


@dataclass(frozen=True, slots=True)
class FxRates:
    """A file of rates, ordered by day and currencies. Make it with `parse_fx`."""

    rates: tuple[FxRate, ...]

    def factor(self, base: str, quote: str, day: date, terms: FxTerms) -> Fraction:
        """How many units of `quote` one of `base` is on a day: stated, or the inverse of what is. Raises NotFound."""
        if base == quote:
            return Fraction(1)
        oldest = day - timedelta(days=terms.gap_days)
        for rate in reversed(self.rates):
            if oldest <= rate.day <= day and rate.source == terms.source:
                if (rate.base, rate.quote) == (base, quote):
                    return rate.rate
                if (rate.base, rate.quote) == (quote, base):
                    return 1 / rate.rate
        raise NotFound(
            f"no exchange rate of {terms.source} from {base} to {quote}",
            expected=f"one from {oldest} to {day}",
            got="none in the rates file",
            todo="Have both sign a file that has it.",
        )


@dataclass(frozen=True, slots=True)
class Conversion:
    """From which currency amounts come into the agreement's, and on which day."""

    rates: FxRates
    terms: FxTerms
    base: str
    quote: str
    zone: ZoneInfo
    """Accounting zone, where an event's day begins."""
    day: date | None = None
    """Of the statement or the receipt; None: each event's own."""

    def factor_at(self, at_ms: int) -> Fraction:
        """Units of `quote` for one of `base`, of an event. Raises NotFound."""
        day = self.day
        if day is None:
            day = datetime.fromtimestamp(at_ms // 1000, self.zone).date()
        return self.rates.factor(self.base, self.quote, day, self.terms)


@dataclass(frozen=True, slots=True)
class FxPaper(Struct):
    """What both carriers sign: these rates hold under this agreement. EIP-712, as the contracts' structs."""

    TYPE: ClassVar[str] = "FxPaper(bytes32 documentHash,bytes32 ratesHash)"
    TYPEHASH: ClassVar[bytes] = keccak(TYPE.encode("ascii"))
    FIELDS: ClassVar[Fields] = (("document_hash", FixedBytes(32)), ("rates_hash", FixedBytes(32)))

    document_hash: bytes
    """Of the agreement (ledger.agreement_file.document_hash)."""
    rates_hash: bytes


def conversion(rates: FxRates, agreement: Agreement, base: str, day: date | None = None) -> Conversion:
    """What brings amounts in `base` into the agreement's currency; day: of statement or receipt. Raises Malformed."""
    terms = agreement.fx
    if terms is None:
        raise Malformed(
            "the agreement says nothing of exchange rates", expected="its section [fx]", got=f"amounts in {base}"
        )
    if (terms.date is FxDate.EVENT) != (day is None):
        raise Malformed(
            f"exchange rates are of the day of {terms.date}",
            expected="no other day" if day is not None else f"the day of {terms.date}",
            got=day or "none",
        )
    if agreement.rating.place is RoundingPlace.INCREMENT:
        raise Malformed(
            "an amount by rounded increments cannot be converted with one rounding",
            expected="rounding_place record or statement",
            got=agreement.rating.place,
        )
    return Conversion(rates, terms, base, agreement.currency, agreement.zone, day)


class RapCode(IntEnum):
    """What a returned-accounts process says about an exchange rate in a TAP file."""

    FITS = 0
    SEVERE = 200
    """The rate is lower than published: the amount in SDR is too high."""
    WARNING = 202
    """The rate is higher than published: the amount in SDR is too low."""


@dataclass(frozen=True, slots=True)
class RapCheck:
    """An amount in SDR that a TAP file states at its rate, against the published one."""

    code: RapCode
    stated_micros: Micros
    published_micros: Micros
    difference_ppm: int
    """Stated against published; positive overcharges."""


def parse_fx(text: str) -> FxRates:
    """Read a rates file: CSV with the columns date, base, quote, rate, source. Raises Malformed with the line."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rates: list[FxRate] = []
    try:
        header = tuple(name.strip().lower() for name in next(reader, []))
        if header != COLUMNS:
            raise Malformed("not a file of exchange rates", expected=",".join(COLUMNS), got=",".join(header)[:200])
        filled = (row for row in reader if any(cell.strip() for cell in row))
        rates.extend(_rate_of([cell.strip() for cell in row], reader.line_num) for row in filled)
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num} is not CSV", expected="RFC 4180", got=str(error)) from None
    return fx_rates(rates)


def fx_rates(rates: Sequence[FxRate]) -> FxRates:
    """Rates in order. Raises Malformed if a day has two of one pair and source."""
    ordered = sorted(rates, key=lambda each: (each.day, each.base, each.quote, each.source))
    keys = [(each.day, each.source, *sorted((each.base, each.quote))) for each in ordered]
    if len(set(keys)) != len(keys):
        raise Malformed("a day has two rates of one pair", expected="one of each source", got="two")
    if not ordered:
        raise Malformed("a file of exchange rates needs rates", expected="at least one", got=0)
    return FxRates(tuple(ordered))


def rates_hash(rates: FxRates) -> bytes:
    """keccak256 of the rates' canonical bytes; the order of the file's lines does not matter."""
    return canonical_hash(
        "fx-rates",
        [
            [each.day.isoformat(), each.base, each.quote, each.rate.numerator, each.rate.denominator, each.source]
            for each in rates.rates
        ],
    )


def check_signed(rates: FxRates, terms: FxTerms, document_hash: bytes, signatures: Mapping[CarrierCode, bytes]) -> None:
    """Raises SignatureRefused unless these are the agreed rates: of the agreed hash, or signed by both carriers."""
    hashed = rates_hash(rates)
    if terms.rates_hash is not None and terms.rates_hash != hashed:
        raise SignatureRefused(
            "not the exchange rates of the agreement", expected=f"0x{terms.rates_hash.hex()}", got=f"0x{hashed.hex()}"
        )
    over = digest(FxPaper(document_hash, hashed), OFF_CHAIN)
    for carrier, address in terms.signers:
        if carrier not in signatures:
            raise SignatureRefused(
                f"{carrier} has not signed the exchange rates",
                expected=f"a signature by {address}",
                got="none",
                todo=f"Have {carrier} sign: gsc fx RATES --agreement FILE --sign --home DIR.",
            )
        signer = recover(over, signatures[carrier])
        if signer != address:
            raise SignatureRefused(
                f"not {carrier}'s signature of these exchange rates", expected=str(address), got=str(signer)
            )


def convert(amount_micros: int, factor: Fraction, rounding: Rounding) -> Micros:
    """An amount in another currency, rounded once."""
    exact = amount_micros * factor
    return Micros(divide(exact.numerator, exact.denominator, rounding))


def rap_check(local_micros: int, stated: Fraction, published: Fraction, rounding: Rounding) -> RapCheck:
    """Does a TAP file's rate (units of local currency for one SDR) overcharge? SDR are local amount ÷ rate.

    Source: TD.57's severities as public TAP guides state them (200 severe, 202 warning).
    """
    code = RapCode.FITS if stated == published else RapCode.SEVERE if stated < published else RapCode.WARNING
    ppm = (published / stated - 1) * 10**6
    return RapCheck(
        code,
        convert(local_micros, 1 / stated, rounding),
        convert(local_micros, 1 / published, rounding),
        divide(ppm.numerator, ppm.denominator, Rounding.HALF_EVEN),
    )


def parse_rate(text: str) -> Fraction:
    """A rate exact as written: "1.16203". Raises Malformed."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if digits.isascii() and digits.isdigit() and whole and len(digits) <= _MAX_DIGITS and not text.endswith("."):
        rate = Fraction(int(digits), 10 ** len(part))
        if rate > 0:
            return rate
    raise Malformed("not an exchange rate", expected="decimal digits above 0, such as 1.16203", got=repr(text[:40]))


def _rate_of(row: Sequence[str], line: int) -> FxRate:
    try:
        if len(row) != len(COLUMNS):
            raise Malformed("another number of cells than the header", expected=len(COLUMNS), got=len(row))
        day, base, quote, rate, source = row
        if _currency(base) == _currency(quote) or not source:
            raise Malformed(
                "not a pair of currencies with its source", expected="EUR, USD, ECB", got=f"{base}, {quote}"
            )
        return FxRate(_day(day), base, quote, parse_rate(rate), source)
    except Malformed as error:
        raise Malformed(
            f"line {line} of the exchange rates: {error.message}", expected=error.expected, got=error.got, line=line
        ) from None


def _day(text: str) -> date:
    try:
        if len(text) != 10 or not text.isascii():
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("not a day", expected="2026-10-15", got=repr(text[:20])) from None


def _currency(text: str) -> str:
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise Malformed("not a currency", expected="three capital letters of ISO 4217", got=repr(text[:10]))
