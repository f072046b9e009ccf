"""What did we seal, and what did both declare? A sealed batch is TM Forum's cdrTransaction."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

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
    moment_ms,
    moment_s,
    money,
)
from gateway.composition import Gateway
from ledger.store.batches import list_batches
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading


class TransactionShape(Resource):
    """A batch of ours, sealed under its Merkle root (the id)."""

    type: Literal["cdrTransaction"] = Field(default="cdrTransaction", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    creditor: CarrierWord
    service: ServiceWord
    period: PeriodWord
    state: Literal["sealed", "declared"]
    recordCount: int  # noqa: N815
    quantity: str
    amount: MoneyShape
    startDateTime: Moment | None  # noqa: N815
    endDateTime: Moment | None  # noqa: N815
    sequenceNumber: int | None  # noqa: N815
    declaration: Reference | None


class DeclarationShape(Resource):
    """What a carrier declared on chain: ours and theirs."""

    type: Literal["declaration"] = Field(default="declaration", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    declarer: CarrierWord
    creditor: CarrierWord
    service: ServiceWord
    period: PeriodWord
    sequenceNumber: int  # noqa: N815
    root: Hex32Text
    recordCount: int  # noqa: N815
    quantity: str
    amount: MoneyShape
    corrects: Hex32Text | None
    igw: str | None
    declaredAt: Moment | None  # noqa: N815
    blockNumber: int  # noqa: N815


class AskedTransaction(AskedMonth):
    """Filters of sealed batches."""

    creditor: str | None = Field(default=None, max_length=32)
    service: Literal["voice", "sms", "data", "ipl"] | None = None
    state: Literal["sealed", "declared"] | None = None


class AskedDeclaration(AskedMonth):
    """Filters of declarations."""

    declarer: str | None = Field(default=None, max_length=32)
    creditor: str | None = Field(default=None, max_length=32)
    service: Literal["voice", "sms", "data", "ipl"] | None = None


def _sealed(gateway: Gateway, asked: AskedMonth) -> Sequence[TransactionShape]:
    with reading(gateway.engine) as connection:
        return [
            TransactionShape(
                id=hexed(row.root),
                href=f"/v1/cdrTransaction/{hexed(row.root)}",
                partner=held.partner,
                creditor=row.scope.creditor,
                service=row.scope.service.word,
                period=str(period),
                state=row.state.value,
                recordCount=row.count,
                quantity=str(row.quantity),
                amount=money(held.currency, row.amount_micros),
                startDateTime=moment_ms(row.from_ms),
                endDateTime=moment_ms(row.to_ms),
                sequenceNumber=row.seq,
                declaration=None if row.batch_id is None else _declaration(row.batch_id),
            )
            for held, period in months_of(connection, gateway, asked)
            for row in list_batches(connection, held.id, period)
        ]


def _declared(gateway: Gateway, asked: AskedMonth) -> Sequence[DeclarationShape]:
    with reading(gateway.engine) as connection:
        return [
            DeclarationShape(
                id=hexed(row.batch_id),
                href=f"/v1/declaration/{hexed(row.batch_id)}",
                partner=held.partner,
                declarer=row.scope.declarer,
                creditor=row.scope.creditor,
                service=row.scope.service.word,
                period=str(period),
                sequenceNumber=row.seq,
                root=hexed(row.root),
                recordCount=row.count,
                quantity=str(row.quantity),
                amount=money(held.currency, row.amount_micros),
                corrects=maybe_hex(row.corrects),
                igw=row.igw or None,
                declaredAt=moment_s(row.declared_at),
                blockNumber=row.block_number,
            )
            for held, period in months_of(connection, gateway, asked)
            for row in list_declarations(connection, held.id, period)
        ]


def _declaration(batch_id: bytes) -> Reference:
    return Reference(id=hexed(batch_id), href=f"/v1/declaration/{hexed(batch_id)}")


_ANY = "0x" + "0" * 64
CDR_TRANSACTION = Kind("cdrTransaction", TransactionShape, AskedTransaction, _sealed, _ANY)
DECLARATION = Kind("declaration", DeclarationShape, AskedDeclaration, _declared, _ANY, lambda row: row.partner)
