"""What does a statement document say? What both sign, how both sides counted, why they differ, and where it stands.

The content is plain JSON: it lies inside every PDF of the statement and in its bundle, so that whoever holds one can
reckon the statement's hash again from the lines themselves (docs/documents.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway import verify_bundle
from gateway.answers import as_json
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.documents.on_chain import Signature, plain_struct, signatures_of_statement, transaction_at
from gateway.month.accepting import draft_of, statement_of
from gateway.month.parts import period_deadline
from gateway.month.versions import of_period
from ledger.chain.bindings import Statement, StatementAgreed, StatementLine, StatementProposed
from ledger.errors import Conflict
from ledger.identity import CarrierCode, ascii32
from ledger.period import Period
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.findings import ReconciliationRow, latest_reconciliations, list_findings
from ledger.store.latest import rows_of, table_of
from ledger.store.settlement import StatementRow, list_disputes, list_statement_lines, list_statements

Content = Mapping[str, Any]
"""The JSON of a statement document, of the format verify_bundle.STATEMENT_FORMAT."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many records each side declared in one direction and service."""

    creditor: str
    service: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class CauseAmount:
    """What one cause makes of a difference, ours less theirs, in micros as text."""

    creditor: str
    service: str
    cause: str
    count: int
    amount_micros: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute as the chain has it; amounts in micros as text. `reason` is the debtor's word."""

    dispute_id: bytes
    creditor: str
    service: str
    reason: str
    state: str
    amount_micros: str
    credited_micros: str
    due_micros: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a statement stands on the chain; times in seconds."""

    transaction_hash: bytes
    block_number: int
    agreed_at: int
    due_at: int


def statement_content(gateway: Gateway, partner: CarrierCode, period: Period) -> Content:
    """The content of a month's statement: as agreed on the chain, or as a draft of what there is to sign.

    Raises NotFound for a partner without agreement, Unavailable without the chain, Conflict if the store's lines are
    not those that the chain's hash is of.
    """
    gateway.catch_up()
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    with reading(gateway.engine) as connection:
        row = next((each for each in list_statements(connection, held.id, period) if each.agreed_at), None)
        statement = (
            _agreed(connection, row, held, period) if row else statement_of(held, draft_of(connection, held, period))
        )
        counts = _counts(gateway, connection, held, period)
        causes = _causes(gateway, connection, held, period, statement)
        disputes = _disputes(connection, held, period)
        standing = _standing(connection, row) if row else None
    statement_id = gateway.signer.digest(statement)
    if row is not None and statement_id != row.statement_id:
        raise Conflict(
            "the lines in the store are not those that both signed",
            expected=f"0x{row.statement_id.hex()}",
            got=f"0x{statement_id.hex()}",
            todo="Run `gsc doctor`: the store is to be replayed from the chain.",
        )
    domain = gateway.network.domain("SettlementBook")
    content = {
        "format": verify_bundle.STATEMENT_FORMAT,
        "drawnBy": gateway.carrier,
        "partner": partner,
        "period": period,
        "currency": held.currency,
        "network": {"name": gateway.network.name, "chainId": gateway.network.chain_id},
        "domain": domain,
        "statementId": statement_id,
        "state": _state(row),
        "statement": plain_struct(statement),
        "signatures": _signatures(gateway, row),
        "standing": standing,
        "counts": counts,
        "causes": causes,
        "disputes": disputes,
    }
    plain: Content = as_json(content)
    return plain


def _agreed(connection: Connection, row: StatementRow, held: Partnership, period: Period) -> Statement:
    lines = [
        StatementLine(
            creditor=ascii32(line.creditor),
            service=line.service,
            creditor_micros=line.creditor_micros,
            debtor_micros=line.debtor_micros,
            agreed_micros=line.agreed_micros,
            withheld_micros=line.withheld_micros,
        )
        for line in list_statement_lines(connection, row.statement_id)
    ]
    assert row.batches_hash is not None, "an agreed statement has its batches"
    return Statement(held.id, period.key, tuple(lines), row.batches_hash, period_deadline(period))


def _state(row: StatementRow | None) -> str:
    if row is None:
        return "draft"
    return "by_silence" if row.by_silence else "agreed"


def _standing(connection: Connection, row: StatementRow) -> Standing:
    event = StatementProposed if row.by_silence else StatementAgreed
    agreed = next(rows_of(connection, StatementAgreed, table_of(StatementAgreed).statement_id == row.statement_id))
    signed = next(rows_of(connection, event, table_of(event).statement_id == row.statement_id))
    transaction = transaction_at(connection, signed.block_number, signed.log_index)
    return Standing(transaction, signed.block_number, agreed.agreed_at, agreed.due_at)


def _signatures(gateway: Gateway, row: StatementRow | None) -> Sequence[Signature]:
    if row is None:
        return ()
    with reading(gateway.engine) as connection:
        standing = _standing(connection, row)
    return signatures_of_statement(gateway, row, standing.transaction_hash)


def _counts(gateway: Gateway, connection: Connection, held: Partnership, period: Period) -> list[Count]:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in list_declarations(connection, held.id, period):
        sides = sums.setdefault((row.scope.creditor, row.scope.service.word), [0, 0])
        sides[row.scope.declarer != gateway.carrier] += row.count
    return [Count(*key, ours, theirs) for key, (ours, theirs) in sorted(sums.items())]


def _causes(
    gateway: Gateway, connection: Connection, held: Partnership, period: Period, statement: Statement
) -> list[CauseAmount]:
    """By weight. A direction that was not compared since its last declaration has none: they would not sum."""
    lines = {(line.creditor, line.service): line for line in statement.lines}
    found: list[CauseAmount] = []
    for run in latest_reconciliations(connection, held.id, period):
        line = lines.get((ascii32(run.scope.creditor), run.scope.service))
        if line is None:
            continue
        sign = 1 if run.scope.creditor == gateway.carrier else -1
        causes = _by_cause(connection, run)
        if sum(int(each.amount_micros) for each in causes) == sign * (line.creditor_micros - line.debtor_micros):
            found += causes
    return found


def _by_cause(connection: Connection, run: ReconciliationRow) -> list[CauseAmount]:
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    for finding in list_findings(connection, run.id or 0):
        amounts[finding.cause] = amounts.get(finding.cause, 0) + finding.ours_micros - finding.theirs_micros
        counts[finding.cause] = counts.get(finding.cause, 0) + finding.count
    return [
        CauseAmount(run.scope.creditor, run.scope.service.word, cause, counts[cause], str(amounts[cause]))
        for cause in sorted(amounts, key=lambda each: (-abs(amounts[each]), each))
    ]


def _disputes(connection: Connection, held: Partnership, period: Period) -> list[Disputed]:
    return [
        Disputed(
            dispute_id=row.dispute_id,
            creditor=row.creditor,
            service=row.service.word,
            reason=row.reason,
            state=row.state.name.lower(),
            amount_micros=str(row.amount_micros),
            credited_micros=str(row.credited_micros),
            due_micros=str(row.due_micros),
        )
        for row in list_disputes(connection, held.id, period)
    ]
