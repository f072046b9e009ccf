"""What was stated, disputed, netted, paid, and what is late? As the chain said."""

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.chain.bindings import (
    ArrearsAdvanced,
    ArrearsStage,
    DisputeOpened,
    DisputeState,
    DisputeStateChanged,
    ItemNetted,
    ItemOpened,
    NettingCycleExecuted,
    PayableOpened,
    PayeeChanged,
    PaymentReceived,
    PositionNetted,
    StatementAgreed,
    StatementLineAgreed,
    StatementProposed,
)
from ledger.errors import NotFound
from ledger.identity import Address, AgreementId, CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.latest import latest_of, rows_of
from ledger.store.once import once_a_view
from ledger.store.rows import all_of

CLOSED_DISPUTES = frozenset(
    {DisputeState.WITHDRAWN, DisputeState.CREDITED, DisputeState.PAYMENT_DUE, DisputeState.SETTLED}
)
"""In these states nothing is withheld any more."""


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement proposed or agreed on the chain; times in seconds, None while it is only proposed."""

    statement_id: bytes
    agreement_id: AgreementId
    period: Period
    proposer: CarrierCode | None
    proposed_at: int | None
    agreed_at: int | None
    due_at: int | None
    by_silence: bool
    batches_hash: bytes | None


@dataclass(frozen=True, slots=True)
class StatementLineRow:
    """One direction and service of an agreed statement."""

    statement_id: bytes
    creditor: CarrierCode
    service: Service
    creditor_micros: Micros
    debtor_micros: Micros
    agreed_micros: Micros
    withheld_micros: Micros


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute and where it stands; `opened_at` in seconds."""

    dispute_id: bytes
    agreement_id: AgreementId
    period: Period
    creditor: CarrierCode
    service: Service
    reason: str
    amount_micros: Micros
    evidence_hash: bytes
    opened_at: int
    state: DisputeState
    credited_micros: Micros
    due_micros: Micros
    block_number: int

    @property
    def withheld_micros(self) -> Micros:
        """What it keeps out of the statement."""
        return Micros(0) if self.state in CLOSED_DISPUTES else self.amount_micros


@dataclass(frozen=True, slots=True)
class ItemRow:
    """Something payable; `cycle_id` names the netting cycle that took it, None while it waits."""

    item_id: bytes
    source: bytes
    """The statement or dispute it comes from."""
    agreement_id: AgreementId
    creditor: CarrierCode
    amount_micros: Micros
    due_at: int
    cycle_id: bytes | None


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A netting cycle that was executed."""

    cycle_id: bytes
    currency: str
    nonce: int
    gross_micros: Micros
    netted_micros: Micros
    block_number: int


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What a cycle left a carrier: positive is owed to it."""

    cycle_id: bytes
    carrier: CarrierCode
    position_micros: Micros


@dataclass(frozen=True, slots=True)
class PayableRow:
    """A leg of a cycle and how much of it is open; `due_at` in seconds. Interest stands in `ageing`, not here."""

    payable_id: bytes
    cycle_id: bytes
    agreement_id: AgreementId
    creditor: CarrierCode
    debtor: CarrierCode
    amount_micros: Micros
    due_at: int
    outstanding_micros: Micros
    interest_paid_micros: Micros
    stage: ArrearsStage


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment; a confirmed one has the zero address as token. `paid_at` in seconds."""

    payable_id: bytes
    token: Address
    amount_micros: Micros
    interest_micros: Micros
    outstanding_micros: Micros
    bank_reference: bytes
    paid_at: int
    block_number: int


@dataclass(frozen=True, slots=True)
class ArrearsRow:
    """A step of a payable up the ladder; `at` in seconds."""

    payable_id: bytes
    stage: ArrearsStage
    outstanding_micros: Micros
    interest_micros: Micros
    at: int
    block_number: int


@once_a_view
def list_statements(
    connection: Connection, agreement_id: AgreementId | None = None, period: Period | None = None
) -> list[StatementRow]:
    """Statements, proposed and agreed, in chain order."""
    proposed = latest_of(connection, StatementProposed, "statement_id", agreement_id=agreement_id, period=period)
    agreed = latest_of(connection, StatementAgreed, "statement_id", agreement_id=agreement_id, period=period)
    rows = {**agreed, **proposed}
    return [
        StatementRow(
            statement_id=statement_id,
            agreement_id=row.agreement_id,
            period=row.period,
            proposer=proposed[statement_id].proposer if statement_id in proposed else None,
            proposed_at=proposed[statement_id].proposed_at if statement_id in proposed else None,
            agreed_at=agreed[statement_id].agreed_at if statement_id in agreed else None,
            due_at=agreed[statement_id].due_at if statement_id in agreed else None,
            by_silence=statement_id in agreed and agreed[statement_id].by_silence,
            batches_hash=agreed[statement_id].batches_hash if statement_id in agreed else None,
        )
        for statement_id, row in sorted(rows.items(), key=lambda item: (item[1].block_number, item[1].log_index))
    ]


def list_statement_lines(connection: Connection, statement_id: bytes) -> list[StatementLineRow]:
    """The lines of an agreed statement, in its order."""
    return all_of(StatementLineRow, rows_of(connection, StatementLineAgreed, statement_id=statement_id))


@once_a_view
def list_disputes(
    connection: Connection, agreement_id: AgreementId | None = None, period: Period | None = None
) -> list[DisputeRow]:
    """Disputes with their present state, in chain order."""
    states = latest_of(connection, DisputeStateChanged, "dispute_id")
    return [
        DisputeRow(
            dispute_id=row.dispute_id,
            agreement_id=row.agreement_id,
            period=row.period,
            creditor=row.creditor,
            service=row.service,
            reason=row.reason,
            amount_micros=row.amount_micros,
            evidence_hash=row.evidence_hash,
            opened_at=row.opened_at,
            state=DisputeState(states[row.dispute_id].state) if row.dispute_id in states else DisputeState.GENERATED,
            credited_micros=states[row.dispute_id].credited_micros if row.dispute_id in states else Micros(0),
            due_micros=states[row.dispute_id].due_micros if row.dispute_id in states else Micros(0),
            block_number=row.block_number,
        )
        for row in rows_of(connection, DisputeOpened, agreement_id=agreement_id, period=period)
    ]


def dispute_of(connection: Connection, dispute_id: bytes) -> DisputeRow:
    """One dispute. Raises NotFound."""
    for row in list_disputes(connection):
        if row.dispute_id == dispute_id:
            return row
    raise NotFound("no such dispute on the chain", got=dispute_id.hex(), todo="Follow the chain, then try again.")


def withheld_micros(
    connection: Connection, agreement_id: AgreementId, period: Period, creditor: CarrierCode, service: Service
) -> Micros:
    """What open disputes withhold from one direction, service and period."""
    rows = list_disputes(connection, agreement_id, period)
    mine = (row for row in rows if row.creditor == creditor and row.service == service)
    return Micros(sum(row.withheld_micros for row in mine))


def list_items(
    connection: Connection, agreement_id: AgreementId | None = None, *, waiting_only: bool = False
) -> list[ItemRow]:
    """Settlement items in chain order; all, or those no cycle took yet."""
    taken = latest_of(connection, ItemNetted, "item_id")
    items = [
        ItemRow(
            item_id=row.item_id,
            source=row.source,
            agreement_id=row.agreement_id,
            creditor=row.creditor,
            amount_micros=row.amount_micros,
            due_at=row.due_at,
            cycle_id=taken[row.item_id].cycle_id if row.item_id in taken else None,
        )
        for row in rows_of(connection, ItemOpened, agreement_id=agreement_id)
    ]
    return [item for item in items if item.cycle_id is None or not waiting_only]


def list_cycles(connection: Connection) -> list[CycleRow]:
    """Executed netting cycles in chain order."""
    return all_of(CycleRow, rows_of(connection, NettingCycleExecuted))


def list_positions(connection: Connection, cycle_id: bytes | None = None) -> list[PositionRow]:
    """Net positions of a cycle or of all."""
    return all_of(PositionRow, rows_of(connection, PositionNetted, cycle_id=cycle_id))


@once_a_view
def list_payables(connection: Connection, agreement_id: AgreementId | None = None) -> list[PayableRow]:
    """Payables with what is open of them, in chain order."""
    payments = list_payments(connection)
    left = {payment.payable_id: payment.outstanding_micros for payment in payments}
    stages = {step.payable_id: step.stage for step in list_arrears(connection)}
    return [
        PayableRow(
            payable_id=row.payable_id,
            cycle_id=row.cycle_id,
            agreement_id=row.agreement_id,
            creditor=row.creditor,
            debtor=row.debtor,
            amount_micros=row.amount_micros,
            due_at=row.due_at,
            outstanding_micros=left.get(row.payable_id, row.amount_micros),
            interest_paid_micros=Micros(
                sum(payment.interest_micros for payment in payments if payment.payable_id == row.payable_id)
            ),
            stage=stages.get(row.payable_id, ArrearsStage.CURRENT),
        )
        for row in rows_of(connection, PayableOpened, agreement_id=agreement_id)
    ]


@once_a_view
def list_payments(connection: Connection, payable_id: bytes | None = None) -> list[PaymentRow]:
    """Payments of a payable or of all, in chain order."""
    return all_of(PaymentRow, rows_of(connection, PaymentReceived, payable_id=payable_id))


def list_arrears(connection: Connection, payable_id: bytes | None = None) -> list[ArrearsRow]:
    """Steps up the arrears ladder, of a payable or of all, in chain order."""
    return [
        ArrearsRow(
            payable_id=row.payable_id,
            stage=ArrearsStage(row.stage),
            outstanding_micros=row.outstanding_micros,
            interest_micros=row.interest_micros,
            at=row.advanced_at,
            block_number=row.block_number,
        )
        for row in rows_of(connection, ArrearsAdvanced, payable_id=payable_id)
    ]


def payee_of(connection: Connection, carrier: CarrierCode) -> Address | None:
    """Where a carrier wants token payments, None before it said."""
    latest = latest_of(connection, PayeeChanged, "carrier", carrier=carrier)
    return latest[carrier].payee if carrier in latest else None
