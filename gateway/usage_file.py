"""How is plain usage read and rated usage written, with no home folder? CSV with named columns; docs/formats.md."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import Malformed, RowMalformed
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

REQUIRED = ("a_party", "b_party", "quantity")
KNOWN = (*REQUIRED, "start", "start_ms", "route", "line")
MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class QuarantinedLine:
    """A line that could not be read."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class UsageFile:
    """A plain usage file: what was read, and what was left out."""

    table: pa.Table
    """USAGE_SCHEMA."""
    quarantined: tuple[QuarantinedLine, ...]


def read_usage(path: Path) -> UsageFile:
    """Read usage from CSV (header: a_party, b_party, start or start_ms, quantity; optional route, line) or Parquet.

    Numbers in E.164 digits, start in ISO 8601 with its offset, quantity in the service's unit (ms for voice).
    Malformed lines are quarantined. Raises Malformed for a file that is none.
    """
    if path.suffix.lower() == ".parquet":
        return UsageFile(_parquet(path), ())
    columns: dict[str, list[object]] = {name: [] for name in USAGE_SCHEMA.names}
    quarantined = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            _check_header(reader.fieldnames or [])
            for row in reader:
                try:
                    record = _record(reader.line_num, row)
                except RowMalformed as error:
                    quarantined.append(QuarantinedLine(reader.line_num, str(error)))
                    continue
                for name, value in record.items():
                    columns[name].append(value)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Malformed("the usage file cannot be read", expected="CSV in UTF-8", got=str(error)) from None
    return UsageFile(pa.Table.from_pydict(columns, schema=USAGE_SCHEMA), tuple(quarantined))


def write_rated(rated: pa.Table, stream: TextIO) -> None:
    """Write a RatedTable as CSV, one record a line, amounts in micros."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(RATED_SCHEMA.names)
    for batch in rated.to_batches():
        writer.writerows(zip(*(batch.column(name).to_pylist() for name in RATED_SCHEMA.names), strict=True))


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path, columns=USAGE_SCHEMA.names).replace_schema_metadata(None)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise Malformed("the usage file cannot be read", expected="Parquet", got=str(error)[:200]) from None
    if table.schema != USAGE_SCHEMA:
        raise Malformed("not a usage table", expected=USAGE_SCHEMA.names, got=table.schema.names)
    return table


def _check_header(header: object) -> None:
    names = [str(name) for name in header] if isinstance(header, list | tuple) else []
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in KNOWN]
    if missing or unknown or not {"start", "start_ms"} & set(names):
        raise Malformed(
            "the usage file has other columns",
            expected=f"{', '.join(REQUIRED)}, start or start_ms; optional route, line",
            got=", ".join(names)[:200] or "nothing",
            todo="Rename the columns; docs/formats.md shows an example.",
        )


def _record(line: int, row: Mapping[str | None, str | None]) -> dict[str, object]:
    if None in row or None in row.values():
        raise RowMalformed("another number of cells than the header")
    return {
        "line": _whole(row["line"] or "", "line") if row.get("line") else line,
        "a_party": _digits(row["a_party"] or "", "a_party", may_be_empty=True),
        "b_party": _digits(row["b_party"] or "", "b_party", may_be_empty=False),
        "start_ms": _start(row),
        "quantity": _whole(row["quantity"] or "", "quantity"),
        "route": _route(row.get("route") or ""),
    }


def _start(row: Mapping[str | None, str | None]) -> int:
    if row.get("start_ms"):
        return _whole(row["start_ms"] or "", "start_ms")
    try:
        moment = datetime.fromisoformat((row.get("start") or "").strip())
    except ValueError:
        raise RowMalformed("not a time", expected="2026-10-01T08:00:00Z", got=repr(row.get("start"))) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1000 + aware.microsecond // 1000


def _whole(text: str, column: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise RowMalformed(f"{column} is no whole number", expected="digits", got=repr(text[:40]))
    return int(text)


def _digits(text: str, column: str, *, may_be_empty: bool) -> str:
    plain = text.strip().removeprefix("+")
    if not plain and may_be_empty:
        return ""
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 15):
        raise RowMalformed(f"{column} is no number in E.164 digits", expected="1 to 15 digits", got=repr(text[:40]))
    return plain


def _route(text: str) -> str:
    if len(text) > 32 or not text.isascii():
        raise RowMalformed("route does not fit a leaf", expected="at most 32 ASCII characters", got=repr(text[:40]))
    return text.strip()
