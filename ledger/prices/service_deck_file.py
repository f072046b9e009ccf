"""How are the prices of messages, ports and private lines written down, and what rate does each line become?

    sms   destination, mcc, mnc (several with ';'; empty: the whole country), rate for a message or segment
    data  destination, port, rate, unit: by volume unit is GB, GiB, MB ... or a number of octets, with an optional
          increment in octets; by percentile unit is Mbps or Mibps, with commit, overage_rate and overage_increment in
          that unit (no increment: as measured)
    ipl   destination, circuit, monthly, install (charged once, when service begins)

All may have effective_date, currency and status (open, blocked, removed), as a voice deck has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ledger.errors import Malformed
from ledger.money import Nanos, parse_nanos
from ledger.prices.deck import LaterStep, Rate, RateDeck, RateStatus
from ledger.prices.deck_file import load_deck
from ledger.prices.deck_rows import moment_of, one_currency, rows_of
from ledger.prices.sms import MCC_DIGITS
from ledger.service import Service
from ledger.unreadable import why_unreadable

MAX_ROUTE = 32
_MAX_HEADER = 4_096
OCTETS = {
    **{f"{prefix}B": 1_000**power for power, prefix in enumerate("kMGTP", start=1)},
    **{f"{prefix}iB": 1_024**power for power, prefix in enumerate("KMGTP", start=1)},
}
"""Units of a price by volume: decimal, or binary where the name says so (IEC 80000-13)."""
BITS = {"Mbps": 10**6, "Gbps": 10**9, "Mibps": 2**20, "Gibps": 2**30}
"""Units of a price by percentile."""
MAX_OCTETS = 10**15
_NANOS = 10**9


class _Layout(NamedTuple):
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Mapping[str, str]], Iterator[Rate]]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional, "effective_date", "currency", "status")


def service_of_deck(path: Path) -> Service:
    """Which service the columns of a CSV deck are of: voice, unless they name a network, a port or a circuit."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            columns = {name.strip().lower() for name in stream.readline(_MAX_HEADER).split(",")}
    except (OSError, UnicodeDecodeError):
        return Service.VOICE  # a workbook, or nothing that can be read: whoever loads it says so
    found = (service for service, layout in _LAYOUTS.items() if set(layout.required) <= columns)
    return next(found, Service.VOICE)


def load_service_deck(path: Path, currency: str | None, service: Service) -> RateDeck:
    """Read a deck file of any service. Raises Malformed, CurrencyMismatch."""
    if service is Service.VOICE:
        return load_deck(path, currency)
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(
            "the rate deck cannot be read", expected="a UTF-8 text file", got=why_unreadable(error, path)
        ) from None
    return parse_service_deck(text, currency, service)


def parse_service_deck(text: str, currency: str | None, service: Service) -> RateDeck:
    """Read the deck of SMS, data or private lines. Raises Malformed with the line, CurrencyMismatch."""
    layout = _LAYOUTS[service]
    stated: set[str] = set()
    rates: list[Rate] = []
    for line, row in rows_of(text, layout.required, layout.columns):
        try:
            stated.add(row.get("currency") or currency or "")
            rates += layout.read(row)
        except Malformed as error:
            raise Malformed(
                f"line {line} of the rate deck: {error.message}", expected=error.expected, got=error.got, line=line
            ) from None
    return service_deck(one_currency(stated, currency), rates, service)


def service_deck(currency: str, rates: Sequence[Rate], service: Service) -> RateDeck:
    """A deck of these rates in canonical order. Raises Malformed."""
    ordered = sorted(rates, key=_order)
    if not ordered:
        raise Malformed("a rate deck needs rates", expected="at least one", got=0)
    for before, after in pairwise(ordered):
        if _order(before) == _order(after):
            raise Malformed("a code has two rates from one date", expected="one rate", got=f"{after.code} twice")
    return RateDeck(currency, service, tuple(ordered))


def _order(rate: Rate) -> tuple[str, int]:
    return rate.code, -1 if rate.effective_ms is None else rate.effective_ms


def _sms_rates(row: Mapping[str, str]) -> Iterator[Rate]:
    mcc = row["mcc"]
    if not (len(mcc) == MCC_DIGITS and mcc.isascii() and mcc.isdigit()):
        raise Malformed("not a mobile country code", expected="three digits", got=repr(mcc[:10]))
    for mnc in (part.strip() for part in row["mnc"].split(";")):
        if mnc and not (len(mnc) in (2, 3) and mnc.isascii() and mnc.isdigit()):
            raise Malformed("not a mobile network code", expected="two or three digits, or nothing", got=repr(mnc[:10]))
        yield _rate(row, mcc + mnc, _price(row, "rate"), 1)


def _data_rates(row: Mapping[str, str]) -> Iterator[Rate]:
    for port in _names(row, "port"):
        yield _by_percentile(row, port) if row["unit"] in BITS else _by_volume(row, port)


def _by_volume(row: Mapping[str, str], port: str) -> Rate:
    if surplus := [name for name in ("commit", "overage_rate", "overage_increment") if row.get(name)]:
        raise Malformed("a price by volume has no commit", expected=f"no {surplus[0]}", got=row[surplus[0]][:20])
    per = OCTETS.get(row["unit"]) or _octets(row["unit"], "unit")
    increment = _octets(row.get("increment") or "1", "increment")
    return _rate(row, port, _price(row, "rate"), per, increment)


def _by_percentile(row: Mapping[str, str], port: str) -> Rate:
    if row.get("increment"):
        raise Malformed("a bandwidth has no increment", expected="overage_increment", got=row["increment"][:20])
    per, price = BITS[row["unit"]], _price(row, "rate")
    commit, increment = (_bits(row.get(name) or "0", per) for name in ("commit", "overage_increment"))
    overage = _price(row, "overage_rate") if row.get("overage_rate") else price
    return _rate(row, port, price, per, later=LaterStep(commit, overage, increment))


def _ipl_rates(row: Mapping[str, str]) -> Iterator[Rate]:
    install = _price(row, "install") if row.get("install") else Nanos(0)
    for circuit in _names(row, "circuit"):
        yield _rate(row, circuit, _price(row, "monthly"), 1, connect=install)


_LAYOUTS = {
    Service.SMS: _Layout(("destination", "mcc", "mnc", "rate"), (), _sms_rates),
    Service.DATA: _Layout(
        ("destination", "port", "rate", "unit"),
        ("increment", "commit", "overage_rate", "overage_increment"),
        _data_rates,
    ),
    Service.IPL: _Layout(("destination", "circuit", "monthly"), ("install",), _ipl_rates),
}


def _rate(
    row: Mapping[str, str],
    code: str,
    price: Nanos,
    per: int,
    increment: int = 1,
    *,
    connect: Nanos = Nanos(0),  # noqa: B008
    later: LaterStep | None = None,
) -> Rate:
    if not row["destination"]:
        raise Malformed("not a rate", expected="a destination", got="nothing")
    return Rate(
        destination=row["destination"],
        code=code,
        nanos=price,
        per=per,
        first=increment,
        next=increment,
        connect_nanos=connect,
        effective_ms=moment_of(row.get("effective_date") or ""),
        later=later,
        status=_status(row.get("status") or RateStatus.OPEN),
    )


def _status(text: str) -> RateStatus:
    try:
        return RateStatus(text)
    except ValueError:
        raise Malformed("not a status", expected=", ".join(RateStatus), got=repr(text[:20])) from None


def _price(row: Mapping[str, str], column: str) -> Nanos:
    text = row[column]
    if not text and row.get("status") in (RateStatus.BLOCKED, RateStatus.REMOVED):
        return Nanos(0)
    price = parse_nanos(text)
    if price < 0:
        raise Malformed("not a price", expected="0 or more", got=text[:20])
    return price


def _names(row: Mapping[str, str], column: str) -> Iterator[str]:
    for name in (part.strip() for part in row[column].split(";")):
        if not (0 < len(name) <= MAX_ROUTE and name.isascii() and name.isprintable()):
            raise Malformed(
                f"not the name of a {column}", expected=f"1 to {MAX_ROUTE} ASCII characters", got=repr(name[:40])
            )
        yield name


def _octets(text: str, column: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 16 and 0 < int(text) <= MAX_OCTETS:
        return int(text)
    raise Malformed(
        f"not a {column} of octets", expected=f"{', '.join([*OCTETS, *BITS])} or a number", got=repr(text[:20])
    )


def _bits(text: str, per: int) -> int:
    """A bandwidth in the price's unit as whole bit/s."""
    bits, rest = divmod(parse_nanos(text) * per, _NANOS)
    if rest or bits < 0:
        raise Malformed("not a bandwidth", expected="whole bit/s, 0 or more", got=repr(text[:20]))
    return bits
