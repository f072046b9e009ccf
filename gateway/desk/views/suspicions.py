"""What looks like forgery, fraud or a game with fees, what is at risk, and which records show it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from gateway.composition import Gateway, partnerships
from gateway.desk.views.explained import Explained, of_arbitrage, of_finding, of_suspicion
from gateway.desk.views.findings import finding_rows
from gateway.desk.views.sentences import Said
from gateway.month.bypassing import FoundArbitrage, arbitrage_of
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.arbitrages import list_arbitrages
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.suspicions import SuspicionRow, list_suspicions
from reconciliation.finding import Severity
from reconciliation.suspicion import GAMES, SuspicionKind

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class RiskRow:
    """One finding with money at risk."""

    group: str
    """Key of a word: forgery, fraud, arbitrage."""
    kind: str
    explanation: str
    """The engine's own sentence, as it leaves the house."""
    said: Said | Explained
    period: str
    partner: str
    currency: str
    at_risk_micros: int
    confidence: int | None
    """Percent, where the search says one."""
    count: int
    href: str
    """Its records, empty without."""


@dataclass(frozen=True, slots=True)
class RiskView:
    """Everything suspected, the costliest first."""

    rows: Sequence[RiskRow]
    totals: Sequence[tuple[str, str, int, int]]
    """Group, currency, micros at risk, findings."""


@dataclass(frozen=True, slots=True)
class SuspicionView:
    """One suspicion and a page of the records that show it."""

    row: SuspicionRow
    explained: Explained
    group: str
    names: Sequence[str]
    lines: Sequence[Sequence[object]]
    shown_from: int
    total: int
    next_after: int | None


def risk_view(gateway: Gateway) -> RiskView:
    """The page of forgery, fraud and arbitrage."""
    with reading(gateway.engine) as connection:
        rows = [risk_of_suspicion(row, gateway.carrier) for row in list_suspicions(connection)]
        rows += [_of_arbitrage(str(row.period), arbitrage_of(row)) for row in list_arbitrages(connection)]
        for held in partnerships(gateway.settings).values():
            months = {row.scope.period for row in list_declarations(connection, held.id)}
            for period in sorted(months):
                rows += [
                    RiskRow(
                        group="forgery",
                        kind=f"cause.{each.finding.cause}",
                        explanation=each.finding.explanation,
                        said=of_finding(each.finding, held.partner, held.currency),
                        period=str(period),
                        partner=held.partner,
                        currency=held.currency,
                        at_risk_micros=abs(each.finding.difference_micros),
                        confidence=None,
                        count=each.finding.count,
                        href=f"/desk/statements/{held.partner}/{period}/findings/{each.number}",
                    )
                    for each in finding_rows(connection, held, period)
                    if each.finding.severity is Severity.FORGERY
                ]
    ordered = sorted(rows, key=lambda row: -row.at_risk_micros)
    keys = sorted({(row.group, row.currency) for row in rows})
    totals = [
        (
            group,
            currency,
            sum(row.at_risk_micros for row in rows if (row.group, row.currency) == (group, currency)),
            sum((row.group, row.currency) == (group, currency) for row in rows),
        )
        for group, currency in keys
    ]
    return RiskView(ordered, totals)


def suspicion_view(gateway: Gateway, period: Period, number: int, after: int = 0) -> SuspicionView:
    """One suspicion with a page of its records. Raises NotFound."""
    with reading(gateway.engine) as connection:
        rows = list_suspicions(connection, period)
    row = next((each for each in rows if each.number == number), None)
    if row is None:
        raise NotFound("no such finding", expected=f"1 to {len(rows)}", got=number, todo="Search again: gsc fraud")
    names: list[str] = []
    lines: list[list[Any]] = []
    total = 0
    if row.evidence_path is not None:
        table = pq.read_table(gateway.settings.home / row.evidence_path)
        names, total = table.column_names, len(table)
        lines = [list(each.values()) for each in table.slice(after, PAGE_ROWS).to_pylist()]
    last = after + len(lines)
    return SuspicionView(
        row=row,
        explained=of_suspicion(row),
        group=group_of(row.kind),
        names=names,
        lines=lines,
        shown_from=after + 1 if lines else 0,
        total=total,
        next_after=last if last < total else None,
    )


def group_of(kind: str) -> str:
    """Under which word a suspicion stands: forgery, fraud or arbitrage."""
    if kind in GAMES:
        return "arbitrage"
    return "forgery" if kind in _FORGED else "fraud"


def risk_of_suspicion(row: SuspicionRow, carrier: CarrierCode) -> RiskRow:
    return RiskRow(
        group=group_of(row.kind),
        kind=f"suspicion.{row.kind}",
        explanation=row.explanation,
        said=of_suspicion(row),
        period=str(row.period),
        partner=row.debtor if row.creditor == carrier else row.creditor,
        currency=row.currency,
        at_risk_micros=row.at_risk_micros,
        confidence=row.confidence,
        count=row.count,
        href=f"/desk/fraud/{row.period}/{row.number}",
    )


def _of_arbitrage(period: str, found: FoundArbitrage) -> RiskRow:
    return RiskRow(
        group="arbitrage",
        kind=f"scheme.{found.scheme}",
        explanation=found.explanation,
        said=of_arbitrage(found),
        period=period,
        partner=found.loser,
        currency=found.at_risk.unit,
        at_risk_micros=found.at_risk.micros,
        confidence=None,
        count=found.count,
        href=found.evidence or "",
    )


_FORGED = frozenset(
    {
        SuspicionKind.FAKE_RECEIPT,
        SuspicionKind.COUNTER_RESET,
        SuspicionKind.GHOST_CIRCUIT,
        SuspicionKind.SEQUENCE_GAP,
        SuspicionKind.BACK_DATED,
        SuspicionKind.CHANGED_ROOT,
    }
)
