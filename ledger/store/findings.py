"""What did the reconciliation of a scope find?

Findings are kept as plain columns; `reconciliation.finding.Finding` is built from them one floor up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.rows import all_of, one_of
from ledger.store.tables import findings, reconciliations
from ledger.usage import BatchScope


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    """One run over one scope, of which `declarer` is our side. Amounts in micros, counts in records."""

    scope: BatchScope
    ours_micros: Micros
    theirs_micros: Micros
    pairs: int
    ours_count: int
    theirs_count: int
    exceptions_path: str | None
    """Parquet of the records that differ."""
    reconciled_at_ms: int
    id: int | None = None
    """Given by the store."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding; the fields of reconciliation.finding.Finding, with words for its enums and ISO for its day."""

    cause: str
    severity: str
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    ours_micros: Micros
    theirs_micros: Micros
    route: str | None
    destination: str | None
    day: str | None
    explanation: str
    rule: str


def record_reconciliation(connection: Connection, run: ReconciliationRow, found: Sequence[FindingRow]) -> int:
    """Remember a run with its findings; its id. Earlier runs of the scope stay as history."""
    names = [name for name in ReconciliationRow.__dataclass_fields__ if name not in ("scope", "id")]
    values = {name: getattr(run, name) for name in names} | run.scope._asdict()
    run_id: int = connection.execute(
        insert(reconciliations).values(values).returning(reconciliations.c.id)
    ).scalar_one()
    columns = FindingRow.__dataclass_fields__
    rows = [
        {name: getattr(finding, name) for name in columns} | {"reconciliation_id": run_id, "position": position}
        for position, finding in enumerate(found)
    ]
    if rows:
        connection.execute(insert(findings), rows)
    return run_id


def latest_reconciliation(connection: Connection, scope: BatchScope) -> ReconciliationRow | None:
    """The latest run over a scope."""
    query = select(reconciliations).order_by(reconciliations.c.id.desc()).limit(1)
    for name, value in scope._asdict().items():
        query = query.where(reconciliations.c[name] == value)
    found = connection.execute(query).one_or_none()
    return None if found is None else one_of(ReconciliationRow, found)


def latest_reconciliations(
    connection: Connection, agreement_id: AgreementId, period: Period
) -> list[ReconciliationRow]:
    """The latest run over each scope of an agreement and period."""
    wanted = (reconciliations.c.agreement_id == agreement_id) & (reconciliations.c.period == period)
    runs = all_of(ReconciliationRow, connection.execute(select(reconciliations).where(wanted).order_by("id")))
    return list({run.scope: run for run in runs}.values())


def list_findings(connection: Connection, reconciliation_id: int) -> list[FindingRow]:
    """The findings of a run, in the order the engine gave them."""
    wanted = findings.c.reconciliation_id == reconciliation_id
    return all_of(FindingRow, connection.execute(select(findings).where(wanted).order_by(findings.c.position)))
