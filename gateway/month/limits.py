"""Verb *exposure*: how much does each debtor owe, of which limit, and what of that is deposited?"""

from dataclasses import dataclass

from gateway.answers import Money
from gateway.composition import Gateway
from gateway.month.parts import wanted_partnerships
from ledger.identity import CarrierCode
from ledger.store.credit import list_credit
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class ExposureAnswer:
    """One direction."""

    creditor: CarrierCode
    debtor: CarrierCode
    exposure: Money
    limit: Money
    """Credit line and deposits together."""
    deposited: Money
    left: Money
    """Negative past the limit."""
    policy: str
    stopped: bool


def exposure(gateway: Gateway, partner: CarrierCode | None = None) -> tuple[ExposureAnswer, ...]:
    """Every direction of our agreements that has a line, a deposit or an exposure. Raises NotFound."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        return tuple(
            ExposureAnswer(
                creditor=row.creditor,
                debtor=held.agreement.counterparty(row.creditor),
                exposure=Money(held.currency, row.exposure_micros),
                limit=Money(held.currency, row.limit_micros),
                deposited=Money(held.currency, row.deposit_micros),
                left=Money(held.currency, row.left_micros),
                policy=row.policy.name.lower(),
                stopped=row.stopped,
            )
            for held in wanted_partnerships(gateway, partner)
            for row in list_credit(connection, held.id)
        )
