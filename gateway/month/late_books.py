"""Which records came late in a period, and which records of the months they correct had no counterpart there?"""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from gateway.composition import Gateway
from gateway.month.books import Book, book_of, is_correction, revealed_book, table_of
from gateway.month.parts import Direction
from ledger.period import Period
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading
from ledger.usage import RATED_SCHEMA
from reconciliation.explaining.late import LateRecords
from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile

REPEATED = (Cause.DUPLICATE_AT_OURS.value, Cause.DUPLICATE_AT_THEIRS.value)
"""What repeats a record is no counterpart of another one."""


def late_records(gateway: Gateway, direction: Direction, period: Period, ours: Book, theirs: Book) -> LateRecords:
    """The late batches' records of both sides, and what of the corrected months could be their counterpart."""
    batches = (*ours.batches, *theirs.batches)
    months = _corrected_months(gateway, direction, batches)
    alone = [_alone(gateway, direction, month, period) for month in months]
    return LateRecords(
        ours=table_of(gateway, ours),
        theirs=table_of(gateway, theirs),
        ours_alone=_joined(each for each, _ in alone),
        theirs_alone=_joined(each for _, each in alone),
        corrects=months,
    )


def _corrected_months(gateway: Gateway, direction: Direction, batches: Iterable[DeclarationRow]) -> tuple[Period, ...]:
    wanted = {batch.corrects for batch in batches}
    if not wanted:
        return ()
    with reading(gateway.engine) as connection:
        rows = list_declarations(connection, direction.held.id)
    return tuple(sorted({row.scope.period for row in rows if row.batch_id in wanted}))


def _alone(gateway: Gateway, direction: Direction, month: Period, before: Period) -> tuple[pa.Table, pa.Table]:
    """Both sides' records of a month that have no counterpart, as known before a period: what came late in between
    counts."""
    ours = table_of(gateway, _known(gateway, direction, month, before, is_ours=True))
    theirs = table_of(gateway, _known(gateway, direction, month, before, is_ours=False))
    result = reconcile(ours, theirs, scope=direction.scope(gateway.carrier, month), agreement=direction.held.agreement)
    exceptions = result.exceptions.filter(pc.invert(pc.is_in(result.exceptions["cause"], pa.array(REPEATED))))
    return _only(ours, exceptions, "ours_row", "theirs_row"), _only(theirs, exceptions, "theirs_row", "ours_row")


def _known(gateway: Gateway, direction: Direction, month: Period, before: Period, *, is_ours: bool) -> Book:
    """One side's batches of a month, and those that corrected it in periods before `before`."""
    declarer = gateway.carrier if is_ours else direction.held.partner
    with reading(gateway.engine) as connection:
        rows = list_declarations(connection, direction.held.id, None, declarer, direction.creditor)
    of_month = {row.batch_id for row in rows if row.scope.period == month and not is_correction(row)}
    later = {row.scope.period for row in rows if row.corrects in of_month and row.scope.period < before}
    books = [
        book_of(gateway, direction, declarer, each) if is_ours else revealed_book(gateway, direction, each)
        for each in sorted({month, *later})
    ]
    batches = [batch for book in books for batch in book.batches]
    return Book(declarer, tuple(row for row in batches if row.batch_id in of_month or row.corrects in of_month))


def _only(table: pa.Table, exceptions: pa.Table, mine: str, other: str) -> pa.Table:
    """The rows of a side that stand in no pair."""
    single = pc.and_(pc.is_valid(exceptions[mine]), pc.is_null(exceptions[other]))
    return table.take(pc.unique(exceptions.filter(single)[mine]))


def _joined(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([RATED_SCHEMA.empty_table(), *tables])
