"""What does the statement page show? Both sides of one month with one partner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.desk.shapes import hexed
from gateway.desk.views.batches import BatchRow, batch_rows
from gateway.desk.views.causes import Waterfall, waterfall
from gateway.desk.views.credit import CreditRow, credit_rows
from gateway.desk.views.disputes import OPEN_DISPUTES, DisputeRow, dispute_row, is_small
from gateway.desk.views.findings import DISPUTABLE, FindingRow, finding_rows
from gateway.desk.views.moods import Mood, State
from gateway.desk.views.payables import PayableRow, payable_rows
from gateway.desk.views.progress import ProgressView, on_its_way
from gateway.desk.views.steps import Step, next_command, steps_of
from gateway.month.accepting import draft_of
from gateway.month.versions import of_period
from ledger.chain.bindings import StatementAgreed
from ledger.identity import CarrierCode
from ledger.money import div_half_even
from ledger.period import Period
from ledger.store.declarations import DeclarationRow, closed_by, list_declarations
from ledger.store.engine import reading
from ledger.store.latest import rows_of, table_of
from ledger.store.proposals import list_proposals
from ledger.store.settlement import DisputeRow as StoredDispute
from ledger.store.settlement import (
    StatementLineRow,
    StatementRow,
    list_disputes,
    list_statement_lines,
    list_statements,
)
from reconciliation.finding import Finding, Severity
from reconciliation.settling.statement import StatementDraft, StatementLine

Direction = tuple[str, str]
"""Creditor, and the service's word."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One direction and service of a statement, both sides."""

    creditor: str
    debtor: str
    service: str
    ours_micros: int
    theirs_micros: int
    ours_count: int
    theirs_count: int
    agreed_micros: int
    withheld_micros: int
    state: State

    @property
    def difference_micros(self) -> int:
        """Ours minus theirs."""
        return self.ours_micros - self.theirs_micros

    @property
    def difference_bps(self) -> int | None:
        """The difference as hundredths of a percent of theirs; None if they declared nothing."""
        return div_half_even(self.difference_micros * 10_000, self.theirs_micros) if self.theirs_micros else None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a clerk may do about the month now."""

    may_agree: bool
    we_signed: bool
    they_signed: bool
    disputable: int
    """Findings that may still become disputes of ours."""
    small: int
    """Open disputes below the amount from which the agreement raises one."""


@dataclass(frozen=True, slots=True)
class StatementView:
    """The statement page of one agreement and period."""

    partner: str
    period: str
    currency: str
    agreement_id: str
    steps: Sequence[Step]
    rows: Sequence[ServiceRow]
    waterfalls: Sequence[Waterfall]
    findings: Sequence[FindingRow]
    disputes: Sequence[DisputeRow]
    credit: Sequence[CreditRow]
    payables: Sequence[PayableRow]
    batches: Sequence[BatchRow]
    statement_id: str
    batches_hash: str
    agreed_at: int | None
    agreed_block: int | None
    due_at: int | None
    by_silence: bool
    net_micros: int
    """Agreed, both directions: what the partner owes us; negative if we owe."""
    disputed_micros: int
    next_command: str
    decisions: Decisions
    progress: ProgressView


def statement_view(gateway: Gateway, partner: CarrierCode, period: Period) -> StatementView:
    """The statement page. Raises NotFound for a partner without agreement."""
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    now_ms = gateway.clock.now_ms()
    with reading(gateway.engine) as connection:
        draft = draft_of(connection, held, period)
        agreed = next((row for row in list_statements(connection, held.id, period) if row.agreed_at), None)
        findings = finding_rows(connection, held, period)
        disputes = list_disputes(connection, held.id, period)
        declared = list_declarations(connection, held.id, period)
        payables = payable_rows(connection, [held], now_ms)
        steps = steps_of(connection, gateway, held, period, agreed)
        lines = lines_of(connection, draft, agreed)
        found = _by_direction(findings)
        rows = _service_rows(gateway, held, lines, found, agreed, declared)
        return StatementView(
            partner=partner,
            period=str(period),
            currency=held.currency,
            agreement_id=hexed(held.id),
            steps=steps,
            rows=rows,
            waterfalls=[
                waterfall(row.creditor, row.service, chosen)
                for row in rows
                if (chosen := found.get((row.creditor, row.service)))
            ],
            findings=findings,
            disputes=[dispute_row(row, gateway.carrier) for row in disputes],
            credit=credit_rows(connection, held, now_ms),
            payables=payables,
            batches=batch_rows(connection, gateway, held, period, declared),
            statement_id=hexed(agreed.statement_id) if agreed else "",
            batches_hash=hexed(agreed.batches_hash if agreed and agreed.batches_hash else draft.batches_hash),
            agreed_at=agreed.agreed_at if agreed else None,
            agreed_block=_agreed_block(connection, held, period),
            due_at=agreed.due_at if agreed else None,
            by_silence=agreed.by_silence if agreed else False,
            net_micros=net_of(lines, gateway.carrier),
            disputed_micros=sum(row.amount_micros for row in disputes if row.state in OPEN_DISPUTES),
            next_command=next_command(connection, steps, held, period, agreed, gateway.carrier),
            decisions=_decisions(connection, gateway, held, period, findings, disputes, agreed),
            progress=on_its_way(connection, held.id),
        )


def _decisions(
    connection: Connection,
    gateway: Gateway,
    held: Partnership,
    period: Period,
    findings: Sequence[FindingRow],
    disputes: Sequence[StoredDispute],
    agreed: StatementRow | None,
) -> Decisions:
    closed = closed_by(connection, held.id, period) == set(held.carriers)
    signers = {each.signer for each in list_proposals(connection, "statement", held.id, period)}
    limit = held.agreement.tolerance.volume_micros
    return Decisions(
        may_agree=closed and agreed is None,
        we_signed=gateway.carrier in signers,
        they_signed=held.partner in signers,
        disputable=sum(each.state.word in DISPUTABLE and each.finding.creditor == held.partner for each in findings),
        small=sum(is_small(row, limit) for row in disputes),
    )


def lines_of(
    connection: Connection, draft: StatementDraft, agreed: StatementRow | None
) -> Sequence[StatementLine | StatementLineRow]:
    """The lines as both signed them; before that, as they stand."""
    return draft.lines if agreed is None else list_statement_lines(connection, agreed.statement_id)


def net_of(lines: Sequence[StatementLine | StatementLineRow], carrier: CarrierCode) -> int:
    """What the lines leave a carrier, both directions: positive is owed to it."""
    return sum(line.agreed_micros if line.creditor == carrier else -line.agreed_micros for line in lines)


def _service_rows(
    gateway: Gateway,
    held: Partnership,
    lines: Sequence[StatementLine | StatementLineRow],
    found: Mapping[Direction, Sequence[Finding]],
    agreed: StatementRow | None,
    declared: Sequence[DeclarationRow],
) -> list[ServiceRow]:
    counts = _counts(declared)
    rows = []
    for line in lines:
        ours_is_creditor = line.creditor == gateway.carrier
        ours, theirs = (
            (line.creditor_micros, line.debtor_micros)
            if ours_is_creditor
            else (line.debtor_micros, line.creditor_micros)
        )
        key = (line.creditor, line.service)
        row = ServiceRow(
            creditor=line.creditor,
            debtor=held.agreement.counterparty(line.creditor),
            service=line.service.word,
            ours_micros=ours,
            theirs_micros=theirs,
            ours_count=counts.get((gateway.carrier, *key), 0),
            theirs_count=counts.get((held.partner, *key), 0),
            agreed_micros=line.agreed_micros,
            withheld_micros=line.withheld_micros,
            state=State("open"),
        )
        rows.append(_with_state(row, found.get((row.creditor, row.service), ()), agreed))
    return rows


def _with_state(row: ServiceRow, mine: Sequence[Finding], agreed: StatementRow | None) -> ServiceRow:
    if agreed is not None:
        state = State("agreed", Mood.GOOD)
    elif row.withheld_micros:
        state = State("disputed", Mood.WARN)
    elif mine and row.difference_micros == 0:
        state = State("equal", Mood.GOOD)
    elif mine and all(finding.severity is Severity.NOTICE for finding in mine):
        state = State("within", Mood.GOOD)
    elif mine:
        state = State("differs", Mood.WARN)
    else:
        state = State("open")
    return replace(row, state=state)


def _counts(declared: Sequence[DeclarationRow]) -> Mapping[tuple[object, ...], int]:
    counts: dict[tuple[object, ...], int] = {}
    for row in declared:
        key = (row.scope.declarer, row.scope.creditor, row.scope.service)
        counts[key] = counts.get(key, 0) + row.count
    return counts


def _by_direction(findings: Sequence[FindingRow]) -> dict[Direction, list[Finding]]:
    found: dict[Direction, list[Finding]] = {}
    for each in findings:
        found.setdefault((each.finding.creditor, each.finding.service.word), []).append(each.finding)
    return found


def _agreed_block(connection: Connection, held: Partnership, period: Period) -> int | None:
    table = table_of(StatementAgreed)
    rows = list(rows_of(connection, StatementAgreed, table.agreement_id == held.id, table.period == period))
    return rows[-1].block_number if rows else None
