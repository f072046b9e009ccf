"""How does any table leave the house? As CSV, XLSX, Parquet or JSON, piece by piece: a long one needs no memory.

    stream = export(table, TableFormat.CSV)          # an iterator of bytes, for a file or an HTTP body
    table = rows_table(pa.schema({"amount": MONEY}), [(micros,)])

Money is a column of type MONEY: exact decimal digits in every format, never a float. A text that a spreadsheet would
run as a formula gets an apostrophe before it in CSV (ledger/cells.py), and is a plain text cell in XLSX.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from gateway.answers import SAFE_INTEGER
from gateway.documents.workbook import Sheet, workbook
from ledger.cells import RUNS
from ledger.errors import Malformed

MONEY = pa.decimal128(38, 6)
"""Amounts in the table's currency, to the micro."""
ROWS_AT_ONCE = 50_000
_RUNS = f"^{RUNS}"

Rows: TypeAlias = pa.Table | pa.RecordBatchReader


class TableFormat(StrEnum):
    """In which format a table leaves."""

    CSV = "csv"
    """Text, for programs and people."""
    XLSX = "xlsx"
    """For spreadsheets: one sheet for each million rows."""
    PARQUET = "parquet"
    """Columns with their types, for programs."""
    JSON = "json"
    """An array of objects, one a line; money and integers past 2^53 as text."""

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    TableFormat.CSV: "text/csv; charset=utf-8",
    TableFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    TableFormat.PARQUET: "application/vnd.apache.parquet",
    TableFormat.JSON: "application/json",
}


def table_format(word: str) -> TableFormat:
    """The format of a word. Raises Malformed."""
    if word not in list(TableFormat):
        raise Malformed("not a format of tables", expected=", ".join(TableFormat), got=repr(word)[:20])
    return TableFormat(word)


def export(rows: Rows, format_: TableFormat) -> Iterator[bytes]:
    """The table as bytes, in pieces; a reader is read once, batch by batch. The same rows give the same bytes."""
    batches = rows.to_batches(max_chunksize=ROWS_AT_ONCE) if isinstance(rows, pa.Table) else rows
    match format_:
        case TableFormat.CSV:
            return _csv(rows.schema, batches)
        case TableFormat.XLSX:
            return workbook(Sheet(rows.schema.names, rows_of(batches)))
        case TableFormat.PARQUET:
            return _parquet(rows.schema, batches)
        case TableFormat.JSON:
            return _json(batches)


def rows_table(schema: pa.Schema, rows: Iterable[Sequence[object]]) -> pa.Table:
    """A table of rows in the order of the schema; integers in a MONEY column are micros."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array([_from_micros(each) for each in column] if field.type == MONEY else column, field.type)
        for field, column in zip(schema, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def money_column(micros: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of int64 micros as MONEY, without a loop: a decimal of 128 bits is the integer itself."""
    whole = micros.combine_chunks() if isinstance(micros, pa.ChunkedArray) else micros
    low = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    words = np.stack([low, low >> 63], axis=1)
    decimals = pa.Array.from_buffers(MONEY, len(whole), [None, pa.py_buffer(words.tobytes())])
    return pc.if_else(pc.is_valid(whole), decimals, pa.scalar(None, MONEY)) if whole.null_count else decimals


def _from_micros(value: object) -> object:
    return Decimal(value).scaleb(-6) if isinstance(value, int) else value


# CSV
def _csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    names = pa.array(schema.names, pa.string())
    yield _csv_lines([_defused(names.slice(at, 1)) for at in range(len(names))])
    for batch in batches:
        yield _csv_lines([_csv_column(column) for column in batch.columns])


def _csv_lines(columns: Sequence[pa.Array]) -> bytes:
    stream = io.BytesIO()
    batch = pa.RecordBatch.from_arrays(columns, names=[str(at) for at in range(len(columns))])
    arrow_csv.write_csv(batch, stream, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
    return stream.getvalue()


def _csv_column(column: pa.Array) -> pa.Array:
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_integer(plain.type) or pa.types.is_decimal(plain.type) or pa.types.is_boolean(plain.type):
        return plain
    if not pa.types.is_string(plain.type):
        plain = pa.array([None if each is None else _word(each) for each in plain.to_pylist()], pa.string())
    return _defused(plain)


def _defused(texts: pa.Array) -> pa.Array:
    """As ledger.cells.safe_cell, for a whole column."""
    return pc.if_else(pc.match_substring_regex(texts, _RUNS), pc.binary_join_element_wise("'", texts, ""), texts)


# ROWS, FOR SHEETS AND JSON
def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[object, ...]]:
    """Rows of cells: numbers and Decimals as they are, all else as text."""
    for batch in batches:
        yield from zip(*(map(_cell, column.to_pylist()) for column in batch.columns), strict=True)


def _json(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    before = "[\n"
    for batch in batches:
        for start in range(0, batch.num_rows, 1_000):
            lines = [
                json.dumps({name: _json_value(each) for name, each in row.items()}, ensure_ascii=False)
                for row in batch.slice(start, 1_000).to_pylist()
            ]
            yield (before + ",\n".join(lines)).encode()
            before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | Decimal | str) else _word(value)


def _json_value(value: object) -> object:
    if isinstance(value, Decimal) or (isinstance(value, int) and abs(value) > SAFE_INTEGER):
        return str(value)
    return _cell(value)


def _word(value: object) -> str:
    """Bytes as 0x-digits, moments and days as ISO 8601 with their zone, lists with ";" between."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list):
        return "; ".join(_word(each) for each in value)
    shown = getattr(value, "isoformat", None)
    if isinstance(value, bool):
        return str(value).lower()
    return str(shown()).replace("+00:00", "Z") if shown else str(value)


# PARQUET
def _parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    pieces = _Pieces()
    with parquet.ParquetWriter(pa.PythonFile(pieces, "w"), schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield pieces.taken()
    yield pieces.taken()


class _Pieces(io.RawIOBase):
    """A file that is taken away as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, content: object) -> int:
        raw = bytes(memoryview(content))  # type: ignore[arg-type]
        self._held += raw
        self._written += len(raw)
        return len(raw)

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held
