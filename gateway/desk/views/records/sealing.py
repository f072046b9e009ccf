"""Where is a record sealed? Its leaf, its proof, its transaction, and the raw line it was read from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership
from gateway.desk.views.batches import BatchRow, batch_row_of, transactions_of
from gateway.desk.views.moods import Mood, State
from gateway.formats.reading import raw_line
from gateway.month.books import Book
from gateway.month.revealing import declared_totals
from gateway.records.layout import NOBODY
from ledger import archive
from ledger.archive import totals_of
from ledger.errors import GscError
from ledger.sealing import UsageBatch, leaf_is_in, open_leaf
from ledger.store.declarations import CloseRow, DeclarationRow, list_closes
from ledger.store.engine import reading
from ledger.store.imports import list_imports
from ledger.store.tables import usage_tables


@dataclass(frozen=True, slots=True)
class RecordSide:
    """One side's record: its values and where it is sealed."""

    declarer: str
    root: str
    index: int
    line: int
    a_party: str
    b_party: str
    start_ms: int
    quantity: int
    route: str
    destination: str
    code: str
    charged_quantity: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a record: what was checked, and whether it holds."""

    word: str
    holds: bool
    detail: str
    href: str = ""
    """The page of what the detail names."""


@dataclass(frozen=True, slots=True)
class SealView:
    """Where one side's record is sealed, and the checks that show it."""

    side: RecordSide
    checks: Sequence[Check]
    batch: BatchRow
    raw_line: str
    raw_file: str


def seal_view(gateway: Gateway, held: Partnership, book: Book, row: int) -> SealView | None:
    """Where a row of a book is sealed and whether that holds; None for NOBODY. Its batch is read and hashed whole."""
    if row == NOBODY:
        return None
    declared, index = book.leaf_of(row)
    batch = archive.read(gateway.settings.archive_path / archive.archive_name(declared.root))
    with reading(gateway.engine) as connection:
        transaction = transactions_of(connection, [declared])[declared.batch_id]
        name, line = _raw(gateway, connection, declared, batch, index)
        closes = list_closes(connection, held.id, declared.scope.period)
    return SealView(
        side=_record_side(declared, index, batch.table.slice(index, 1).to_pylist()[0]),
        checks=_checks(held, declared, batch, index, transaction, closes),
        batch=batch_row_of(declared, State("final", Mood.GOOD), transaction),
        raw_line=line,
        raw_file=name,
    )


def _record_side(declared: DeclarationRow, index: int, values: dict[str, object]) -> RecordSide:
    return RecordSide(declarer=declared.scope.declarer, root=f"0x{declared.root.hex()}", index=index, **values)  # type: ignore[arg-type]


def _checks(
    held: Partnership,
    declared: DeclarationRow,
    batch: UsageBatch,
    index: int,
    transaction: bytes,
    closes: Sequence[CloseRow],
) -> list[Check]:
    opened = open_leaf(batch, index)
    totals = totals_of(batch)
    said = f"{declared.count:,} records, {Money(held.currency, declared.amount_micros)}"
    where = f"transaction 0x{transaction.hex()}, block {declared.block_number}, seq {declared.seq}"
    return [
        Check("leaf", batch.tree.leaf(index) == opened.leaf.hash(), f"leaf {index}: 0x{opened.leaf.hash().hex()}"),
        Check(
            "root",
            leaf_is_in(declared.root, opened),
            f"0x{declared.root.hex()} by {len(opened.proof)} hashes",
            f"/desk/chain/batches/0x{declared.root.hex()}",
        ),
        Check("totals", totals == declared_totals(declared), said),
        Check("chain", declared_unseen(declared, closes), where, f"/desk/chain/transactions/0x{transaction.hex()}"),
    ]


def declared_unseen(declared: DeclarationRow, closes: Sequence[CloseRow]) -> bool:
    """Was it declared before both sides had closed? Only then are records revealed."""
    return len(closes) < 2 or declared.block_number <= max(close.block_number for close in closes)


def _raw(
    gateway: Gateway, connection: Connection, declared: DeclarationRow, batch: UsageBatch, index: int
) -> tuple[str, str]:
    """Name and line of our own raw file; the partner's stays with the partner."""
    query = usage_tables.select().where(usage_tables.c.root == declared.root)
    usage = connection.execute(query).one_or_none()
    if declared.scope.declarer != gateway.carrier or usage is None:
        return "", ""
    source = next((each for each in list_imports(connection) if each.id == usage.import_id), None)
    if source is None:
        return "", ""
    line = batch.table["line"][index].as_py()
    try:
        return source.file_name, raw_line(gateway.settings.inbox_path / f"{source.file_hash.hex()}.cdr", line)
    except (GscError, OSError):
        return source.file_name, ""
