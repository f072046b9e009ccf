"""How is plain usage read and rated usage written, with no home folder? CSV with named columns; docs/formats.md."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.formats.plain_rows import COLUMNS, record_of
from ledger.cells import safe_cell
from ledger.errors import Malformed, RowMalformed
from ledger.prices.service_terms import SmsTerms
from ledger.service import Service
from ledger.unreadable import why_unreadable
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

STARTS = ("start", "start_ms")


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
    not_charged: int = 0
    """Messages that were not delivered, where the agreement charges delivery."""


def read_usage(path: Path, service: Service = Service.VOICE, sms: SmsTerms | None = None) -> UsageFile:
    """Read usage from CSV with a header, or from Parquet with the columns of a UsageTable.

    All services: start in ISO 8601 with its offset, or start_ms. Voice: E.164 digits, milliseconds, optional route.
    SMS: MCC and MNC as route; quantity, or parts, or length and encoding; optional status. Data: the two carriers'
    codes, octets, the port as route. IPL: the two ends, days, the circuit as route.
    Malformed lines are quarantined. Raises Malformed for a file that is none.
    """
    if path.suffix.lower() == ".parquet":
        return UsageFile(_parquet(path), ())
    columns: dict[str, list[object]] = {name: [] for name in USAGE_SCHEMA.names}
    quarantined, not_charged = [], 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            _check_header(reader.fieldnames or [], service)
            for row in reader:
                try:
                    record = record_of(reader.line_num, row, service, sms or SmsTerms())
                except RowMalformed as error:
                    quarantined.append(QuarantinedLine(reader.line_num, str(error)))
                    continue
                if record is None:
                    not_charged += 1
                    continue
                for name, value in record.items():
                    columns[name].append(value)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Malformed(
            "the usage file cannot be read", expected="CSV in UTF-8", got=why_unreadable(error, path)
        ) from None
    return UsageFile(pa.Table.from_pydict(columns, schema=USAGE_SCHEMA), tuple(quarantined), not_charged)


def write_rated(rated: pa.Table, stream: TextIO) -> None:
    """Write a RatedTable as CSV, one record a line, amounts in micros; no text of it runs in a spreadsheet."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(RATED_SCHEMA.names)
    for batch in rated.to_batches():
        columns = (_cells(batch.column(name)) for name in RATED_SCHEMA.names)
        writer.writerows(zip(*columns, strict=True))


def _cells(column: pa.Array) -> list[object]:
    values: list[object] = column.to_pylist()
    return [safe_cell(value) if isinstance(value, str) else value for value in values]


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path, columns=USAGE_SCHEMA.names).replace_schema_metadata(None)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise Malformed("the usage file cannot be read", expected="Parquet", got=str(error)[:200]) from None
    if table.schema != USAGE_SCHEMA:
        raise Malformed("not a usage table", expected=USAGE_SCHEMA.names, got=table.schema.names)
    return table


def _check_header(header: object, service: Service) -> None:
    names = [str(name) for name in header] if isinstance(header, list | tuple) else []
    required, optional = COLUMNS[service]
    if not names:
        raise Malformed("the usage file is empty", expected=f"a header with {', '.join(required)}", got="no line")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise Malformed(
            f"the usage file has a column twice: {', '.join(repeated)}",
            expected="each column once",
            got=", ".join(names)[:200],
            todo="Take out the one that is not meant: which is right cannot be told.",
        )
    if set(STARTS) <= set(names):
        raise Malformed("the usage file says the start twice", expected="start or start_ms", got=", ".join(names)[:200])
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in (*required, *optional, *STARTS)]
    if missing or unknown or not set(STARTS) & set(names):
        raise Malformed(
            "the usage file has other columns",
            expected=f"{', '.join(required)}, start or start_ms; optional {', '.join(optional)}",
            got=", ".join(names)[:200] or "nothing",
            todo="Rename the columns; docs/formats.md shows an example.",
        )
