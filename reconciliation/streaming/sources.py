"""Where do a side's records come from, piece by piece? From Parquet files, row group by row group, or from a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ledger.errors import Malformed
from ledger.unreadable import why_unreadable
from ledger.usage import RATED_SCHEMA

NAMES = ("route", "destination", "code")
"""Columns of few texts: read as a dictionary and numbers into it."""
PIECE_ROWS = 1 << 17
MOST_ROWS = 1 << 21
"""A row group with more rows is read in several pieces."""


class Piece(NamedTuple):
    """Records of one side that are read at once."""

    first_row: int
    """Where they stand among all of the side's records, files in the order given."""
    rows: int
    file: int
    group: int


class Source(Protocol):
    """One side's rated records; may be asked again for some columns. Can be pickled."""

    @property
    def rows(self) -> int: ...
    @property
    def pieces(self) -> Sequence[Piece]: ...
    def read(self, piece: Piece, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """First row and records, each column of one chunk: numbers int64, NAMES dictionaries, other texts strings.

        Raises Malformed for an empty cell or another type.
        """
        ...

    def table(self) -> pa.Table:
        """All records. Raises Malformed."""
        ...

    def bounds(self, column: str) -> tuple[int, int] | None:
        """Least and largest value of a column of numbers; None if that is not known, or there are no records."""
        ...


@dataclass(frozen=True, slots=True)
class TableSource:
    """Records in memory."""

    rated: pa.Table

    @property
    def rows(self) -> int:
        return len(self.rated)

    @property
    def pieces(self) -> Sequence[Piece]:
        return [
            Piece(first, min(PIECE_ROWS, self.rows - first), 0, at)
            for at, first in enumerate(range(0, self.rows, PIECE_ROWS))
        ]

    def read(self, piece: Piece, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        yield piece.first_row, _as_read(self.rated.select(list(columns)).slice(piece.first_row, piece.rows))

    def table(self) -> pa.Table:
        return self.rated

    def bounds(self, column: str) -> tuple[int, int] | None:
        found = pc.min_max(self.rated[column]).as_py()
        return None if found["min"] is None else (found["min"], found["max"])


@dataclass(frozen=True, slots=True)
class FileSource:
    """Records in Parquet files."""

    paths: tuple[Path, ...]
    footers: tuple[pq.FileMetaData, ...]
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        return sum(footer.num_rows for footer in self.footers)

    def read(self, piece: Piece, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        path, footer = self.paths[piece.file], self.footers[piece.file]
        file = pq.ParquetFile(path, metadata=footer, read_dictionary=[name for name in columns if name in NAMES])
        try:
            if piece.rows <= MOST_ROWS:
                read = file.read_row_group(piece.group, columns=list(columns), use_threads=False)
                yield piece.first_row, _as_read(read.select(list(columns)))
                return
            first = piece.first_row
            for batch in file.iter_batches(PIECE_ROWS, [piece.group], list(columns), use_threads=False):
                yield first, _as_read(pa.Table.from_batches([batch]).select(list(columns)))
                first += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            raise _no_rated_file(path, why_unreadable(error, path)) from None

    def table(self) -> pa.Table:
        return taken(self, np.arange(self.rows), RATED_SCHEMA.names)

    def bounds(self, column: str) -> tuple[int, int] | None:
        found: list[tuple[int, int]] = []
        for footer in self.footers:
            at = next(at for at in range(footer.num_columns) if footer.schema.column(at).path == column)
            for group in range(footer.num_row_groups):
                known = footer.row_group(group).column(at).statistics
                if known is None or not known.has_min_max or not isinstance(known.min, int):
                    return None
                found.append((known.min, known.max))
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def file_source(paths: Sequence[Path]) -> FileSource:
    """The records of Parquet files of RATED_SCHEMA (ledger/usage.py), in this order. Raises Malformed."""
    footers = tuple(_footer(path) for path in paths)
    pieces: list[Piece] = []
    row = 0
    for at, footer in enumerate(footers):
        for group in range(footer.num_row_groups):
            rows = footer.row_group(group).num_rows
            if rows:
                pieces.append(Piece(row, rows, at, group))
            row += rows
    return FileSource(tuple(paths), footers, tuple(pieces))


def table_source(table: pa.Table) -> TableSource:
    """The records of a RatedTable. Raises Malformed for a missing column."""
    missing = [name for name in RATED_SCHEMA.names if name not in table.column_names]
    if missing:
        raise Malformed(
            "not a rated table",
            expected=", ".join(RATED_SCHEMA.names),
            got="without " + ", ".join(missing),
            todo="Rate the usage first: gsc rate.",
        )
    return TableSource(table.select(RATED_SCHEMA.names))


def taken(source: Source, rows: npt.NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """Some records, by ascending row; reads only the pieces they are in. Texts come as strings."""
    found = [pa.schema([RATED_SCHEMA.field(name) for name in columns]).empty_table()]
    for piece in source.pieces:
        begin, end = np.searchsorted(rows, [piece.first_row, piece.first_row + piece.rows])
        if begin < end:
            for first, table in source.read(piece, columns):
                mine = rows[begin:end]
                mine = mine[(mine >= first) & (mine < first + len(table))] - first
                found.append(table.take(pa.array(mine)).cast(found[0].schema))
    return pa.concat_tables(found)


def _footer(path: Path) -> pq.FileMetaData:
    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _no_rated_file(path, why_unreadable(error, path)) from None
    columns = [footer.schema.column(at).path for at in range(len(footer.schema.names))]
    absent = [name for name in RATED_SCHEMA.names if name not in columns]
    if absent:
        raise _no_rated_file(path, "without " + ", ".join(absent))
    if twice := [name for name in RATED_SCHEMA.names if columns.count(name) > 1]:
        raise _no_rated_file(path, "more than one " + ", ".join(twice))
    return footer


def _no_rated_file(path: Path, got: str) -> Malformed:
    return Malformed(
        f"{path.name} is not a Parquet file of rated records",
        expected=", ".join(RATED_SCHEMA.names),
        got=got[:200],
        todo="Write it with: gsc rate.",
    )


def _as_read(table: pa.Table) -> pa.Table:
    holes = [name for name in table.column_names if table[name].null_count]
    if holes:
        raise Malformed("a column has empty cells", expected="a value in each row", got=", ".join(holes))
    try:
        columns = [_column(table[name], RATED_SCHEMA.field(name)) for name in table.column_names]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Malformed("a column is not of its type", expected=str(RATED_SCHEMA), got=str(error)[:200]) from None
    return pa.Table.from_arrays(columns, table.column_names)


def _column(column: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    if field.name not in NAMES:
        plain = column if column.type == field.type else column.cast(field.type)
        return _one_chunk(plain)
    if column.type == pa.dictionary(pa.int32(), pa.string()):
        return _one_chunk(column.unify_dictionaries())
    return _one_chunk(column.cast(pa.string()).dictionary_encode())


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
