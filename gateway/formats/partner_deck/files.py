"""What does a partner's file of prices say? CSV or a workbook, with whatever heading, in any order, as a rate deck.

Nothing is guessed in silence: `PartnerDeck` says how each column was understood and how sure that is, and every line
that cannot be read is refused with its number.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.formats.partner_deck.cells import (
    DayOrder,
    codes_of,
    day_of,
    increments_of,
    order_of_days,
    price_of,
    status_of,
)
from gateway.formats.partner_deck.headers import Header, understand
from gateway.formats.workbook import Sheet, read_sheet
from ledger.errors import Malformed
from ledger.money import Nanos
from ledger.prices.deck import MINUTE_MS, Rate, RateDeck, RateStatus, check_rate, rate_deck
from ledger.unreadable import why_unreadable

MAX_BYTES = 64 << 20
MAX_FAULTS = 20
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a person helps where a file is not clear."""

    named: Mapping[str, str] = field(default_factory=dict)
    """Our column to the list's heading."""
    currency: str | None = None
    """Where no column and no heading names it."""
    increment: str | None = None
    """Where no column has it."""
    dates: DayOrder | None = None
    zone: ZoneInfo | None = None
    """Where a day begins; None: UTC."""
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerDeck:
    """A partner's file as it was understood."""

    header: Header
    lines: int
    """With a rate."""
    deck: RateDeck
    remarks: tuple[str, ...] = ()
    """What a person should look at."""


def read_partner_deck(path: Path, how: Reading) -> PartnerDeck:
    """Read a partner's file. Raises Malformed, with the lines that cannot be read."""
    sheet = _sheet(path, how.sheet)
    rows, header = sheet.rows, _header(sheet, how)
    lines = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(rows[header.line :], start=header.line + 1)
        if any(cell.strip() for cell in row)
    ]
    currency = _currency(header, lines, how)
    if how.dates is None:
        order = order_of_days([_cell(header, row, "effective_date") for _, row in lines])
    else:
        order = how.dates
    rates: list[Rate] = []
    faults: list[str] = []
    for number, row in lines:
        try:
            rates += _rates_of(header, row, how, order)
        except Malformed as error:
            faults.append(f"line {number}: {error.message}, {error.got}")
    if faults:
        raise Malformed(
            f"{len(faults):,} line(s) of the rate deck cannot be read",
            expected="a code, a destination and a price on each",
            got="; ".join(faults[:MAX_FAULTS]),
            todo="Correct them, or say what the columns are with --map." + _left_over(header),
        )
    prices = [_cell(header, row, "rate") for _, row in lines]
    return PartnerDeck(header, len(lines), rate_deck(currency, rates), tuple(_remarks(sheet, header, prices)))


def _header(sheet: Sheet, how: Reading) -> Header:
    try:
        return understand(sheet.rows, how.named)
    except Malformed as error:
        if how.sheet is not None or len(sheet.names) < 2:
            raise
        todo = f"Name the sheet with the prices: --sheet '{sheet.names[1]}' (there are {', '.join(sheet.names)[:200]})."
        raise Malformed(error.message, expected=error.expected, got=error.got, todo=todo) from None


def _left_over(header: Header) -> str:
    names = [each.heading for each in header.columns if not each.column]
    return f" Left over: {', '.join(names)[:200]}." if names else ""


def _remarks(sheet: Sheet, header: Header, prices: Sequence[str]) -> Iterator[str]:
    used = {each.place + 1: each.heading for each in header.columns if each.column}
    computed = sorted(place for place in sheet.formulas if place.row > header.line and place.column in used)
    if computed:
        first = computed[0]
        yield f"{len(computed):,} cells computed by a formula, the first in line {first.row}, {used[first.column]}"
    commas, points = (sum(mark in price for price in prices) for mark in (",", "."))
    if commas and points:
        yield f"prices with two decimal separators: {commas:,} with a comma, {points:,} with a point"


def _sheet(path: Path, sheet: str | None) -> Sheet:
    """A sheet, or a text file as one. Raises Malformed."""
    if path.suffix.lower() in WORKBOOKS:
        return read_sheet(path, sheet)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Malformed("the rate deck is too large", expected=f"at most {MAX_BYTES >> 20} MiB", got=path.name)
        text = path.read_text("utf-8-sig")
        first = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(",;\t|", key=first.count)
        return Sheet(list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)), frozenset())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Malformed(
            "the rate deck cannot be read", expected="CSV in UTF-8, or a workbook", got=why_unreadable(error, path)
        ) from None


def _rates_of(header: Header, row: Sequence[str], how: Reading, order: DayOrder | None) -> Iterator[Rate]:
    status = status_of(_cell(header, row, "status"))
    first, following = _increments(header, row, how)
    most = _cell(header, row, "max_charge")
    price = _cell(header, row, "rate")
    for code in _codes(header, row):
        rate = Rate(
            destination=_cell(header, row, "destination"),
            code=code,
            nanos=Nanos(0) if status is not RateStatus.OPEN and not price else price_of(price),
            per=MINUTE_MS,
            first=first,
            next=following,
            connect_nanos=_price(header, row, "connect_fee"),
            effective_ms=_moment(_cell(header, row, "effective_date"), order, how.zone),
            attempt_nanos=_price(header, row, "attempt_fee"),
            min_nanos=_price(header, row, "min_charge"),
            max_nanos=price_of(most) if most else None,
            origin=_cell(header, row, "origin"),
            band=_cell(header, row, "band"),
            status=status,
        )
        check_rate(rate)
        yield rate


def _codes(header: Header, row: Sequence[str]) -> Iterator[str]:
    whole = _cell(header, row, "code")
    if header.place("area_code") is None:
        return codes_of(whole)
    country = _cell(header, row, "country_code") or whole
    area = _cell(header, row, "area_code")
    return codes_of(area, country) if area else codes_of(country)


def _increments(header: Header, row: Sequence[str], how: Reading) -> tuple[int, int]:
    if text := _cell(header, row, "increment") or how.increment:
        return increments_of(text)
    first, following = _cell(header, row, "first"), _cell(header, row, "next")
    if first or following:
        return increments_of(first or following)[0], increments_of(following or first)[0]
    raise Malformed("no increment", expected="a column, or --increment 60/60", got="nothing")


def _price(header: Header, row: Sequence[str], column: str) -> Nanos:
    text = _cell(header, row, column)
    return price_of(text) if text else Nanos(0)


def _moment(text: str, order: DayOrder | None, zone: ZoneInfo | None) -> int | None:
    if not text:
        return None
    moment = datetime.combine(day_of(text, order), time(), zone or UTC)
    return int(moment.timestamp()) * 1000


def _currency(header: Header, lines: Sequence[tuple[int, Sequence[str]]], how: Reading) -> str:
    """Of the column, of the rate's heading ("Rate (USD)"), or as a person says. Raises Malformed for two, or none."""
    stated = {_cell(header, row, "currency").upper() for _, row in lines} - {""}
    heading = next((each.heading for each in header.columns if each.column == "rate"), "")
    stated |= {word for word in heading.replace("/", " ").replace("(", " ").replace(")", " ").split() if _is_one(word)}
    stated |= {how.currency} if how.currency else set()
    if len(stated) == 1:
        return stated.pop()
    raise Malformed(
        "the rate deck names two currencies" if stated else "the rate deck names no currency",
        expected="one",
        got=", ".join(sorted(stated)) or "none",
        todo="" if stated else "Say it: --currency USD.",
    )


def _is_one(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isalpha() and word.isupper()


def _cell(header: Header, row: Sequence[str], column: str) -> str:
    place = header.place(column)
    return row[place] if place is not None and place < len(row) else ""
