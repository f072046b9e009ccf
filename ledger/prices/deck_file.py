"""How is a rate deck written down? The canonical CSV that both carriers hold."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from ledger.cells import safe_cell
from ledger.errors import Malformed
from ledger.money import Nanos, parse_nanos, show_nanos
from ledger.prices.deck import (
    LaterStep,
    MaxRule,
    Rate,
    RateDeck,
    RateStatus,
    check_rate,
    rate_deck,
)
from ledger.prices.deck_rows import moment_of, one_currency, rows_of
from ledger.service import Service
from ledger.unreadable import why_unreadable

_MAX_INCREMENT_S = 3_600
_WORD = TypeVar("_WORD", bound=StrEnum)


def load_deck(path: Path, currency: str | None = None, service: Service = Service.VOICE) -> RateDeck:
    """Read a deck file. Raises Malformed, CurrencyMismatch."""
    try:
        return parse_deck(path.read_text("utf-8-sig"), currency, service)
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(
            "the rate deck cannot be read", expected="a UTF-8 text file", got=why_unreadable(error, path)
        ) from None


def parse_deck(source: Path | str, currency: str | None = None, service: Service = Service.VOICE) -> RateDeck:
    """Read a price list from a file, or from its text.

    A header line names the columns: destination, code (one, or several with ';'), rate (for a minute), increment
    ("60/60", "30/6", seconds), and optionally connect_fee, effective_date (YYYY-MM-DD, midnight UTC, or a moment with
    its offset), currency, for stepped rates later_after, later_rate, later_increment (seconds, a minute, seconds),
    attempt_fee, min_charge, max_charge, max_rule (free, disconnect), origin and band (names of the agreement) and
    status (open, blocked, removed: those need no rate). Without a currency column `currency` says it. Raises Malformed
    with the line, CurrencyMismatch.
    """
    if isinstance(source, Path):
        return load_deck(source, currency, service)
    rows = rows_of(source, _REQUIRED, _COLUMNS)
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
    return rate_deck(one_currency(stated, currency), rates, service)


def dump_deck(deck: RateDeck) -> str:
    """The deck as a file that `parse_deck` reads back to the same values; voice prices only."""
    columns = [*_FIRST, *(name for name in _FURTHER if any(map(_FURTHER[name], deck.rates)))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for rate in deck.rates:
        cells = _first_cells(rate, deck.currency) | {name: show(rate) for name, show in _FURTHER.items()}
        writer.writerow([cells[name] for name in columns])
    return out.getvalue()


def _first_cells(rate: Rate, currency: str) -> dict[str, str]:
    moment = "" if rate.effective_ms is None else datetime.fromtimestamp(rate.effective_ms / 1000, UTC).isoformat()
    step = rate.later
    return {
        "destination": safe_cell(rate.destination),
        "code": rate.code,
        "rate": show_nanos(rate.nanos),
        "increment": f"{rate.first // 1000}/{rate.next // 1000}",
        "connect_fee": show_nanos(rate.connect_nanos),
        "effective_date": moment,
        "currency": currency,
        "later_after": "" if step is None else str(step.after // 1000),
        "later_rate": "" if step is None else show_nanos(step.nanos),
        "later_increment": "" if step is None else str(step.increment // 1000),
    }


_FIRST = (
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
)
_FURTHER: Mapping[str, Callable[[Rate], str]] = {
    "attempt_fee": lambda rate: show_nanos(rate.attempt_nanos) if rate.attempt_nanos else "",
    "min_charge": lambda rate: show_nanos(rate.min_nanos) if rate.min_nanos else "",
    "max_charge": lambda rate: "" if rate.max_nanos is None else show_nanos(rate.max_nanos),
    "max_rule": lambda rate: "" if rate.max_rule is MaxRule.FREE else rate.max_rule.value,
    "origin": lambda rate: rate.origin,
    "band": lambda rate: rate.band,
    "status": lambda rate: "" if rate.status is RateStatus.OPEN else rate.status.value,
}
"""How a rate fills the columns that few decks have; "" where it is as others are."""
_COLUMNS = (*_FIRST, *_FURTHER)
_REQUIRED = ("destination", "code", "rate", "increment")


def _rates_of(row: Mapping[str, str]) -> Iterator[Rate]:
    first, following = _increments(row["increment"])
    status = _word(RateStatus, row.get("status") or "open")
    needs_none = status is not RateStatus.OPEN and not row["rate"]
    for code in row["code"].split(";"):
        price = Rate(
            destination=row["destination"],
            code=code.strip(),
            nanos=Nanos(0) if needs_none else _price("rate", row["rate"]),
            first=first,
            next=following,
            connect_nanos=_nanos(row, "connect_fee"),
            effective_ms=moment_of(row.get("effective_date") or ""),
            later=_later(row),
            attempt_nanos=_nanos(row, "attempt_fee"),
            min_nanos=_nanos(row, "min_charge"),
            max_nanos=_nanos(row, "max_charge") if row.get("max_charge") else None,
            max_rule=_word(MaxRule, row.get("max_rule") or "free"),
            origin=row.get("origin") or "",
            band=row.get("band") or "",
            status=status,
        )
        check_rate(price)
        yield price


def _nanos(row: Mapping[str, str], column: str) -> Nanos:
    return _price(column, row.get(column) or "0")


def _price(column: str, text: str) -> Nanos:
    try:
        nanos = parse_nanos(text)
    except Malformed as error:
        raise Malformed(f"{column} is {error.message}", expected=error.expected, got=error.got) from None
    if nanos < 0:
        raise Malformed(f"{column} is not a rate: it is negative", expected="0 or more", got=repr(text[:40]))
    return nanos


def _word(words: type[_WORD], text: str) -> _WORD:
    try:
        return words(text.lower())
    except ValueError:
        raise Malformed("not a word of this column", expected=", ".join(words), got=repr(text[:20])) from None


@lru_cache(maxsize=1 << 10)
def _increments(text: str) -> tuple[int, int]:
    first, slash, following = text.partition("/")
    try:
        return _seconds("increment", first), _seconds("increment", following if slash else first)
    except Malformed:
        raise Malformed(
            "increment is not an increment",
            expected=f"seconds from 1 to {_MAX_INCREMENT_S}, first and following as 60/6, or one number for both",
            got=repr(text[:20]),
        ) from None


def _seconds(column: str, text: str) -> int:
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 4 and 1 <= int(digits) <= _MAX_INCREMENT_S:
        return int(digits) * 1000
    raise Malformed(
        f"{column} is no number of seconds",
        expected=f"one whole number from 1 to {_MAX_INCREMENT_S}, as 6",
        got=repr(text[:20]),
    )


def _later(row: Mapping[str, str]) -> LaterStep | None:
    if not (after := row.get("later_after", "")):
        return None
    return LaterStep(
        _seconds("later_after", after),
        _price("later_rate", row.get("later_rate", "")),
        _seconds("later_increment", row.get("later_increment", "")),
    )
