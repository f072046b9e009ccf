"""Which findings does a period have, and what became of each?"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.composition import Partnership
from gateway.desk.views.disputes import dispute_state
from gateway.desk.views.moods import Mood, State
from ledger.chain.bindings import DisputeState
from ledger.period import Period
from ledger.store import findings as stored_findings
from ledger.store.findings import latest_reconciliations, list_findings
from ledger.store.settlement import (
    list_disputes,
    list_statements,
)
from reconciliation.finding import Cause, Finding, Severity, mirrored
from reconciliation.settling.disputes import grounds_of


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, its number in the statement and what became of it."""

    number: int
    finding: Finding
    state: State


DISPUTABLE = (Severity.DISPUTE.value, Severity.FORGERY.value)
"""Words of the state of a finding that may still become a dispute."""
_SEVERITY = {Severity.DISPUTE: Mood.WARN, Severity.FORGERY: Mood.BAD}


def finding_rows(connection: Connection, held: Partnership, period: Period) -> list[FindingRow]:
    """Every finding of a period with its number, in the order of the statement."""
    disputed = {
        (row.creditor, row.service, row.reason): row.state for row in list_disputes(connection, held.id, period)
    }
    agreed = any(row.agreed_at for row in list_statements(connection, held.id, period))
    rows: list[FindingRow] = []
    runs = latest_reconciliations(connection, held.id, period)
    for run in sorted(runs, key=lambda each: (each.scope.creditor, each.scope.service)):
        findings = [finding_of(stored) for stored in list_findings(connection, run.id or 0)]
        claimed = run.ours_micros if run.scope.declarer == run.scope.creditor else run.theirs_micros
        grounds = grounds_of(findings, run.scope, claimed, held.agreement.tolerance)
        for position, finding in enumerate(findings):
            as_debtor = finding.cause if finding.creditor == held.partner else mirrored(finding.cause)
            dispute = disputed.get((finding.creditor, finding.service, as_debtor.value))
            state = finding_state(finding, position in grounds, dispute, agreed=agreed)
            rows.append(FindingRow(len(rows) + 1, finding, state))
    return rows


def finding_state(finding: Finding, disputable: bool, dispute: DisputeState | None, *, agreed: bool) -> State:
    """What became of a finding, or still may: after the statement nobody disputes it any more."""
    if finding.severity is Severity.NOTICE:
        return State("notice")
    if not disputable:
        return State("let_pass")
    if dispute is not None:
        return dispute_state(dispute)
    return State("not_disputed") if agreed else State(finding.severity.value, _SEVERITY[finding.severity])


def finding_of(row: stored_findings.FindingRow) -> Finding:
    """A stored finding as the engine's value."""
    return Finding(
        cause=Cause(row.cause),
        severity=Severity(row.severity),
        creditor=row.creditor,
        service=row.service,
        period=row.period,
        count=row.count,
        ours_micros=row.ours_micros,
        theirs_micros=row.theirs_micros,
        route=row.route,
        destination=row.destination,
        day=date.fromisoformat(row.day) if row.day else None,
        explanation=row.explanation,
        rule=row.rule,
    )
