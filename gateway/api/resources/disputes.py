"""What is disputed, and how did it end? With the states of MEF 141."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gateway.api.resources.bills import ItemState
from gateway.api.resources.kind import Kind
from gateway.api.resources.months import AskedMonth, held_of
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
from gateway.composition import Gateway
from ledger.period import parse_period
from ledger.store.engine import reading
from ledger.store.settlement import list_disputes


class DisputeShape(Resource):
    """A dispute on chain: what the debtor holds back, and what became of it."""

    type: Literal["dispute"] = Field(default="dispute", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    period: PeriodWord
    creditor: CarrierWord
    service: ServiceWord
    reason: str
    state: ItemState
    amount: MoneyShape
    withheld: MoneyShape
    credited: MoneyShape
    due: MoneyShape
    evidenceHash: Hex32Text | None  # noqa: N815
    openedAt: Moment | None  # noqa: N815
    customerBill: Reference  # noqa: N815


class AskedDispute(AskedMonth):
    """Filters of disputes."""

    creditor: str | None = Field(default=None, max_length=32)
    service: Literal["voice", "sms", "data", "ipl"] | None = None
    state: ItemState | None = None


def _rows(gateway: Gateway, asked: AskedMonth) -> Sequence[DisputeShape]:
    period = None if asked.period is None else parse_period(asked.period)
    with reading(gateway.engine) as connection:
        return [
            DisputeShape(
                id=hexed(row.dispute_id),
                href=f"/v1/dispute/{hexed(row.dispute_id)}",
                partner=held.partner,
                period=str(row.period),
                creditor=row.creditor,
                service=row.service.word,
                reason=row.reason,
                state=words_of(row.state.name),  # type: ignore[arg-type]
                amount=money(held.currency, row.amount_micros),
                withheld=money(held.currency, row.withheld_micros),
                credited=money(held.currency, row.credited_micros),
                due=money(held.currency, row.due_micros),
                evidenceHash=maybe_hex(row.evidence_hash),
                openedAt=moment_s(row.opened_at),
                customerBill=Reference(
                    id=f"{held.partner}.{row.period}", href=f"/v1/customerBill/{held.partner}.{row.period}"
                ),
            )
            for held in held_of(gateway, asked)
            for row in list_disputes(connection, held.id, period)
        ]


DISPUTE = Kind("dispute", DisputeShape, AskedDispute, _rows, "0x" + "0" * 64, lambda row: row.partner)
