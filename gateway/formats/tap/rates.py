"""Are a TAP file's exchange rates the published ones, and what do its charges come to if they are not?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from gateway.formats.tap.files import TapFile, TapReader
from gateway.formats.tap.heads import SDR
from gateway.formats.tap.resolving import file_key
from gateway.formats.tap.sides import TapContext
from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.money import MICROS, Rounding, div_half_even, show_micros
from ledger.prices.fx import FxRates, RapCheck, RapCode, rap_check
from ledger.prices.fx_terms import FxTerms

PUBLISHED_SDR = "XDR"
"""What files of exchange rates call special drawing rights (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class RateCheck:
    """One exchange rate of a file against the published one of the file's day."""

    code: int
    """By which the file's events name it."""
    currency: str
    stated: Fraction
    """Units of the local currency for one SDR."""
    published: Fraction
    check: RapCheck
    """The charges under it, as stated and at the published rate."""

    def __str__(self) -> str:
        stated, published = (show_micros(each) for each in (self.check.stated_micros, self.check.published_micros))
        if self.check.code is RapCode.FITS:
            return f"rate {self.code}, {self.currency}: as published; charges SDR {stated}"
        severity = "severe: charges too much" if self.check.code is RapCode.SEVERE else "warning: charges too little"
        return f"rate {self.code}, {self.currency}: error {self.check.code} ({severity}), SDR {stated} for {published}"


def check_rates(path: Path, rates: FxRates, agreement: Agreement) -> tuple[RateCheck, ...]:
    """Hold the rates a TAP file charges by against the published ones. Raises Malformed; NotFound if there are none."""
    key = file_key(path)
    if key is None or agreement.fx is None:
        raise Malformed(
            "these exchange rates cannot be checked",
            expected="a TAP file, and an agreement with a section [fx]",
            got="no [fx]" if key else f"{path.name}, no TAP file",
        )
    reader = TapReader(path, TapContext(agreement.high, {key.sender: agreement.low}))
    for _ in reader.pieces():
        pass
    return tuple(_checks(reader.file(), rates, agreement, agreement.fx))


def _checks(file: TapFile, rates: FxRates, agreement: Agreement, terms: FxTerms) -> Iterator[RateCheck]:
    money, at_ms = file.money, file.name.available_ms
    if money is None or at_ms is None:
        raise Malformed("the file does not say when it was ready", expected="its time", got="none")
    day = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(agreement.zone).date()
    base = PUBLISHED_SDR if money.currency == SDR else money.currency
    for code, stated in sorted(money.rates.items()):
        if code not in file.charges:
            continue
        published = rates.factor(base, money.local_currency, day, terms)
        local = money.amount(file.charges[code]) * stated * MICROS
        local_micros = div_half_even(local.numerator, local.denominator)
        check = rap_check(local_micros, stated, published, Rounding.HALF_EVEN)
        yield RateCheck(code, money.local_currency, stated, published, check)
