"""What does a month with a partner come to? The statement, as TM Forum's customerBill with MEF 141's item states."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.resources.kind import Kind
from gateway.api.resources.months import AskedMonth, months_of
from gateway.api.resources.shapes import (
    CarrierWord,
    Hex32Text,
    Moment,
    MoneyShape,
    PeriodWord,
    Reference,
    Resource,
    ServiceWord,
    hexed,
    maybe_hex,
    moment_s,
    money,
    words_of,
)
from gateway.composition import Gateway, Partnership
from gateway.month.accepting import draft_of
from gateway.month.versions import of_period
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.store.declarations import closed_by
from ledger.store.engine import reading
from ledger.store.settlement import (
    DisputeRow,
    StatementRow,
    list_disputes,
    list_items,
    list_payables,
    list_statements,
)

BillState = Literal["new", "onHold", "sent", "validated", "partiallyPaid", "settled"]
ItemState = Literal["generated", "underInvestigation", "withdrawn", "credited", "paymentDue", "settled"]


class BillItem(BaseModel):
    """One direction and service: both sides' amounts, what is agreed and what waits for a dispute."""

    model_config = ConfigDict(extra="forbid")

    creditor: CarrierWord
    service: ServiceWord
    state: ItemState
    """MEF 141: of the dispute about it that is still open, or else of the line itself."""
    creditorAmount: MoneyShape  # noqa: N815
    debtorAmount: MoneyShape  # noqa: N815
    agreed: MoneyShape
    withheld: MoneyShape
    dispute: list[Reference]


class BillShape(Resource):
    """The statement of one month with one partner, as the chain gives it now."""

    type: Literal["customerBill"] = Field(default="customerBill", serialization_alias="@type")
    partner: CarrierWord
    period: PeriodWord
    state: BillState
    """new: not closed by both; onHold: an open dispute withholds something; sent: closed by both; validated: agreed."""
    closedBy: list[CarrierWord]  # noqa: N815
    billItem: list[BillItem]  # noqa: N815
    amountDue: MoneyShape  # noqa: N815
    """What the partner owes us; negative if we owe."""
    batchesHash: Hex32Text  # noqa: N815
    statement: Hex32Text | None
    """Its EIP-712 digest, once it is proposed or agreed on chain."""
    agreedAt: Moment | None  # noqa: N815
    paymentDueDate: Moment | None  # noqa: N815
    bySilence: bool  # noqa: N815


class AskedBill(AskedMonth):
    """Filters of bills."""

    state: BillState | None = None


def bill_id(partner: CarrierCode, period: Period) -> str:
    """ "GB-B.2026-10"."""
    return f"{partner}.{period}"


def _rows(gateway: Gateway, asked: AskedMonth) -> Sequence[BillShape]:
    with reading(gateway.engine) as connection:
        months = list(months_of(connection, gateway, asked))
    return [_bill(gateway, held, period) for held, period in months]


def _bill(gateway: Gateway, signed: Partnership, period: Period) -> BillShape:
    held = of_period(gateway, signed, period)
    with reading(gateway.engine) as connection:
        draft = draft_of(connection, held, period)
        closed: list[str] = sorted(closed_by(connection, held.id, period))
        disputes = list_disputes(connection, held.id, period)
        statements = list_statements(connection, held.id, period)
        last = statements[-1] if statements else None
        state = _state(connection, held, last, len(closed) == len(held.carriers), disputes)
    unit = held.currency
    items = [
        BillItem(
            creditor=line.creditor,
            service=line.service.word,
            state=_item_state(disputes, line.creditor, line.service, state == "settled"),
            creditorAmount=money(unit, line.creditor_micros),
            debtorAmount=money(unit, line.debtor_micros),
            agreed=money(unit, line.agreed_micros),
            withheld=money(unit, line.withheld_micros),
            dispute=[
                Reference(id=hexed(row.dispute_id), href=f"/v1/dispute/{hexed(row.dispute_id)}")
                for row in _about(disputes, line.creditor, line.service)
            ],
        )
        for line in draft.lines
    ]
    return BillShape(
        id=bill_id(held.partner, period),
        href=f"/v1/customerBill/{bill_id(held.partner, period)}",
        partner=held.partner,
        period=str(period),
        state=state,
        closedBy=closed,
        billItem=items,
        amountDue=money(unit, draft.agreed_for(gateway.carrier) - draft.agreed_for(held.partner)),
        batchesHash=hexed(draft.batches_hash),
        statement=maybe_hex(last.statement_id) if last else None,
        agreedAt=moment_s(last.agreed_at) if last else None,
        paymentDueDate=moment_s(last.due_at) if last else None,
        bySilence=last.by_silence if last else False,
    )


def _state(
    connection: Connection, held: Partnership, last: StatementRow | None, both: bool, disputes: list[DisputeRow]
) -> BillState:
    if last is None or last.agreed_at is None:
        if not both:
            return "new"
        return "onHold" if any(row.withheld_micros for row in disputes) else "sent"
    items = [row for row in list_items(connection, held.id) if row.source == last.statement_id]
    cycles = {row.cycle_id for row in items}
    if None in cycles:
        return "validated"
    payables = [row for row in list_payables(connection, held.id) if row.cycle_id in cycles]
    if all(row.outstanding_micros == 0 for row in payables):
        return "settled"
    return "partiallyPaid" if any(row.outstanding_micros < row.amount_micros for row in payables) else "validated"


def _item_state(disputes: list[DisputeRow], creditor: str, service: Service, settled: bool) -> ItemState:
    about = _about(disputes, creditor, service)
    waiting = [row for row in about if row.withheld_micros] or about[-1:]
    if settled or not waiting:
        return "settled" if settled else "generated"
    return words_of(waiting[0].state.name)  # type: ignore[return-value]


def _about(disputes: list[DisputeRow], creditor: str, service: Service) -> list[DisputeRow]:
    return [row for row in disputes if (row.creditor, row.service) == (creditor, service)]


CUSTOMER_BILL = Kind("customerBill", BillShape, AskedBill, _rows, "GB-B.2026-10", lambda row: row.partner)
