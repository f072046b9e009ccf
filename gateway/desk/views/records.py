"""What is one finding made of, down to one call, its leaf, its proof and its transaction?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.desk.views.batches import BatchRow, batch_row_of, transaction_of
from gateway.desk.views.findings import FindingRow, finding_rows
from gateway.desk.views.moods import Mood, State
from gateway.formats.reading import raw_line
from gateway.month.books import Book, book_of
from gateway.month.parts import Direction
from gateway.month.revealing import declared_totals
from ledger import archive
from ledger.archive import totals_of
from ledger.errors import GscError, NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.sealing import UsageBatch, leaf_is_in, open_leaf
from ledger.store.declarations import CloseRow, DeclarationRow, list_closes
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliation, latest_reconciliations, list_findings
from ledger.store.imports import list_imports
from ledger.store.tables import usage_tables
from reconciliation.finding import Finding

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A pair of records on a finding's list; a side that has none is None."""

    number: int
    ours: "RecordSide | None"
    theirs: "RecordSide | None"
    difference_micros: int


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
class FindingView:
    """The records of one finding, one page of them."""

    partner: str
    period: str
    currency: str
    row: FindingRow
    lines: Sequence[RecordLine]
    shown_from: int
    total: int
    next_after: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a record: what was checked, and whether it holds."""

    word: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SealView:
    """Where one side's record is sealed, and the checks that show it."""

    side: RecordSide
    checks: Sequence[Check]
    batch: BatchRow
    raw_line: str
    raw_file: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """One call down to its proof: both sides' fields, why they were paired, where each is sealed."""

    partner: str
    period: str
    currency: str
    finding: Finding
    rule: str
    """Why the two were paired."""
    finding_number: int
    ours: SealView | None
    theirs: SealView | None


def finding_view(gateway: Gateway, partner: CarrierCode, period: Period, number: int, after: int = 0) -> FindingView:
    """One page of a finding's records. Raises NotFound."""
    held = partnership_with(gateway.settings, partner)
    row = _finding(gateway, held, period, number)
    exceptions = _exceptions_of(gateway, held, period, row)
    ours, theirs = _books(gateway, held, period, row.finding)
    page = exceptions.slice(after, PAGE_ROWS).to_pylist()
    lines = [
        RecordLine(
            number=after + position + 1,
            ours=_side(gateway, ours, each["ours_row"]),
            theirs=_side(gateway, theirs, each["theirs_row"]),
            difference_micros=each["ours_micros"] - each["theirs_micros"],
        )
        for position, each in enumerate(page)
    ]
    last = after + len(lines)
    return FindingView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        row=row,
        lines=lines,
        shown_from=after + 1 if lines else 0,
        total=len(exceptions),
        next_after=last if last < len(exceptions) else None,
    )


def record_view(gateway: Gateway, partner: CarrierCode, period: Period, number: int, record: int) -> RecordView:
    """One record or pair of a finding, with both sides' proofs. Raises NotFound."""
    held = partnership_with(gateway.settings, partner)
    row = _finding(gateway, held, period, number)
    exceptions = _exceptions_of(gateway, held, period, row)
    if not 1 <= record <= len(exceptions):
        raise NotFound("no such record", expected=f"1 to {len(exceptions)}", got=record)
    each = exceptions.slice(record - 1, 1).to_pylist()[0]
    ours, theirs = _books(gateway, held, period, row.finding)
    return RecordView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        finding=row.finding,
        rule=_rule(each),
        finding_number=number,
        ours=_seal(gateway, held, ours, each["ours_row"]),
        theirs=_seal(gateway, held, theirs, each["theirs_row"]),
    )


def _rule(each: dict[str, object]) -> str:
    offset = each["offset_ms"]
    if offset is None:
        return str(each["rule"])
    return f"{each['rule']}; their start is {offset} ms off ours after the clocks are set alike"


def _finding(gateway: Gateway, held: Partnership, period: Period, number: int) -> FindingRow:
    with reading(gateway.engine) as connection:
        rows = finding_rows(connection, held, period)
    if not 1 <= number <= len(rows):
        raise NotFound("no such finding", expected=f"1 to {len(rows)}", got=number)
    return rows[number - 1]


def _exceptions_of(gateway: Gateway, held: Partnership, period: Period, row: FindingRow) -> pa.Table:
    """The finding's rows of the exceptions file, found by its position in its reconciliation."""
    finding = row.finding
    scope = Direction(held, finding.creditor, finding.service).scope(gateway.carrier, period)
    with reading(gateway.engine) as connection:
        run = latest_reconciliation(connection, scope)
        if run is None or run.exceptions_path is None:
            raise NotFound("no records of this finding", todo="Reconcile again.")
        before = _numbered_before(connection, held, period, row.number, run.id or 0)
    position = row.number - 1 - before
    path = gateway.settings.home / run.exceptions_path
    return pq.read_table(path, filters=[("finding", "=", position)])


def _numbered_before(connection: Connection, held: Partnership, period: Period, number: int, run_id: int) -> int:
    """How many findings of other directions stand before this one's on the page."""
    before = 0
    runs = latest_reconciliations(connection, held.id, period)
    for run in sorted(runs, key=lambda each: (each.scope.creditor, each.scope.service)):
        if run.id == run_id:
            return before
        before += len(list_findings(connection, run.id or 0))
    raise NotFound("no such finding", got=number)


def _books(gateway: Gateway, held: Partnership, period: Period, finding: Finding) -> tuple[Book, Book]:
    direction = Direction(held, finding.creditor, finding.service)
    ours = book_of(gateway, direction, gateway.carrier, period)
    return ours, book_of(gateway, direction, held.partner, period)


def _side(gateway: Gateway, book: Book, row: int | None) -> RecordSide | None:
    if row is None:
        return None
    declared, index = book.leaf_of(row)
    path = gateway.settings.archive_path / archive.archive_name(declared.root)
    return _record_side(declared, index, _row_at(path, index))


def _record_side(declared: DeclarationRow, index: int, values: dict[str, object]) -> RecordSide:
    return RecordSide(declarer=declared.scope.declarer, root=f"0x{declared.root.hex()}", index=index, **values)  # type: ignore[arg-type]


def _row_at(path: Path, index: int) -> dict[str, object]:
    """One row of an archive file, reading only the row group that holds it."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if index < rows:
                found: dict[str, object] = file.read_row_group(group).slice(index, 1).to_pylist()[0]
                return found
            index -= rows
    raise NotFound("no such record in the archive", got=index)


def _seal(gateway: Gateway, held: Partnership, book: Book, row: int | None) -> SealView | None:
    if row is None:
        return None
    declared, index = book.leaf_of(row)
    batch = archive.read(gateway.settings.archive_path / archive.archive_name(declared.root))
    with reading(gateway.engine) as connection:
        transaction = transaction_of(connection, declared)
        name, line = _raw(gateway, connection, declared, batch, index)
        closes = list_closes(connection, held.id, declared.scope.period)
    return SealView(
        side=_record_side(declared, index, batch.table.slice(index, 1).to_pylist()[0]),
        checks=_checks(held, declared, batch, index, transaction, closes),
        batch=batch_row_of(declared, State("final", Mood.GOOD), transaction),
        raw_line=line,
        raw_file=name,
    )


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
        Check("root", leaf_is_in(declared.root, opened), f"0x{declared.root.hex()} by {len(opened.proof)} hashes"),
        Check("totals", totals == declared_totals(declared), said),
        Check("chain", declared_unseen(declared, closes), where),
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
