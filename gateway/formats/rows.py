"""What is a row on its way from a file to a record, and what is said of the rows that fall out?"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gateway.formats.layout import Part

Bools = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Marks = NDArray[np.uint64]

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),  # 1-based line or row of the file
        pa.field("column", pa.string(), nullable=False),  # its name, "" if the whole row is meant
        pa.field("reason", pa.string(), nullable=False),
    ]
)


class Rows(NamedTuple):
    """Rows that have all their fields: where they stand, their raw fields by column, and what was read of them."""

    line: Int64s
    raw: Mapping[str, pa.Array]
    """Bytes, as the file has them; no nulls."""
    read: Mapping[str, NDArray[Any]] = MappingProxyType({})
    """Values read so far, by what they are: "quantity"."""

    def keep(self, mask: Bools) -> "Rows":
        """The rows of a mask."""
        if mask.all():
            return self
        chosen = pa.array(mask)
        raw = {name: array.filter(chosen) for name, array in self.raw.items()}
        return Rows(self.line[mask], raw, {name: values[mask] for name, values in self.read.items()})

    def row(self, at: int) -> "Rows":
        """One of them."""
        raw = {name: array.slice(at, 1) for name, array in self.raw.items()}
        return Rows(self.line[at : at + 1], raw, {name: values[at : at + 1] for name, values in self.read.items()})

    def having(self, **values: NDArray[Any]) -> "Rows":
        """The same rows with values read of them."""
        return self._replace(read={**self.read, **values})


class Cut(NamedTuple):
    """A piece of a file, cut into rows."""

    rows: Rows
    seen: int
    """Rows that are neither blank nor a header: those above, those refused and those passed over."""
    passed_over: int
    """Rows of another kind, which are no usage."""
    marks: Marks
    """A mark of each row's content: equal rows have equal ones."""


class Refusals:
    """Collects the rows that are refused, with column and reason."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self.count = 0

    def add(self, lines: Int64s, column: str, reason: str) -> None:
        """These lines are refused."""
        if len(lines):
            texts = [pa.repeat(pa.scalar(column), len(lines)), pa.repeat(pa.scalar(reason), len(lines))]
            self._tables.append(pa.Table.from_arrays([pa.array(lines), *texts], schema=QUARANTINE_SCHEMA))
            self.count += len(lines)

    def drain(self) -> pa.Table:
        """What was refused since the last call, in the order of the file."""
        tables, self._tables = self._tables, []
        return pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *tables]).sort_by("line")


def texts_of(array: pa.Array) -> pa.Array:
    """Bytes as text for regular expressions and for records; what is no UTF-8 stays as it is."""
    return array.cast(options=pc.CastOptions(target_type=pa.string(), allow_invalid_utf8=True))


def with_parts(rows: Rows, parts: Iterable[Part]) -> Rows:
    """With the columns that patterns take out of others; where a pattern finds nothing they are empty."""
    raw = dict(rows.raw)
    for part in parts:
        found = pc.extract_regex(raw[part.column], pattern=part.pattern)
        raw |= {name: pc.fill_null(pc.struct_field(found, name), b"") for name in part.names}
    return rows._replace(raw=raw)


def is_in(array: pa.Array, values: Iterable[str]) -> Bools:
    """Which fields are one of these values."""
    return as_mask(pc.is_in(array, pa.array([value.encode() for value in sorted(values)], pa.binary())))


def as_mask(array: pa.Array) -> Bools:
    """Arrow's booleans as numpy's."""
    return np.asarray(array.to_numpy(zero_copy_only=False), np.bool_)
