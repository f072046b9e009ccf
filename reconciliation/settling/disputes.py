"""What should the debtor dispute, and by which rule of the agreement?"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement, Tolerance
from ledger.identity import CarrierCode
from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Finding, Severity, mirrored
from reconciliation.reconcile import Reconciliation

RATE_CAUSES = frozenset(
    {
        Cause.RATE,
        Cause.DESTINATION,
        Cause.ORIGIN_CLASS,
        Cause.CURRENCY,
        Cause.VOLUME_COUNTER,
        Cause.PERCENTILE,
        Cause.HEADER_DETAIL,
    }
)
"""A rate dispute is raised whatever its amount: it comes back every month."""


@dataclass(frozen=True, slots=True)
class DisputeProposal:
    """One dispute the debtor may open; amounts are the creditor's minus the debtor's."""

    cause: Cause
    """As the debtor sees it, whoever proposes: it goes on chain as the reason."""
    creditor: CarrierCode
    service: Service
    period: Period
    amount_micros: Micros
    count: int
    """Records or pairs."""
    findings: tuple[int, ...]
    """Positions in `Reconciliation.findings`; none for NOT_REVEALED."""
    rows: pa.Table
    """The evidence: EXCEPTIONS_SCHEMA (exceptions.py); for NOT_REVEALED batch_id in hex and refusal."""
    explanation: str
    rule: str
    """The agreement's rule that allows it."""


def dispute_proposals(reconciliation: Reconciliation, agreement: Agreement) -> tuple[DisputeProposal, ...]:
    """One proposal for each cause worth a dispute; both sides come to the same causes and amounts."""
    findings, scope = reconciliation.findings, reconciliation.scope
    grounds = grounds_of(findings, scope, _claimed(reconciliation), agreement.tolerance)
    proposals = []
    for cause in Cause:
        found = [at for at in grounds if findings[at].cause == cause]
        if found:
            proposals.append(_proposal(reconciliation, agreement, cause, found, grounds[found[0]]))
    return tuple(sorted(proposals, key=lambda proposal: list(Cause).index(proposal.cause)))


def grounds_of(
    findings: Sequence[Finding], scope: BatchScope, claimed_micros: int, tolerance: Tolerance
) -> dict[int, str]:
    """By which rule the debtor may dispute a finding: position and rule, in order; the others are let pass.

    `scope.declarer` is our side, `claimed_micros` what the creditor declared in all.
    """
    against = {at: finding for at, finding in enumerate(findings) if _is_against(finding, scope)}
    volume = sum(_overcharge(finding, scope) for finding in against.values() if _is_volume(finding.cause))
    rules = {at: _rule(finding.cause, volume, claimed_micros, tolerance) for at, finding in against.items()}
    return {at: rule for at, rule in rules.items() if rule}


def volume_is_disputed(volume_micros: int, claimed_micros: int, tolerance: Tolerance) -> bool:
    """A volume dispute is raised from a share of the invoice or from an amount, whichever is reached first."""
    share = volume_micros * 10_000 >= claimed_micros * tolerance.volume_bps
    return volume_micros > 0 and (share or volume_micros >= tolerance.volume_micros)


def _is_against(finding: Finding, scope: BatchScope) -> bool:
    disputed = finding.severity in (Severity.DISPUTE, Severity.FORGERY)
    return disputed and _overcharge(finding, scope) > 0


def _overcharge(finding: Finding, scope: BatchScope) -> int:
    """The creditor's amount minus the debtor's."""
    return finding.difference_micros if scope.declarer == scope.creditor else -finding.difference_micros


def _is_volume(cause: Cause) -> bool:
    return cause not in RATE_CAUSES and cause != Cause.INVENTED


def _claimed(reconciliation: Reconciliation) -> int:
    totals, scope = reconciliation.totals, reconciliation.scope
    return totals.ours_micros if scope.declarer == scope.creditor else totals.theirs_micros


def _rule(cause: Cause, volume: int, claimed: int, tolerance: Tolerance) -> str:
    if cause == Cause.INVENTED:
        return "evidence of forgery is disputed in full"
    if cause in RATE_CAUSES:
        return "a rate dispute is always raised"
    if volume_is_disputed(volume, claimed, tolerance):
        amount = show_micros(tolerance.volume_micros, 2)
        share = show_micros(tolerance.volume_bps * 10_000, 2)
        return f"volume disputes reach {share} % of the invoice or {amount}"
    return ""


def _proposal(
    reconciliation: Reconciliation, agreement: Agreement, cause: Cause, found: Sequence[int], rule: str
) -> DisputeProposal:
    scope = reconciliation.scope
    findings = [reconciliation.findings[at] for at in found]
    amount = sum(_overcharge(finding, scope) for finding in findings)
    exceptions = reconciliation.exceptions
    said = "; ".join(finding.explanation for finding in findings)
    return DisputeProposal(
        cause=cause if scope.declarer != scope.creditor else mirrored(cause),
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        amount_micros=Micros(amount),
        count=sum(finding.count for finding in findings),
        findings=tuple(found),
        rows=exceptions.filter(pc.is_in(exceptions["finding"], value_set=pa.array(found, pa.int32()))),
        explanation=f"{agreement.currency} {show_micros(amount, 2)}: {said}",
        rule=rule,
    )
