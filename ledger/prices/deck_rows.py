"""Which lines does the file of a rate deck have, whatever its service: cells by column, currency, date of effect?"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from ledger.cells import plain_cell
from ledger.errors import Malformed
from ledger.prices.deck import check_currency

_MAX_ROW_CHARACTERS = 65_536


def rows_of(text: str, required: Sequence[str], columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of each line that is not blank. Raises Malformed."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        _check_header(header, required, columns)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header) or sum(map(len, row)) > _MAX_ROW_CHARACTERS:
                raise Malformed(
                    f"line {reader.line_num} of the rate deck has another width", expected=len(header), got=len(row)
                )
            yield reader.line_num, {name: plain_cell(cell.strip()) for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        raise Malformed(
            f"line {reader.line_num} of the rate deck is not CSV", expected="RFC 4180", got=str(error)
        ) from None


def one_currency(stated: set[str], currency: str | None) -> str:
    """The currency that all lines and the caller state. Raises CurrencyMismatch, Malformed if nobody states any."""
    expected = currency or min(stated, default="")
    for got in sorted(stated):
        check_currency(expected, got)
    if not expected:
        raise Malformed("the rate deck names no currency", expected="a currency column", got="none")
    return expected


@lru_cache(maxsize=1 << 10)
def moment_of(text: str) -> int | None:
    """When a line takes effect: a date (midnight UTC), a moment with its offset, None for nothing. Raises Malformed."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or not text.isascii() or (moment.tzinfo is None and len(text) != 10):
        raise Malformed("not a date of effect", expected="2026-10-15 or 2026-10-15T00:00:00Z", got=repr(text[:40]))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1000


def _check_header(header: list[str], required: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in columns]
    if missing or unknown or len(set(header)) != len(header):
        raise Malformed(
            "the rate deck's header line has other columns",
            expected=", ".join(columns),
            got=", ".join(header)[:200] or "nothing",
            todo="Rename the columns; docs/formats.md shows an example.",
        )
