"""Where do the desk's lists of records come from? Both sides' books as the archive holds them, paired by the engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.composition import Gateway
from gateway.month.books import Book, book_of, revealed_book
from gateway.month.parts import Direction
from gateway.records.pairing import Pairs
from gateway.records.spilling import VALUES
from gateway.records.writing import Sides, write_list
from ledger import archive
from ledger.period import Period

READ_ROWS = 1 << 18
"""Taken of a book at once."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of records in the making: the engine tells its pairs, then it is written."""

    sides: Sides
    pairs: Pairs

    def write(self, path: Path, exceptions: pa.Table) -> pa.Table:
        """Write it, with why records differ; the exceptions, each with its number in the list."""
        self.pairs.explain(exceptions)
        write_list(path, self.sides, self.pairs)
        return self.pairs.numbered(exceptions)


def begin_listing(gateway: Gateway, direction: Direction, period: Period, scratch: Path) -> Listing:
    """A list of what both declared of a direction. What waits meanwhile lies in `scratch`, which may go after that."""
    ours, theirs = book_of(gateway, direction, gateway.carrier, period), revealed_book(gateway, direction, period)
    batches = (*ours.batches, *theirs.batches)
    sides = Sides(
        ours=lambda: _pieces(gateway, ours),
        theirs=lambda: _pieces(gateway, theirs),
        ours_count=sum(batch.count for batch in ours.batches),
        theirs_count=sum(batch.count for batch in theirs.batches),
        from_ms=min((batch.from_ms for batch in batches), default=0),
        to_ms=max((batch.to_ms for batch in batches), default=0),
    )
    return Listing(sides, Pairs(scratch, sides.ours_count, sides.theirs_count))


def list_path(exceptions_path: Path) -> Path:
    """Where the list lies: beside the exceptions of the same run."""
    return exceptions_path.with_suffix(".arrow")


def _pieces(gateway: Gateway, book: Book) -> Iterator[pa.Table]:
    """The book's records in order of their rows; each file was checked against its root when they were compared."""
    for batch in book.batches:
        with pq.ParquetFile(gateway.settings.archive_path / archive.archive_name(batch.root)) as file:
            for piece in file.iter_batches(READ_ROWS, columns=list(VALUES)):
                yield pa.Table.from_batches([piece])
