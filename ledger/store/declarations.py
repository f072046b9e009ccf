"""Who declared what, and who closed which period? As the chain said."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.chain.abi import keccak
from ledger.chain.bindings import PeriodClosed, UsageDeclared, UsageRecorded
from ledger.errors import NotFound
from ledger.identity import AgreementId, BatchId, CarrierCode, Root
from ledger.money import Micros
from ledger.period import Period
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.latest import rows_of, table_of
from ledger.store.once import once_a_view
from ledger.store.rows import all_of
from ledger.usage import BatchScope


@dataclass(frozen=True, slots=True)
class DeclarationRow:
    """A declaration on the chain; `declared_at` and `deadline` in seconds, events in ms."""

    batch_id: BatchId
    scope: BatchScope
    seq: int
    root: Root
    count: int
    from_ms: int
    to_ms: int
    quantity: int
    amount_micros: Micros
    deck_hash: bytes
    corrects: bytes
    """32 zero bytes if it corrects nothing."""
    igw: str
    deadline: int
    declared_at: int
    block_number: int
    log_index: int


@dataclass(frozen=True, slots=True)
class CloseRow:
    """One side's close of a period; `closed_at` in seconds."""

    agreement_id: AgreementId
    declarer: CarrierCode
    period: Period
    creditor_seq: int
    debtor_seq: int
    closed_at: int
    block_number: int


@once_a_view
def list_declarations(
    connection: Connection,
    agreement_id: AgreementId | None = None,
    period: Period | None = None,
    declarer: CarrierCode | None = None,
    creditor: CarrierCode | None = None,
) -> list[DeclarationRow]:
    """Declarations in chain order."""
    wanted = {"agreement_id": agreement_id, "period": period, "declarer": declarer, "creditor": creditor}
    return all_of(DeclarationRow, rows_of(connection, UsageDeclared, **wanted))


def declaration_of(connection: Connection, batch_id: BatchId) -> DeclarationRow:
    """The declaration of a batch. Raises NotFound."""
    found = all_of(DeclarationRow, rows_of(connection, UsageDeclared, batch_id=batch_id))
    if not found:
        raise NotFound("no such declaration on the chain", got=batch_id.hex(), todo="Follow the chain, then try again.")
    return found[0]


def last_seq(connection: Connection, agreement_id: AgreementId, declarer: CarrierCode, creditor: CarrierCode) -> int:
    """The last sequence number on the chain, 0 before the first."""
    table = table_of(UsageDeclared)
    same = (table.agreement_id == agreement_id) & (table.declarer == declarer) & (table.creditor == creditor)
    return connection.execute(select(func.max(table.seq)).where(same)).scalar_one() or 0


def declared_micros(connection: Connection, scope: BatchScope) -> Micros:
    """What a declarer declared for one direction, service and period."""
    rows = list_declarations(connection, scope.agreement_id, scope.period, scope.declarer, scope.creditor)
    return Micros(sum(row.amount_micros for row in rows if row.scope.service == scope.service))


def declared_scopes(connection: Connection, agreement_id: AgreementId, period: Period) -> list[BatchScope]:
    """Every scope somebody declared something for."""
    return sorted({row.scope for row in list_declarations(connection, agreement_id, period)})


def batches_hash(connection: Connection, agreement_id: AgreementId, period: Period) -> bytes:
    """What a statement says of its batches: keccak256 of the period's batch ids, sorted and concatenated."""
    return keccak(b"".join(sorted(row.batch_id for row in list_declarations(connection, agreement_id, period))))


@once_a_view
def list_closes(
    connection: Connection, agreement_id: AgreementId | None = None, period: Period | None = None
) -> list[CloseRow]:
    """Closes in chain order."""
    return all_of(CloseRow, rows_of(connection, PeriodClosed, agreement_id=agreement_id, period=period))


def closed_by(connection: Connection, agreement_id: AgreementId, period: Period) -> frozenset[CarrierCode]:
    """Who closed a period; records are revealed when both are in."""
    return frozenset(close.declarer for close in list_closes(connection, agreement_id, period))


def list_inline_leaves(connection: Connection, batch_id: BatchId) -> list[bytes]:
    """The leaves of an inline declaration, by index; its records stand in the transaction.

    They are the logs between its own UsageDeclared and the next one of the block.
    """
    declared, leaves = table_of(UsageDeclared), table_of(UsageRecorded)
    own = EVENT_TABLES[UsageDeclared]
    (block, first) = connection.execute(
        select(own.c.block_number, own.c.log_index).where(declared.batch_id == batch_id)
    ).one()
    later = select(func.min(own.c.log_index)).where(own.c.block_number == block, own.c.log_index > first)
    end = connection.execute(later).scalar_one() or 2**31
    found = rows_of(
        connection, UsageRecorded, leaves.block_number == block, leaves.log_index > first, leaves.log_index < end
    )
    return [row.leaf for row in found]
