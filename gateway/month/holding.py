"""Which records of a direction do we hold, and how are those that show something kept for the desk?"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gateway.composition import Gateway
from gateway.month.books import Book, book_of, table_of
from gateway.month.parts import Direction
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.batches import list_revealed
from ledger.store.engine import reading
from reconciliation.matching.side import Ints


class Held(NamedTuple):
    """The records of one direction on one side's count, and where each is sealed."""

    book: Book
    table: pa.Table


def held_records(gateway: Gateway, direction: Direction, period: Period) -> Held | None:
    """What we declared of a direction, else what was revealed to us; None if there is nothing."""
    return held_of(gateway, direction, period, gateway.carrier) or held_of(
        gateway, direction, period, direction.held.partner
    )


def held_of(gateway: Gateway, direction: Direction, period: Period, declarer: CarrierCode) -> Held | None:
    """One side's records of a direction, as far as we hold them; None if there are none. Raises RootMismatch."""
    book = book_of(gateway, direction, declarer, period)
    if declarer != gateway.carrier:
        with reading(gateway.engine) as connection:
            rows = list_revealed(connection, direction.held.id, period)
        good = {row.batch_id for row in rows if row.refusal is None}
        book = Book(declarer, tuple(batch for batch in book.batches if batch.batch_id in good))
    return Held(book, table_of(gateway, book)) if book.batches else None


def sealed_rows(held: Held, rows: Ints) -> pa.Table:
    """Records of a book, each with its batch's root and its leaf."""
    ends = np.cumsum([batch.count for batch in held.book.batches])
    batch = np.searchsorted(ends, rows, side="right")
    starts = ends - np.array([each.count for each in held.book.batches])
    roots = pa.array([held.book.batches[each].root.hex() for each in batch.tolist()])
    shown = held.table.take(pa.array(rows)).add_column(0, "leaf", pa.array(rows - starts[batch]))
    return shown.add_column(0, "root", roots)


def keep_rows(gateway: Gateway, search: str, period: Period, number: int, table: pa.Table) -> str:
    """Write the records that show a finding of a search ("fraud"); the file's place in the home."""
    path = gateway.settings.work_path / search / f"{period}" / f"{number}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    pq.write_table(table, partial, compression="zstd", row_group_size=10_000)
    partial.replace(path)
    return path.relative_to(gateway.settings.home).as_posix()
