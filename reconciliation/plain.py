"""How does the engine's answer look as plain values, for JSON? Money as decimal strings, dates in ISO 8601."""

from collections.abc import Mapping

from ledger.money import show_micros
from reconciliation.finding import Finding
from reconciliation.reconcile import Reconciliation
from reconciliation.settling.disputes import DisputeProposal
from reconciliation.settling.netting_steps import NettingSteps
from reconciliation.totals import KeyTotal, Totals

Plain = Mapping[str, object]


def reconciliation_plain(reconciliation: Reconciliation) -> Plain:
    """Scope, totals, waterfall and findings; the exceptions stay a table."""
    scope = reconciliation.scope
    waterfall = reconciliation.waterfall
    return {
        "ours": scope.declarer,
        "theirs": reconciliation.theirs,
        "creditor": scope.creditor,
        "service": scope.service.word,
        "period": str(scope.period),
        "pairs": reconciliation.pairs,
        "exact": reconciliation.exact,
        "totals": totals_plain(reconciliation.totals),
        "waterfall": {
            "ours": show_micros(waterfall.ours_micros),
            "steps": [
                {"cause": step.cause.value, "count": step.count, "difference": show_micros(step.difference_micros)}
                for step in waterfall.steps
            ],
            "theirs": show_micros(waterfall.theirs_micros),
        },
        "findings": [finding_plain(finding) for finding in reconciliation.findings],
    }


def finding_plain(finding: Finding) -> Plain:
    """One finding."""
    return {
        "cause": finding.cause.value,
        "severity": finding.severity.value,
        "count": finding.count,
        "ours": show_micros(finding.ours_micros),
        "theirs": show_micros(finding.theirs_micros),
        "difference": show_micros(finding.difference_micros),
        "route": finding.route,
        "destination": finding.destination,
        "day": None if finding.day is None else finding.day.isoformat(),
        "explanation": finding.explanation,
        "rule": finding.rule,
    }


def totals_plain(totals: Totals) -> Plain:
    """Both sides' totals with the verdict, and the keys that differ."""
    return {
        **_sums(totals),
        "verdict": totals.verdict.value,
        "keys": [
            {"destination": key.destination, "day": key.day.isoformat(), **_sums(key), "verdict": key.verdict.value}
            for key in totals.keys
            if key.verdict != "equal"
        ],
    }


def proposal_plain(proposal: DisputeProposal) -> Plain:
    """One dispute worth opening."""
    return {
        "cause": proposal.cause.value,
        "creditor": proposal.creditor,
        "service": proposal.service.word,
        "period": str(proposal.period),
        "amount": show_micros(proposal.amount_micros),
        "count": proposal.count,
        "explanation": proposal.explanation,
        "rule": proposal.rule,
    }


def netting_plain(steps: NettingSteps) -> Plain:
    """One netting cycle, and what is left to pay after each of its steps."""
    result = steps.set_off
    remaining = steps.remaining_micros
    return {
        "currency": result.currency,
        "gross": show_micros(result.gross_micros),
        "netted": show_micros(result.gross_micros - remaining[-1]),
        "remaining": show_micros(remaining[-1]),
        "steps": dict(zip(("offset", "set_off", "novated"), map(show_micros, remaining), strict=False)),
        "positions": [
            {
                "carrier": each.carrier,
                "amount": show_micros(each.amount_micros),
                "owed": show_micros(each.owed_micros),
                "owes": show_micros(each.owes_micros),
                "statements": each.statements,
            }
            for each in result.positions
        ],
        "legs": [
            {"debtor": leg.debtor, "creditor": leg.creditor, "amount": show_micros(leg.amount_micros)}
            for leg in steps.legs
        ],
    }


def _sums(totals: Totals | KeyTotal) -> dict[str, object]:
    return {
        "ours_count": totals.ours_count,
        "theirs_count": totals.theirs_count,
        "ours_quantity": str(totals.ours_quantity),
        "theirs_quantity": str(totals.theirs_quantity),
        "ours": show_micros(totals.ours_micros),
        "theirs": show_micros(totals.theirs_micros),
        "difference": show_micros(totals.difference_micros),
    }
