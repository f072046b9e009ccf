"""How much may a debtor owe, and how much does it? One settlementAccount for each direction, with its creditLimit."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gateway.api.resources.kind import Kind
from gateway.api.resources.months import AskedPartner, held_of
from gateway.api.resources.shapes import CarrierWord, MoneyShape, Resource, money
from gateway.composition import Gateway
from ledger.store.credit import credit_of
from ledger.store.engine import reading


class CreditShape(Resource):
    """What one carrier owes another under an agreement, and how much it may."""

    type: Literal["settlementAccount"] = Field(default="settlementAccount", serialization_alias="@type")
    partner: CarrierWord
    creditor: CarrierWord
    debtor: CarrierWord
    state: Literal["active", "stopped"]
    """stopped: the debtor is in arrears, and nothing more is taken on credit."""
    creditLimit: MoneyShape  # noqa: N815
    """Credit line and deposits together."""
    deposit: MoneyShape
    exposure: MoneyShape
    left: MoneyShape
    """Negative past the limit."""
    policy: Literal["refuse", "flag"]
    nonce: int
    """Of the latest credit line, 0 before the first."""


class AskedCredit(AskedPartner):
    """Filters of settlement accounts."""

    creditor: str | None = Field(default=None, max_length=32)
    debtor: str | None = Field(default=None, max_length=32)
    state: Literal["active", "stopped"] | None = None


def _rows(gateway: Gateway, asked: AskedPartner) -> Sequence[CreditShape]:
    found = []
    with reading(gateway.engine) as connection:
        for held in held_of(gateway, asked):
            for creditor in held.carriers:
                row, debtor = credit_of(connection, held.id, creditor), held.agreement.counterparty(creditor)
                found.append(
                    CreditShape(
                        id=f"{creditor}.{debtor}",
                        href=f"/v1/settlementAccount/{creditor}.{debtor}",
                        partner=held.partner,
                        creditor=creditor,
                        debtor=debtor,
                        state="stopped" if row.stopped else "active",
                        creditLimit=money(held.currency, row.limit_micros),
                        deposit=money(held.currency, row.deposit_micros),
                        exposure=money(held.currency, row.exposure_micros),
                        left=money(held.currency, row.left_micros),
                        policy="refuse" if row.policy.name == "REFUSE" else "flag",
                        nonce=row.nonce,
                    )
                )
    return found


CREDIT = Kind("settlementAccount", CreditShape, AskedCredit, _rows, "CN-T.GB-B", lambda row: row.partner)
