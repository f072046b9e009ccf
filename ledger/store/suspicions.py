"""What did the latest search of a period for fraud and forgery suspect?

Suspicions are kept as plain columns, as findings are; a repeated search replaces what the last one found.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

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


def replace_suspicions(
    connection: Connection, period: Period, found: Sequence[SuspicionRow], kinds: Collection[str]
) -> list[SuspicionRow]:
    """Keep what a search found instead of what the last one of the period did; `kinds` are those it looks for.

    What other searches found stays; all are numbered anew, the costliest first. Answers the found ones as stored.
    """
    kept = [row for row in list_suspicions(connection, period) if row.kind not in kinds]
    ordered = sorted((*kept, *found), key=lambda row: (-row.at_risk_micros, row.number))
    stored = [replace(row, number=number) for number, row in enumerate(ordered, 1)]
    connection.execute(delete(suspicions).where(suspicions.c.period == period))
    names = SuspicionRow.__dataclass_fields__
    if stored:
        connection.execute(insert(suspicions), [{name: getattr(row, name) for name in names} for row in stored])
    return [row for row in stored if row.kind in kinds]


def list_suspicions(connection: Connection, period: Period | None = None) -> list[SuspicionRow]:
    """The suspicions of a period or of all, the costliest of each first."""
    query = select(suspicions).order_by(suspicions.c.period, suspicions.c.number)
    if period is not None:
        query = query.where(suspicions.c.period == period)
    return all_of(SuspicionRow, connection.execute(query))
