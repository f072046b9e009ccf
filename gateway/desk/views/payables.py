"""What is to be paid, to whom, and how late is it?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Partnership
from gateway.desk.shapes import hexed
from gateway.desk.views.moods import Mood, State
from gateway.month.paying import aged_of
from gateway.month.versions import in_force
from ledger.chain.bindings import ArrearsStage
from ledger.store.settlement import PayableRow as StoredPayable
from ledger.store.settlement import (
    list_payables,
)

_STAGES = {
    ArrearsStage.CURRENT: State("current"),
    ArrearsStage.OVERDUE: State("overdue", Mood.WARN),
    ArrearsStage.CREDIT_STOPPED: State("credit_stopped", Mood.BAD),
    ArrearsStage.TERMINATED: State("terminated", Mood.BAD),
}


@dataclass(frozen=True, slots=True)
class PayableRow:
    """What remains to be paid after netting, and how late it is."""

    id: str
    creditor: str
    debtor: str
    amount_micros: int
    outstanding_micros: int
    interest_micros: int
    due_at: int
    days_overdue: int
    state: State


def payable_rows(connection: Connection, held_all: Sequence[Partnership], now_ms: int) -> list[PayableRow]:
    """What is to be paid under some agreements, oldest first."""
    by_id = {held.id: held for held in held_all}
    rows = [row for row in list_payables(connection) if row.agreement_id in by_id]
    return [
        _payable_row(row, in_force(connection, by_id[row.agreement_id], row.due_at), now_ms)
        for row in sorted(rows, key=lambda each: each.due_at)
    ]


def _payable_row(row: StoredPayable, held: Partnership, now_ms: int) -> PayableRow:
    aged = aged_of(row, held, now_ms)
    paid = row.outstanding_micros == 0
    late = aged.days_overdue > 0 and row.stage == ArrearsStage.CURRENT
    stage = State("overdue", Mood.WARN) if late else _STAGES[row.stage]
    return PayableRow(
        id=hexed(row.payable_id),
        creditor=row.creditor,
        debtor=row.debtor,
        amount_micros=row.amount_micros,
        outstanding_micros=row.outstanding_micros,
        interest_micros=aged.interest_micros if not paid else row.interest_paid_micros,
        due_at=row.due_at,
        days_overdue=0 if paid else aged.days_overdue,
        state=State("paid", Mood.GOOD) if paid else stage,
    )
