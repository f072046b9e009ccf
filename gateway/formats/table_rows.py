"""Which rows and fields do the named columns of a Parquet file or of a workbook's sheet hold?"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.formats.fields import MAX_FIELD_BYTES
from gateway.formats.layout import Preset
from gateway.formats.rows import Bools, Cut, Refusals, Rows
from gateway.formats.text_rows import check_header
from gateway.formats.workbook import Place, Sheet, read_sheet
from ledger.errors import Malformed

BATCH_ROWS = 16_384
MAX_GROUP_BYTES = 1 << 30
"""Of a Parquet row group, unpacked; more has no place in memory."""
HEADER_WITHIN = 20
"""Rows of a sheet in which its header is looked for: titles stand above it."""
_LONG = f"field longer than {MAX_FIELD_BYTES} bytes"


def parquet_cuts(path: Path, preset: Preset, refusals: Refusals) -> Iterator[Cut]:
    """The rows of a Parquet file, in pieces. Raises Malformed."""
    try:
        with pq.ParquetFile(path, read_dictionary=text_columns(path)) as file:
            _check_groups(file)
            order = check_header([name.lower() for name in file.schema_arrow.names], preset)
            stored = dict(zip(order, file.schema_arrow.names, strict=True))
            before = 0
            for batch in file.iter_batches(BATCH_ROWS, columns=[stored[name] for name in preset.raw_columns]):
                raw = {name: bytes_of(batch.column(stored[name]), name) for name in preset.raw_columns}
                line = np.arange(before + 1, before + len(batch) + 1)
                before += len(batch)
                yield _checked(Rows(line, raw), refusals)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Malformed("the file cannot be read", expected="Parquet", got=str(error)[:200]) from None


def sheet_cuts(path: Path, preset: Preset, refusals: Refusals) -> Iterator[Cut]:
    """The rows of a workbook's sheet under its header row. Raises Malformed."""
    sheet = read_sheet(path, preset.file.sheet)
    header = _header_row(sheet, preset)
    order = check_header([cell.strip().lower() for cell in sheet.rows[header]] if sheet.rows else [], preset)
    kept = [row for row in range(header + 1, len(sheet.rows)) if any(sheet.rows[row])]
    line = np.array(kept, np.int64) + 1
    places = {name: order.index(name) for name in preset.raw_columns}
    clean = np.ones(len(kept), np.bool_)
    for name, at in places.items():
        made_up = np.array([Place(row + 1, at + 1) in sheet.formulas for row in kept], np.bool_)
        refusals.add(line[made_up & clean], name, "a formula, not a value")
        clean &= ~made_up
    cells = {name: [sheet.rows[row][at].strip().encode() for row in kept] for name, at in places.items()}
    rows = Rows(line, {name: pa.array(texts, pa.binary()) for name, texts in cells.items()})
    cut = _checked(rows.keep(clean), refusals)
    yield cut._replace(seen=len(kept))


def _header_row(sheet: Sheet, preset: Preset) -> int:
    wanted = {column.lower() for column in preset.file.columns}
    for at, row in enumerate(sheet.rows[:HEADER_WITHIN]):
        if wanted <= {cell.strip().lower() for cell in row}:
            return at
    return next((at for at, row in enumerate(sheet.rows[:HEADER_WITHIN]) if any(row)), 0)


def _check_groups(file: pq.ParquetFile) -> None:
    for number in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(number).total_byte_size
        if size > MAX_GROUP_BYTES:
            raise Malformed(
                "the file's row groups are too large", expected=f"{MAX_GROUP_BYTES:,} bytes", got=f"{size:,}"
            )


def bytes_of(column: pa.Array, name: str) -> pa.Array:
    """A column's values as they would stand in a text file."""
    if pa.types.is_dictionary(column.type):
        column = pa.DictionaryArray.from_arrays(column.indices, _cut(column.dictionary)).dictionary_decode()
    if pa.types.is_nested(column.type):
        raise Malformed(
            "a column holds no plain values", expected="text, numbers or times", got=f"{name}: {column.type}"
        )
    text = column if pa.types.is_binary(column.type) else column.cast(pa.string())
    return pc.fill_null(text.cast(pa.binary()), b"")


def text_columns(path: Path) -> list[str]:
    """The columns of text: each value is taken once however often it is repeated, since a value may be long."""
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return [field.name for field in pq.read_schema(path) if any(is_text(field.type) for is_text in plain)]


def _cut(values: pa.Array) -> pa.Array:
    """Texts as bytes, so long that one is seen to be too long."""
    plain = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    texts = values.cast(pa.large_binary()) if plain or pa.types.is_large_binary(values.type) else values
    if not pa.types.is_large_binary(texts.type) and not pa.types.is_binary(texts.type):
        return values
    return pc.binary_slice(texts, 0, MAX_FIELD_BYTES + 1).cast(pa.binary())


def _checked(rows: Rows, refusals: Refusals) -> Cut:
    fits: Bools = np.ones(len(rows.line), np.bool_)
    for name, column in rows.raw.items():
        long = pc.greater(pc.binary_length(column), MAX_FIELD_BYTES).to_numpy(zero_copy_only=False)
        refusals.add(rows.line[long & fits], name, _LONG)
        fits &= ~long
    return Cut(rows.keep(fits), len(rows.line), 0, _marks(rows))


def _marks(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    cells = zip(*(column.to_pylist() for column in rows.raw.values()), strict=True)
    marks = (int.from_bytes(blake2b(b"\0".join(row), digest_size=8).digest()) for row in cells)
    return np.fromiter(marks, np.uint64, len(rows.line))
