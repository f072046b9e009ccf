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
from reconciliation.finding import Cause, Finding, Severity, mirrored
from reconciliation.reconcile import Reconciliation

RATE_CAUSES = frozenset({Cause.RATE, Cause.DESTINATION})
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
    """Positions in `Reconciliation.findings`."""
    rows: pa.Table
    """The evidence: EXCEPTIONS_SCHEMA (reconcile.py)."""
    explanation: str
    rule: str
    """The agreement's rule that allows it."""


def dispute_proposals(reconciliation: Reconciliation, agreement: Agreement) -> tuple[DisputeProposal, ...]:
    """One proposal for each cause worth a dispute; both sides come to the same causes and amounts."""
    overcharged = {
        cause: [at for at, finding in enumerate(reconciliation.findings) if _is_against(reconciliation, finding, cause)]
        for cause in Cause
    }
    volume = sum(_claim(reconciliation, found) for cause, found in overcharged.items() if _is_volume(cause))
    claimed = _claimed(reconciliation)
    proposals = []
    for cause, found in overcharged.items():
        rule = _rule(cause, volume, claimed, agreement.tolerance)
        if found and rule:
            proposals.append(_proposal(reconciliation, agreement, cause, found, rule))
    return tuple(sorted(proposals, key=lambda proposal: list(Cause).index(proposal.cause)))


def volume_is_disputed(volume_micros: int, claimed_micros: int, tolerance: Tolerance) -> bool:
    """A volume dispute is raised from a share of the invoice or from an amount, whichever is reached first."""
    share = volume_micros * 10_000 >= claimed_micros * tolerance.volume_bps
    return volume_micros > 0 and (share or volume_micros >= tolerance.volume_micros)


def _is_against(reconciliation: Reconciliation, finding: Finding, cause: Cause) -> bool:
    disputed = finding.severity in (Severity.DISPUTE, Severity.FORGERY)
    return finding.cause == cause and disputed and _overcharge(reconciliation, finding) > 0


def _overcharge(reconciliation: Reconciliation, finding: Finding) -> int:
    scope = reconciliation.scope
    return finding.difference_micros if scope.declarer == scope.creditor else -finding.difference_micros


def _claim(reconciliation: Reconciliation, found: Sequence[int]) -> int:
    return sum(_overcharge(reconciliation, reconciliation.findings[at]) for at in found)


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
        return f"volume disputes reach {tolerance.volume_bps / 100:g} % of the invoice or {amount}"
    return ""


def _proposal(
    reconciliation: Reconciliation, agreement: Agreement, cause: Cause, found: Sequence[int], rule: str
) -> DisputeProposal:
    scope = reconciliation.scope
    findings = [reconciliation.findings[at] for at in found]
    amount = _claim(reconciliation, found)
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
