"""What did the latest search of a period for fraud and forgery suspect?

Suspicions are kept as plain columns, as findings are; a repeated search replaces what the last one found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.rows import all_of
from ledger.store.tables import suspicions


@dataclass(frozen=True, slots=True)
class SuspicionRow:
    """One suspicion: the fields of the engine's Suspicion, and where its records lie."""

    period: Period
    number: int
    """From 1, the costliest first."""
    kind: str
    confidence: int
    """Percent."""
    service: Service
    creditor: CarrierCode
    debtor: CarrierCode
    declarer: CarrierCode | None
    """Whose count the records are, or who declared."""
    subject: str
    currency: str
    count: int
    at_risk_micros: Micros
    rule: str
    explanation: str
    evidence_path: str | None
    """Parquet of the records that show it."""
    found_at_ms: int


def replace_suspicions(connection: Connection, period: Period, found: Sequence[SuspicionRow]) -> None:
    """Keep what a search found instead of what the last one of the period did."""
    connection.execute(delete(suspicions).where(suspicions.c.period == period))
    names = SuspicionRow.__dataclass_fields__
    if found:
        connection.execute(insert(suspicions), [{name: getattr(row, name) for name in names} for row in found])


def list_suspicions(connection: Connection, period: Period) -> list[SuspicionRow]:
    """The suspicions of a period, the costliest first."""
    wanted = select(suspicions).where(suspicions.c.period == period).order_by(suspicions.c.number)
    return all_of(SuspicionRow, connection.execute(wanted))
