"""What was netted, what is payable, what was paid, and what is late?"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.resources.kind import Asked, Kind
from gateway.api.resources.months import AskedPartner, held_of
from gateway.api.resources.shapes import (
    CarrierWord,
    Hex32Text,
    Moment,
    MoneyShape,
    Reference,
    Resource,
    hexed,
    maybe_hex,
    moment_s,
    money,
    words_of,
)
from gateway.composition import Gateway, partnerships
from ledger.store.engine import reading
from ledger.store.settlement import (
    list_arrears,
    list_cycles,
    list_items,
    list_payables,
    list_payments,
    list_positions,
)

Stage = Literal["current", "overdue", "creditStopped", "terminated"]


class ArrearsStep(BaseModel):
    """A step of a payable up the arrears ladder."""

    model_config = ConfigDict(extra="forbid")

    stage: Stage
    outstanding: MoneyShape
    interest: MoneyShape
    at: Moment | None


class PayableShape(Resource):
    """What remains to be paid after netting, and how late it is."""

    type: Literal["payable"] = Field(default="payable", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    creditor: CarrierWord
    debtor: CarrierWord
    state: Literal["open", "paid"]
    stage: Stage
    """Of the arrears ladder."""
    amount: MoneyShape
    outstanding: MoneyShape
    interestPaid: MoneyShape  # noqa: N815
    dueDate: Moment | None  # noqa: N815
    nettingCycle: Reference  # noqa: N815
    arrears: list[ArrearsStep]


class PaymentShape(Resource):
    """A payment: in the settlement token, or confirmed by the creditor."""

    type: Literal["payment"] = Field(default="payment", serialization_alias="@type")
    partner: CarrierWord
    payable: Reference
    method: Literal["token", "bank"]
    amount: MoneyShape
    interest: MoneyShape
    outstanding: MoneyShape
    """Of the payable, after it."""
    bankReference: Hex32Text | None  # noqa: N815
    """Its hash, as the chain has it."""
    paymentDate: Moment | None  # noqa: N815
    blockNumber: int  # noqa: N815


class ItemShape(Resource):
    """Something payable that a statement or a dispute decided, before netting."""

    type: Literal["settlementItem"] = Field(default="settlementItem", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    creditor: CarrierWord
    state: Literal["waiting", "netted"]
    amount: MoneyShape
    dueDate: Moment | None  # noqa: N815
    source: Hex32Text
    """The statement or the dispute."""
    nettingCycle: Reference | None  # noqa: N815


class Position(BaseModel):
    """What a cycle left a carrier: positive is owed to it."""

    model_config = ConfigDict(extra="forbid")

    carrier: CarrierWord
    amount: MoneyShape


class CycleShape(Resource):
    """A netting cycle that was executed. Its positions sum to zero."""

    type: Literal["nettingCycle"] = Field(default="nettingCycle", serialization_alias="@type")
    id: Hex32Text
    currency: str
    nonce: int
    gross: MoneyShape
    netted: MoneyShape
    position: list[Position]
    payable: list[Reference]
    """Ours."""
    blockNumber: int  # noqa: N815


class AskedPayable(AskedPartner):
    """Filters of payables; stage finds arrears."""

    creditor: str | None = Field(default=None, max_length=32)
    debtor: str | None = Field(default=None, max_length=32)
    state: Literal["open", "paid"] | None = None
    stage: Stage | None = None


class AskedItem(AskedPartner):
    """Filters of settlement items."""

    state: Literal["waiting", "netted"] | None = None


class AskedPayment(AskedPartner):
    """Filters of payments."""

    method: Literal["token", "bank"] | None = None


class AskedCycle(Asked):
    """Filters of netting cycles."""

    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")


def _payables(gateway: Gateway, asked: AskedPartner) -> Sequence[PayableShape]:
    with reading(gateway.engine) as connection:
        return [
            PayableShape(
                id=hexed(row.payable_id),
                href=f"/v1/payable/{hexed(row.payable_id)}",
                partner=held.partner,
                creditor=row.creditor,
                debtor=row.debtor,
                state="open" if row.outstanding_micros else "paid",
                stage=words_of(row.stage.name),  # type: ignore[arg-type]
                amount=money(held.currency, row.amount_micros),
                outstanding=money(held.currency, row.outstanding_micros),
                interestPaid=money(held.currency, row.interest_paid_micros),
                dueDate=moment_s(row.due_at),
                nettingCycle=_ref("nettingCycle", row.cycle_id),
                arrears=_steps(connection, row.payable_id, held.currency),
            )
            for held in held_of(gateway, asked)
            for row in list_payables(connection, held.id)
        ]


def _steps(connection: Connection, payable_id: bytes, unit: str) -> list[ArrearsStep]:
    return [
        ArrearsStep(
            stage=words_of(row.stage.name),  # type: ignore[arg-type]
            outstanding=money(unit, row.outstanding_micros),
            interest=money(unit, row.interest_micros),
            at=moment_s(row.at),
        )
        for row in list_arrears(connection, payable_id)
    ]


def _payments(gateway: Gateway, asked: AskedPartner) -> Sequence[PaymentShape]:
    with reading(gateway.engine) as connection:
        owners = {
            row.payable_id: held for held in held_of(gateway, asked) for row in list_payables(connection, held.id)
        }
        rows = list_payments(connection)
    found, seen = [], Counter[bytes]()
    for row in rows:
        held = owners.get(row.payable_id)
        seen[row.payable_id] += 1
        if held is None:
            continue
        name = f"{hexed(row.payable_id)}.{seen[row.payable_id]}"
        found.append(
            PaymentShape(
                id=name,
                href=f"/v1/payment/{name}",
                partner=held.partner,
                payable=_ref("payable", row.payable_id),
                method="bank" if int(row.token, 16) == 0 else "token",
                amount=money(held.currency, row.amount_micros),
                interest=money(held.currency, row.interest_micros),
                outstanding=money(held.currency, row.outstanding_micros),
                bankReference=maybe_hex(row.bank_reference),
                paymentDate=moment_s(row.paid_at),
                blockNumber=row.block_number,
            )
        )
    return found


def _items(gateway: Gateway, asked: AskedPartner) -> Sequence[ItemShape]:
    with reading(gateway.engine) as connection:
        return [
            ItemShape(
                id=hexed(row.item_id),
                href=f"/v1/settlementItem/{hexed(row.item_id)}",
                partner=held.partner,
                creditor=row.creditor,
                state="waiting" if row.cycle_id is None else "netted",
                amount=money(held.currency, row.amount_micros),
                dueDate=moment_s(row.due_at),
                source=hexed(row.source),
                nettingCycle=None if row.cycle_id is None else _ref("nettingCycle", row.cycle_id),
            )
            for held in held_of(gateway, asked)
            for row in list_items(connection, held.id)
        ]


def _cycles(gateway: Gateway, asked: Asked) -> Sequence[CycleShape]:
    with reading(gateway.engine) as connection:
        ours = {held.id for held in partnerships(gateway.settings).values()}
        payables = [row for row in list_payables(connection) if row.agreement_id in ours]
        return [
            CycleShape(
                id=hexed(row.cycle_id),
                href=f"/v1/nettingCycle/{hexed(row.cycle_id)}",
                currency=row.currency,
                nonce=row.nonce,
                gross=money(row.currency, row.gross_micros),
                netted=money(row.currency, row.netted_micros),
                position=[
                    Position(carrier=each.carrier, amount=money(row.currency, each.position_micros))
                    for each in list_positions(connection, row.cycle_id)
                ],
                payable=[_ref("payable", each.payable_id) for each in payables if each.cycle_id == row.cycle_id],
                blockNumber=row.block_number,
            )
            for row in list_cycles(connection)
        ]


def _ref(kind: str, raw: bytes) -> Reference:
    return Reference(id=hexed(raw), href=f"/v1/{kind}/{hexed(raw)}")


_ANY = "0x" + "0" * 64
PAYABLE = Kind("payable", PayableShape, AskedPayable, _payables, _ANY, lambda row: row.partner)
PAYMENT = Kind("payment", PaymentShape, AskedPayment, _payments, f"{_ANY}.1", lambda row: row.partner)
SETTLEMENT_ITEM = Kind("settlementItem", ItemShape, AskedItem, _items, _ANY, lambda row: row.partner)
NETTING_CYCLE = Kind("nettingCycle", CycleShape, AskedCycle, _cycles, _ANY)
