"""What does a detector of arbitrage look at? One direction's month of voice, with what prices it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros, div_half_even
from ledger.period import Period
from ledger.prices.deck import MINUTE_MS, DeckHistory
from ledger.service import Service
from reconciliation.arbitrage.surge import Stretch
from reconciliation.matching.side import Ints
from reconciliation.suspicion import Suspicion, SuspicionKind


@dataclass(frozen=True, slots=True)
class Sold:
    """A RatedTable of one direction and period, whoever counted it."""

    creditor: CarrierCode
    debtor: CarrierCode
    table: pa.Table
    agreement: Agreement
    period: Period
    decks: DeckHistory | None = None
    """The creditor's, where we hold them."""

    @property
    def month(self) -> Stretch:
        return Stretch(*self.period.bounds_ms(self.agreement.zone))

    def column(self, name: str) -> Ints:
        """A column of whole numbers."""
        return np.asarray(self.table[name].to_numpy(), np.int64)


def suspect(
    sold: Sold,
    kind: SuspicionKind,
    confidence: int,
    subject: str,
    rows: Ints,
    at_risk: int,
    rule: str,
    explanation: str,
) -> Suspicion:
    """A suspicion about records of this direction."""
    return Suspicion(
        kind=kind,
        confidence=confidence,
        service=Service.VOICE,
        creditor=sold.creditor,
        debtor=sold.debtor,
        subject=subject,
        count=len(rows),
        money_at_risk_micros=Micros(max(0, at_risk)),
        rows=rows,
        rule=rule,
        explanation=explanation,
    )


def cost_micros(volume_ms: int, nanos_per_minute: int) -> int:
    """What so many milliseconds cost at a price of a minute."""
    return div_half_even(volume_ms * nanos_per_minute, MINUTE_MS * NANOS_PER_MICRO)
