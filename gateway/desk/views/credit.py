"""How much of each credit line is used, and when is it full?"""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Partnership
from gateway.desk.views.moods import Mood
from gateway.exposing import forecast_of
from ledger.store.credit import list_credit
from reconciliation.settling.exposure import alerts_at


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A credit line: who granted it to whom, how much of it is used."""

    creditor: str
    debtor: str
    limit_micros: int
    exposure_micros: int
    stopped: bool
    deposit_micros: int = 0
    """Of the limit: what the debtor has deposited."""
    full_at: int | None = None
    """Seconds; when the line is full at this pace, None for never."""

    @property
    def left_micros(self) -> int:
        return self.limit_micros - self.exposure_micros

    @property
    def alert_percent(self) -> int:
        """The highest alert share of the line that is reached: 50, 75, 90, 100, or 0."""
        return max(alerts_at(self.exposure_micros, self.limit_micros), default=0) // 100

    @property
    def used_permille(self) -> int:
        """What the meter draws; a line of zero is full with the first use."""
        if self.limit_micros == 0:
            return 1_000 if self.exposure_micros else 0
        return min(1_000, self.exposure_micros * 1_000 // self.limit_micros)

    @property
    def mood(self) -> Mood:
        if self.stopped or self.alert_percent >= 100:
            return Mood.BAD
        return Mood.WARN if self.alert_percent >= 75 else Mood.GOOD


def credit_rows(connection: Connection, held: Partnership, now_ms: int) -> list[CreditRow]:
    """The credit lines of an agreement, both directions, with the moment each is full at this pace."""
    return [
        CreditRow(
            creditor=row.creditor,
            debtor=held.agreement.counterparty(row.creditor),
            limit_micros=row.limit_micros,
            exposure_micros=row.exposure_micros,
            stopped=row.stopped,
            deposit_micros=row.deposit_micros,
            full_at=None if (full := forecast_of(connection, row, now_ms).full_at_ms) is None else full // 1000,
        )
        for row in list_credit(connection, held.id)
    ]
