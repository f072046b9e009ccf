"""What did the latest search of a period for arbitrage find?

Findings are kept as plain columns, as those of a reconciliation; a repeated search replaces what the last one found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.store.rows import all_of
from ledger.store.tables import arbitrages


@dataclass(frozen=True, slots=True)
class ArbitrageRow:
    """One finding: the fields of the engine's ArbitrageFinding, `cycle` with ">" and `codes` with ";"."""

    period: Period
    number: int
    """From 1, the costliest first."""
    scheme: str
    cycle: str
    loser: CarrierCode
    """Whose money it is."""
    destination: str
    codes: str
    currency: str
    gain_nanos: int
    """For each minute."""
    count: int
    """Calls that went the way."""
    minutes: int
    lost_micros: Micros
    exposed_minutes: int
    at_risk_micros: Micros
    creditor: CarrierCode | None
    """Of the records that show it."""
    debtor: CarrierCode | None
    declarer: CarrierCode | None
    """Whose count they are."""
    evidence_path: str | None
    """Parquet of these records."""
    explanation: str
    found_at_ms: int


def replace_arbitrages(connection: Connection, period: Period, found: Sequence[ArbitrageRow]) -> None:
    """Keep what a search found instead of what the last one of the period did."""
    connection.execute(delete(arbitrages).where(arbitrages.c.period == period))
    names = ArbitrageRow.__dataclass_fields__
    if found:
        connection.execute(insert(arbitrages), [{name: getattr(row, name) for name in names} for row in found])


def list_arbitrages(connection: Connection, period: Period | None = None) -> list[ArbitrageRow]:
    """The findings of a period or of all, the costliest of each first."""
    query = select(arbitrages).order_by(arbitrages.c.period, arbitrages.c.number)
    if period is not None:
        query = query.where(arbitrages.c.period == period)
    return all_of(ArbitrageRow, connection.execute(query))
