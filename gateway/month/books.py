"""Which records does each side hold of one direction? Their batches in order as one table, and back to the leaf."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from gateway.composition import Gateway
from gateway.month.parts import Direction
from ledger import archive
from ledger.errors import Conflict
from ledger.identity import BatchId, CarrierCode
from ledger.period import Period
from ledger.store.batches import list_revealed
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading
from ledger.usage import RATED_SCHEMA
from reconciliation.explaining.unrevealed import UnrevealedBatch


@dataclass(frozen=True, slots=True)
class Book:
    """One side's declared batches of a direction: those of the period itself, then those that came late, each in order
    of their sequence."""

    declarer: CarrierCode
    batches: tuple[DeclarationRow, ...]

    @property
    def own(self) -> "Book":
        """The batches of the period itself."""
        return replace(self, batches=tuple(batch for batch in self.batches if not is_correction(batch)))

    @property
    def late(self) -> "Book":
        """The batches that correct earlier periods."""
        return replace(self, batches=tuple(batch for batch in self.batches if is_correction(batch)))

    def leaf_of(self, row: int) -> tuple[DeclarationRow, int]:
        """The batch and leaf index of a row of the book's table."""
        ends = accumulate(batch.count for batch in self.batches)
        for batch, end in zip(self.batches, ends, strict=True):
            if row < end:
                return batch, row - (end - batch.count)
        raise IndexError(row)


def is_correction(batch: DeclarationRow) -> bool:
    """Whether a batch was declared as a correction of an earlier one."""
    return any(batch.corrects)


def book_of(gateway: Gateway, direction: Direction, declarer: CarrierCode, period: Period) -> Book:
    """What one side declared of a direction, as the chain has it."""
    with reading(gateway.engine) as connection:
        rows = list_declarations(connection, direction.held.id, period, declarer, direction.creditor)
    mine = [row for row in rows if row.scope.service == direction.service]
    return Book(declarer, tuple(sorted(mine, key=lambda row: (is_correction(row), row.seq))))


def table_of(gateway: Gateway, book: Book) -> pa.Table:
    """The book's records from the archive, in leaf order, each file checked against its root. Raises RootMismatch."""
    tables = [archive.read_by_root(gateway.settings.archive_path, row.root).table for row in book.batches]
    return pa.concat_tables(tables) if tables else RATED_SCHEMA.empty_table()


def files_of(gateway: Gateway, book: Book) -> list[Path]:
    """The book's files in the archive, in order of `table_of`, each checked against its root and let go again.

    Raises RootMismatch.
    """
    folder = gateway.settings.archive_path
    for row in book.batches:
        archive.read_by_root(folder, row.root)
    return [folder / archive.archive_name(row.root) for row in book.batches]


def revealed_book(gateway: Gateway, direction: Direction, period: Period) -> Book:
    """The partner's batches whose records we hold, each checked when it was revealed."""
    book = book_of(gateway, direction, direction.held.partner, period)
    without = {batch.batch_id for batch in unrevealed_batches(gateway, direction, period)}
    return Book(book.declarer, tuple(batch for batch in book.batches if batch.batch_id not in without))


def unrevealed_batches(gateway: Gateway, direction: Direction, period: Period) -> tuple[UnrevealedBatch, ...]:
    """The partner's batches that were not revealed, or whose file is not what was declared."""
    book = book_of(gateway, direction, direction.held.partner, period)
    with reading(gateway.engine) as connection:
        came = {row.batch_id: row.refusal for row in list_revealed(connection, direction.held.id, period)}
    return tuple(
        UnrevealedBatch(batch.batch_id, batch.count, batch.amount_micros, came.get(batch.batch_id))
        for batch in book.batches
        if came.get(batch.batch_id, "") is not None
    )


def require_revealed(gateway: Gateway, direction: Direction, period: Period) -> None:
    """Raises Conflict unless all the partner declared of the period was revealed and holds."""
    held = direction.held
    with reading(gateway.engine) as connection:
        good = {row.batch_id for row in list_revealed(connection, held.id, period) if row.refusal is None}
        declared = list_declarations(connection, held.id, period, held.partner, direction.creditor)
    missing: Sequence[BatchId] = [row.batch_id for row in declared if row.batch_id not in good]
    if missing:
        raise Conflict(
            f"{len(missing)} of {held.partner}'s batches of {period} are not revealed, or not what was sealed",
            expected="every declared batch in the archive",
            got=", ".join(each.hex()[:12] for each in missing[:3]),
            todo=f"Fetch them: `gsc reveal --partner {held.partner} --period {period}`. What it does not reveal can be "
            "disputed in full: `gsc dispute --unrevealed`.",
        )
