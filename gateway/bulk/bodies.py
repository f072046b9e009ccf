"""Which usage records do the bytes of a bulk body hold? NDJSON, CSV, Arrow and Parquet, packed or not.

A body is already normalised: its columns are those of the UsageTable (ledger/usage.py), times in ISO 8601 with an
offset (`start`) or in UTC milliseconds (`start_ms`). A block that the fast reader refuses is read row by row, so that
one bad row never stops the rest.
"""

import io
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from ledger.cores import in_order
from ledger.errors import Malformed

BLOCK_BYTES = 8 << 20
BATCH_ROWS = 1 << 17
MAX_LINE_BYTES = 1 << 16
MAX_EXPANSION = 100
"""Times its size that a packed body may hold."""
FREE_BYTES = 16 << 20
"""What any packed body may hold."""
SCHEMA = pa.schema(
    {
        "a_party": pa.string(),
        "b_party": pa.string(),
        "route": pa.string(),
        "start": pa.string(),
        "start_ms": pa.int64(),
        "quantity": pa.int64(),
    }
)
"""Columns as they come; a missing one is null. One of start and start_ms is there."""


class Form(StrEnum):
    """The media types that are taken."""

    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    ARROW = "application/vnd.apache.arrow.stream"
    PARQUET = "application/vnd.apache.parquet"


class Packing(StrEnum):
    """The content codings that are taken."""

    NONE = "identity"
    GZIP = "gzip"
    ZSTD = "zstd"


class Bad(NamedTuple):
    """A row that cannot be read."""

    line: int
    column: str
    reason: str


class Block(NamedTuple):
    """Consecutive rows of a body."""

    lines: pa.Array
    """1-based line or row of each, int64."""
    rows: pa.Table
    """SCHEMA."""
    bad: tuple[Bad, ...]


_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    quantity: _Whole
    route: str
    b_party: str
    a_party: str = ""
    start: str | None = None
    start_ms: _Whole | None = None


_ROW = msgspec.json.Decoder(_Row)


def blocks_of(path: Path, form: Form, packing: Packing) -> Iterator[Block]:
    """The rows of a body, in pieces, one at least. Raises Malformed if it is no such body at all, or holds nothing."""
    if form is Form.PARQUET and packing is not Packing.NONE:
        raise Malformed(
            "a Parquet body is packed already",
            expected="no Content-Encoding",
            got=packing.value,
            todo="Send it without Content-Encoding.",
        )
    none = True
    try:
        for block in _read_blocks(path, form, packing):
            none = none and not len(block.lines) and not block.bad
            yield block
    except UnicodeDecodeError as error:
        raise Malformed(
            "the body is no text in UTF-8",
            expected=f"{form.name} in UTF-8",
            got=f"the byte {error.object[error.start]:#04x} at {error.start}",
            todo="Write it in UTF-8.",
        ) from None
    except (OSError, pa.ArrowException, EOFError) as error:
        raise Malformed(
            f"the body is no {form.value}",
            expected=f"{form.name} of {', '.join(SCHEMA.names)}",
            got=str(error)[:200],
            todo="Compare it with a body of docs/api.md.",
        ) from None
    if none:
        raise _nothing("none")


def _read_blocks(path: Path, form: Form, packing: Packing) -> Iterator[Block]:
    match form:
        case Form.NDJSON:
            with plain_bytes(path, packing) as stream:
                yield from _of_lines(stream)
        case Form.CSV:
            _check_beyond_heading(path, packing)
            with plain_bytes(path, packing) as stream:
                yield from _of_csv(stream)
        case Form.ARROW:
            with plain_bytes(path, packing) as stream, pa.ipc.open_stream(stream) as batches:
                yield from _of_tables(pa.Table.from_batches([batch]) for batch in batches)
        case Form.PARQUET:
            with pq.ParquetFile(path) as file:
                yield from _of_tables(
                    pa.Table.from_batches([batch]) for batch in file.iter_batches(batch_size=BATCH_ROWS)
                )


def _check_beyond_heading(path: Path, packing: Packing) -> None:
    with plain_bytes(path, packing) as stream:
        lines = (stream.read(BLOCK_BYTES) or b"").strip().splitlines()
    if len(lines) < 2:
        raise _nothing("a heading only" if lines else "no line")


def _nothing(got: str) -> Malformed:
    return Malformed(
        "the body holds no record",
        expected=f"one at least, of {', '.join(SCHEMA.names)}",
        got=got,
        todo="Send the records, or nothing.",
    )


class _Lines(NamedTuple):
    """Whole lines, and the number of the first."""

    text: bytes
    first: int
    many: int


def _of_lines(stream: io.RawIOBase) -> Iterator[Block]:
    return in_order(_read_lines, _whole_lines(stream))


def _whole_lines(stream: io.RawIOBase) -> Iterator[_Lines]:
    """Blocks that end where a line does. Raises Malformed for a line without end."""
    first, rest = 1, b""
    while chunk := stream.read(BLOCK_BYTES) or b"":
        whole = rest + chunk
        end = whole.rfind(b"\n") + 1
        text, rest = whole[:end], whole[end:]
        if len(rest) > MAX_LINE_BYTES:
            raise Malformed("a line of the body is too long", expected=f"at most {MAX_LINE_BYTES} bytes", got=len(rest))
        if text:
            count = text.count(b"\n")
            yield _Lines(text, first, count)
            first += count
    if rest:
        yield _Lines(rest, first, 1)


def _read_lines(lines: _Lines) -> Block:
    """The rows of whole lines; all at once, or row by row if one of them is not as it should be."""
    try:
        rows = pa.json.read_json(
            pa.BufferReader(lines.text),
            parse_options=pa.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="error"),
            read_options=pa.json.ReadOptions(use_threads=False, block_size=len(lines.text)),
        )
    except pa.ArrowInvalid:
        rows = None
    if rows is None or len(rows) != lines.many:
        return _one_by_one(lines.text, lines.first)
    numbers = np.arange(lines.first, lines.first + lines.many, dtype=np.int64)
    return Block(pa.array(numbers), rows.select(SCHEMA.names), ())


def _one_by_one(lines: bytes, first: int) -> Block:
    """Likewise, row by row; blank lines are none."""
    numbers: list[int] = []
    rows: list[_Row] = []
    bad: list[Bad] = []
    for number, line in enumerate(lines.split(b"\n"), first):
        if not line.strip():
            continue
        try:
            rows.append(_ROW.decode(line))
            numbers.append(number)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            bad.append(Bad(number, "", str(error)[:200]))
    columns = [pa.array([getattr(row, name) for row in rows], SCHEMA.field(name).type) for name in SCHEMA.names]
    return Block(pa.array(numbers, pa.int64()), pa.Table.from_arrays(columns, schema=SCHEMA), tuple(bad))


def _of_csv(stream: io.RawIOBase) -> Iterator[Block]:
    """Header line first; a row of another width is refused, and every cell is text until it is known to be a number."""
    refused: list[Bad] = []

    def on_invalid(row: pa.csv.InvalidRow) -> str:
        refused.append(Bad(row.number or 0, "", f"{row.actual_columns} columns instead of {row.expected_columns}"))
        return "skip"

    reader = pa.csv.open_csv(
        stream,
        read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        parse_options=pa.csv.ParseOptions(invalid_row_handler=on_invalid),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(SCHEMA.names, pa.string()), strings_can_be_null=False
        ),
    )
    _check_columns(reader.schema.names)
    line = 2
    for batch in reader:
        bad, refused[:] = tuple(refused), []
        dropped = {each.line for each in bad}
        numbers = [at for at in range(line, line + len(batch) + len(bad)) if at not in dropped]
        line += len(batch) + len(bad)
        yield _typed(pa.array(numbers, pa.int64()), pa.Table.from_batches([batch]), bad)
    if refused:
        yield Block(pa.array([], pa.int64()), SCHEMA.empty_table(), tuple(refused))


def _of_tables(tables: Iterator[pa.Table]) -> Iterator[Block]:
    first = 1
    for table in tables:
        _check_columns(table.schema.names)
        yield _typed(pa.array(np.arange(first, first + len(table), dtype=np.int64)), table, ())
        first += len(table)


def _typed(lines: pa.Array, table: pa.Table, bad: tuple[Bad, ...]) -> Block:
    """Columns in their types; a cell that is none takes its row out."""
    columns, wrong = {}, []
    for field in SCHEMA:
        if field.name not in table.schema.names:
            columns[field.name] = pa.nulls(len(table), field.type)
            continue
        column = table[field.name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_timestamp(column.type) and field.name == "start":
            column = column.cast(pa.timestamp("ms", "UTC")).cast(pa.string())
        try:
            columns[field.name] = column.cast(field.type)
        except pa.ArrowInvalid:
            columns[field.name], faults = _cell_by_cell(column, field)
            wrong += faults
    rows = pa.Table.from_pydict(columns, schema=SCHEMA)
    if wrong:
        numbers = lines.to_pylist()
        bad += tuple(Bad(numbers[at], name, reason) for at, name, reason in wrong)
        keep = pa.array([at not in {fault[0] for fault in wrong} for at in range(len(rows))], pa.bool_())
        lines, rows = lines.filter(keep), rows.filter(keep)
    return Block(lines, rows, bad)


def _cell_by_cell(column: pa.Array, field: pa.Field) -> tuple[pa.Array, list[tuple[int, str, str]]]:
    values: list[object] = []
    faults = []
    for at, cell in enumerate(column):
        try:
            values.append(cell.cast(field.type).as_py())
        except pa.ArrowInvalid:
            values.append(None)
            faults.append((at, field.name, f"not {_a(field.type)}: {str(cell)[:40]!r}"))
    return pa.array(values, field.type), faults


def _a(kind: pa.DataType) -> str:
    return "a whole number of 63 bits" if pa.types.is_integer(kind) else "text"


def _check_columns(names: list[str]) -> None:
    unknown = [name for name in names if name not in SCHEMA.names]
    missing = [name for name in ("b_party", "route", "quantity") if name not in names]
    timeless = "start" not in names and "start_ms" not in names
    if unknown or missing or timeless or len(set(names)) != len(names):
        raise Malformed(
            "the body has other columns",
            expected="a_party, b_party, route, quantity, and start or start_ms",
            got=", ".join(names)[:200],
            todo="Rename them; docs/api.md shows a body.",
        )


class _Bounded(io.RawIOBase):
    """A packed body's bytes, as long as they are in proportion to its size."""

    def __init__(self, source: pa.NativeFile, most: int) -> None:
        super().__init__()
        self._source, self._left = source, most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._source.read(BLOCK_BYTES if size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise Malformed(
                "the packed body holds out of proportion", expected=f"{MAX_EXPANSION} times its size at most"
            )
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()


def plain_bytes(path: Path, packing: Packing) -> io.RawIOBase:
    """The bytes of a body, unpacked; reading raises Malformed for one that holds out of proportion."""
    source = pa.OSFile(str(path), "rb")
    if packing is not Packing.NONE:
        source = pa.CompressedInputStream(source, packing.value)
    return _Bounded(source, max(FREE_BYTES, MAX_EXPANSION * path.stat().st_size))


def moments(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """UTC milliseconds of each row, null where none can be read, and whether both columns say something."""
    starts, given = rows["start"].combine_chunks(), rows["start_ms"].combine_chunks()
    both = pc.and_(pc.is_valid(starts), pc.is_valid(given))
    if starts.null_count == len(starts):
        return given, both
    offset = pc.match_substring_regex(starts, r"T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)$")
    clean = pc.if_else(pc.fill_null(offset, False), starts, None)
    return pc.coalesce(_utc_ms(clean), given), both


def _utc_ms(texts: pa.Array) -> pa.Array:
    try:
        return _cast_ms(texts)
    except pa.ArrowInvalid:
        return pa.array([_one_ms(text.as_py()) for text in texts], pa.int64())


def _cast_ms(texts: pa.Array) -> pa.Array:
    return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())


def _one_ms(text: str | None) -> int | None:
    try:
        return None if text is None else int(_cast_ms(pa.array([text], pa.string()))[0].as_py())
    except pa.ArrowInvalid:
        return None
