"""How are two books of any length brought into one order of time? By writing each record into the file of its hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.records.layout import NOBODY
from gateway.records.pairing import Pairs

Ints = npt.NDArray[np.int64]
VALUES = (
    "a_party",
    "b_party",
    "start_ms",
    "quantity",
    "charged_quantity",
    "route",
    "destination",
    "code",
    "amount_micros",
)
"""What is taken of a RatedTable."""
_ROW = pa.field("row", pa.int64(), nullable=False)
_OWNER = pa.field("owner", pa.int64(), nullable=False)


@dataclass(frozen=True, slots=True)
class Span:
    """The time of all records, in stretches of equal length."""

    from_ms: int
    to_ms: int
    stretches: int

    def of(self, start_ms: Ints) -> Ints:
        """The stretch of each start."""
        width = max(1, -(-(self.to_ms - self.from_ms + 1) // self.stretches))
        at: Ints = np.clip((start_ms - self.from_ms) // width, 0, self.stretches - 1)
        return at


@dataclass(slots=True)
class Spill:
    """The records of one side, a file for each stretch; a record of theirs lies where our one of its pair does."""

    folder: Path
    name: str
    _writers: dict[int, pa.RecordBatchFileWriter] = field(default_factory=dict)

    def write(self, stretches: Ints, records: pa.Table) -> None:
        """Put each record into the file of its stretch."""
        order = np.argsort(stretches, kind="stable")
        bounds = np.flatnonzero(np.diff(stretches[order])) + 1
        for part in np.split(order, bounds):
            if len(part):
                chosen = records.take(pa.array(part))
                self._writer(int(stretches[part[0]]), chosen.schema).write_table(chosen)

    def finish(self) -> None:
        """Nothing more comes."""
        for writer in self._writers.values():
            writer.close()

    def read(self, stretch: int) -> pa.Table | None:
        """The records of a stretch in order of their rows, None if it has none; its file is forgotten."""
        if stretch not in self._writers:
            return None
        path = self._path(stretch)
        table = pa.ipc.open_file(pa.OSFile(str(path))).read_all()
        path.unlink()
        return table

    def _writer(self, stretch: int, schema: pa.Schema) -> pa.RecordBatchFileWriter:
        if stretch not in self._writers:
            self._writers[stretch] = pa.ipc.new_file(pa.OSFile(str(self._path(stretch)), "wb"), schema)
        return self._writers[stretch]

    def _path(self, stretch: int) -> Path:
        return self.folder / f"{self.name}-{stretch}.arrow"


class Names:
    """Texts that repeat, each with a number in the order in which it was seen."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def see(self, column: pa.ChunkedArray) -> None:
        """Give a number to each new text."""
        for text in column.unique().to_pylist():
            self.places.setdefault(text, len(self.places))

    def codes(self, column: pa.ChunkedArray) -> pa.Array:
        """The number of each text."""
        found = pa.compute.index_in(column, value_set=pa.array(list(self.places), pa.string()))
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def spill_ours(tables: Iterable[pa.Table], span: Span, spill: Spill, names: tuple[Names, Names]) -> "Stretches":
    """Our records by the stretch of their start; which stretch each row is in."""
    stretches = Stretches()
    for first, table in _numbered(tables):
        at = span.of(table["start_ms"].to_numpy())
        stretches.add(at)
        _see(table, names)
        spill.write(at, table.select(VALUES).add_column(0, _ROW, _counted(first, len(table))))
    spill.finish()
    return stretches


def spill_theirs(
    tables: Iterable[pa.Table], span: Span, spill: Spill, names: tuple[Names, Names], pairs: Pairs, ours: "Stretches"
) -> None:
    """Their records, each with the row of ours that is its pair, in that one's stretch."""
    whole = ours.joined()
    for first, table in _numbered(tables):
        owner = np.asarray(pairs.ours_of[first : first + len(table)], np.int64)
        at = span.of(table["start_ms"].to_numpy())
        at[owner != NOBODY] = whole[owner[owner != NOBODY]]
        _see(table, names)
        numbered = table.select(VALUES).add_column(0, _OWNER, pa.array(owner))
        spill.write(at, numbered.add_column(0, _ROW, _counted(first, len(table))))
    spill.finish()


class Stretches:
    """The stretch of each of our rows, two bytes a row."""

    def __init__(self) -> None:
        self._pieces: list[npt.NDArray[np.uint16]] = []

    def add(self, stretches: Ints) -> None:
        """Of the next rows."""
        self._pieces.append(stretches.astype(np.uint16))

    def joined(self) -> npt.NDArray[np.uint16]:
        """Of all rows."""
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.uint16)


def _numbered(tables: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    first = 0
    for table in tables:
        yield first, table
        first += len(table)


def _counted(first: int, rows: int) -> pa.Array:
    return pa.array(np.arange(first, first + rows, dtype=np.int64))


def _see(table: pa.Table, names: tuple[Names, Names]) -> None:
    destinations, routes = names
    destinations.see(table["destination"])
    routes.see(table["route"])
