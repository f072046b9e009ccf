"""Where do the pages' figures come from? Views put together from the store, the archive and the chain's word."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.desk.drawing import waterfall
from gateway.desk.stepping import next_command, steps_of
from gateway.desk.views import (
    BatchRow,
    CreditRow,
    DisputeRow,
    FindingRow,
    Mood,
    PayableRow,
    ServiceRow,
    State,
    StatementView,
)
from gateway.exposing import forecast_of
from gateway.month.accepting import draft_of
from gateway.month.paying import aged_of
from gateway.month.versions import in_force, of_period
from ledger.chain.bindings import ArrearsStage, DisputeState, StatementAgreed
from ledger.identity import BatchId, CarrierCode
from ledger.period import Period
from ledger.store import findings as stored_findings
from ledger.store.batches import SealedBatch, list_batches, list_revealed
from ledger.store.credit import list_credit
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliations, list_findings
from ledger.store.latest import rows_of, table_of
from ledger.store.outbox import SubmissionRow, find_submission
from ledger.store.settlement import DisputeRow as StoredDispute
from ledger.store.settlement import PayableRow as StoredPayable
from ledger.store.settlement import (
    StatementLineRow,
    StatementRow,
    list_disputes,
    list_payables,
    list_statement_lines,
    list_statements,
)
from ledger.store.states import SubmissionState
from ledger.store.tables import chain_logs
from reconciliation.finding import Cause, Finding, Severity, mirrored
from reconciliation.settling.disputes import grounds_of
from reconciliation.settling.statement import StatementDraft, StatementLine

OPEN_DISPUTES = (DisputeState.GENERATED, DisputeState.UNDER_INVESTIGATION)
_SEVERITY = {Severity.DISPUTE: Mood.WARN, Severity.FORGERY: Mood.BAD}
_STAGES = {
    ArrearsStage.CURRENT: State("current"),
    ArrearsStage.OVERDUE: State("overdue", Mood.WARN),
    ArrearsStage.CREDIT_STOPPED: State("credit_stopped", Mood.BAD),
    ArrearsStage.TERMINATED: State("terminated", Mood.BAD),
}


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
        rows = _service_rows(gateway, held, lines, findings, agreed, declared)
        return StatementView(
            partner=partner,
            period=str(period),
            currency=held.currency,
            agreement_id=_hex(held.id),
            steps=steps,
            rows=rows,
            waterfalls=[
                waterfall(row.creditor, row.service, chosen)
                for row in rows
                if (chosen := [each.finding for each in findings if _is_of(each.finding, row)])
            ],
            findings=findings,
            disputes=[_dispute_row(row, gateway.carrier) for row in disputes],
            credit=credit_rows(connection, held, now_ms),
            payables=payables,
            batches=_batch_rows(connection, gateway, held, period, declared),
            statement_id=_hex(agreed.statement_id) if agreed else "",
            batches_hash=_hex(agreed.batches_hash if agreed and agreed.batches_hash else draft.batches_hash),
            agreed_at=agreed.agreed_at if agreed else None,
            agreed_block=_agreed_block(connection, held, period),
            due_at=agreed.due_at if agreed else None,
            by_silence=agreed.by_silence if agreed else False,
            net_micros=net_of(lines, gateway.carrier),
            disputed_micros=sum(row.amount_micros for row in disputes if row.state in OPEN_DISPUTES),
            next_command=next_command(connection, steps, held, period, agreed, gateway.carrier),
        )


def lines_of(
    connection: Connection, draft: StatementDraft, agreed: StatementRow | None
) -> Sequence[StatementLine | StatementLineRow]:
    """The lines as both signed them; before that, as they stand."""
    return draft.lines if agreed is None else list_statement_lines(connection, agreed.statement_id)


def net_of(lines: Sequence[StatementLine | StatementLineRow], carrier: CarrierCode) -> int:
    """What the lines leave a carrier, both directions: positive is owed to it."""
    return sum(line.agreed_micros if line.creditor == carrier else -line.agreed_micros for line in lines)


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
        return _dispute_state(dispute)
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


def credit_rows(connection: Connection, held: Partnership, now_ms: int) -> list[CreditRow]:
    """The credit lines of an agreement, both directions, with the moment each is full at this pace."""
    return [
        CreditRow(
            creditor=row.creditor,
            debtor=held.agreement.counterparty(row.creditor),
            limit_micros=row.limit_micros,
            exposure_micros=row.exposure_micros,
            stopped=row.stopped,
            deposit_micros=row.deposit_micros,
            full_at=None if (full := forecast_of(connection, row, now_ms).full_at_ms) is None else full // 1000,
        )
        for row in list_credit(connection, held.id)
    ]


def payable_rows(connection: Connection, held_all: Sequence[Partnership], now_ms: int) -> list[PayableRow]:
    """What is to be paid under some agreements, oldest first."""
    by_id = {held.id: held for held in held_all}
    rows = [row for row in list_payables(connection) if row.agreement_id in by_id]
    return [
        _payable_row(row, in_force(connection, by_id[row.agreement_id], row.due_at), now_ms)
        for row in sorted(rows, key=lambda each: each.due_at)
    ]


def transaction_of(connection: Connection, row: DeclarationRow) -> bytes:
    """The transaction that carries a declaration."""
    at = (chain_logs.c.block_number == row.block_number) & (chain_logs.c.log_index == row.log_index)
    return bytes(connection.execute(select(chain_logs.c.tx_hash).where(at)).scalar_one())


def batch_row_of(row: DeclarationRow, state: State, transaction: bytes) -> BatchRow:
    """A declaration on chain as a row."""
    return BatchRow(
        root=_hex(row.root),
        batch_id=_hex(row.batch_id),
        declarer=row.scope.declarer,
        creditor=row.scope.creditor,
        seq=row.seq,
        count=row.count,
        amount_micros=row.amount_micros,
        state=state,
        transaction=_hex(transaction),
        block=row.block_number,
    )


def _service_rows(
    gateway: Gateway,
    held: Partnership,
    lines: Sequence[StatementLine | StatementLineRow],
    findings: Sequence[FindingRow],
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
        rows.append(_with_state(row, findings, agreed))
    return rows


def _with_state(row: ServiceRow, findings: Sequence[FindingRow], agreed: StatementRow | None) -> ServiceRow:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    mine = [each.finding for each in findings if _is_of(each.finding, row)]
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
    return ServiceRow(**(values | {"state": state}))


def _counts(declared: Sequence[DeclarationRow]) -> Mapping[tuple[object, ...], int]:
    counts: dict[tuple[object, ...], int] = {}
    for row in declared:
        key = (row.scope.declarer, row.scope.creditor, row.scope.service)
        counts[key] = counts.get(key, 0) + row.count
    return counts


def _is_of(finding: Finding, row: ServiceRow) -> bool:
    return (finding.creditor, finding.service.word) == (row.creditor, row.service)


def _dispute_state(state: DisputeState) -> State:
    mood = Mood.WARN if state in OPEN_DISPUTES else Mood.GOOD
    return State(state.name.lower(), mood)


def _dispute_row(row: StoredDispute, carrier: CarrierCode) -> DisputeRow:
    """The reason stands on chain as the debtor sees it; the creditor's desk shows it from its own side."""
    known = row.reason in {cause.value for cause in Cause}
    reason = mirrored(Cause(row.reason)).value if known and row.creditor == carrier else row.reason
    return DisputeRow(
        id=_hex(row.dispute_id),
        creditor=row.creditor,
        reason=reason,
        amount_micros=row.amount_micros,
        credited_micros=row.credited_micros,
        due_micros=row.due_micros,
        state=_dispute_state(row.state),
        opened_at=row.opened_at,
    )


def _payable_row(row: StoredPayable, held: Partnership, now_ms: int) -> PayableRow:
    aged = aged_of(row, held, now_ms)
    paid = row.outstanding_micros == 0
    late = aged.days_overdue > 0 and row.stage == ArrearsStage.CURRENT
    stage = State("overdue", Mood.WARN) if late else _STAGES[row.stage]
    return PayableRow(
        id=_hex(row.payable_id),
        creditor=row.creditor,
        debtor=row.debtor,
        amount_micros=row.amount_micros,
        outstanding_micros=row.outstanding_micros,
        interest_micros=aged.interest_micros if not paid else row.interest_paid_micros,
        due_at=row.due_at,
        days_overdue=0 if paid else aged.days_overdue,
        state=State("paid", Mood.GOOD) if paid else stage,
    )


def _batch_rows(
    connection: Connection,
    gateway: Gateway,
    held: Partnership,
    period: Period,
    declared: Sequence[DeclarationRow],
) -> list[BatchRow]:
    """Declared ones of both sides, then ours that are on their way."""
    known = {row.batch_id for row in declared}
    refused = {row.batch_id: row.refusal for row in list_revealed(connection, held.id, period)}
    rows = []
    for row in declared:
        if row.scope.declarer == gateway.carrier:
            sent = find_submission(connection, "declare", row.batch_id)
            state = State("final", Mood.GOOD) if sent is None else _submission_state(sent)
        else:
            state = _revealed_state(refused, row)
        rows.append(batch_row_of(row, state, transaction_of(connection, row)))
    waiting = [batch for batch in list_batches(connection, held.id, period) if batch.batch_id not in known]
    return rows + [_waiting_row(connection, batch) for batch in waiting]


def _revealed_state(refused: Mapping[BatchId, str | None], row: DeclarationRow) -> State:
    if row.batch_id not in refused:
        return State("declared")
    return State("revealed", Mood.GOOD) if refused[row.batch_id] is None else State("refused", Mood.BAD)


def _waiting_row(connection: Connection, batch: SealedBatch) -> BatchRow:
    sent = find_submission(connection, "declare", batch.batch_id) if batch.batch_id else None
    return BatchRow(
        root=_hex(batch.root),
        batch_id=_hex(batch.batch_id) if batch.batch_id else "",
        declarer=batch.scope.declarer,
        creditor=batch.scope.creditor,
        seq=batch.seq or 0,
        count=batch.count,
        amount_micros=batch.amount_micros,
        state=State("sealed") if sent is None else _submission_state(sent),
        transaction=_hex(sent.tx_hash) if sent and sent.tx_hash else "",
        block=sent.block_number if sent else None,
    )


def _submission_state(row: SubmissionRow) -> State:
    moods = {
        SubmissionState.FINAL: Mood.GOOD,
        SubmissionState.HELD: Mood.WARN,
        SubmissionState.REVERTED: Mood.BAD,
        SubmissionState.NEEDS_OPERATOR: Mood.BAD,
    }
    return State(row.state.value, moods.get(row.state, Mood.NOTE))


def _agreed_block(connection: Connection, held: Partnership, period: Period) -> int | None:
    table = table_of(StatementAgreed)
    rows = list(rows_of(connection, StatementAgreed, table.agreement_id == held.id, table.period == period))
    return rows[-1].block_number if rows else None


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
