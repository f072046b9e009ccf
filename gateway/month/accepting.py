"""Verb *accept*: what do both sides sign for the month? One statement, drawn by each from the chain alone."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month.books import is_correction
from gateway.month.countersigning import Offer, collect, refuse_difference
from gateway.month.parts import Submission, period_deadline, stream_of
from gateway.month.sending import Call, submit
from gateway.month.versions import of_period
from ledger.chain.bindings import DisputeState, Statement, StatementLine, calldata_settlement_book_agree_statement
from ledger.errors import Conflict
from ledger.identity import CarrierCode, ascii32
from ledger.money import Micros
from ledger.period import Period, period_of_key
from ledger.service import Service
from ledger.store.declarations import closed_by, list_declarations
from ledger.store.engine import reading, writing
from ledger.store.settlement import StatementRow, list_disputes, list_statements
from reconciliation.settling.statement import DeclaredBatch, OpenDispute, StatementDraft, draw_statement


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """One direction and service of the statement."""

    creditor: CarrierCode
    service: Service
    creditor_amount: Money
    debtor_amount: Money
    agreed: Money
    withheld: Money
    creditor_late: Money
    """Of the creditor's amount: what came late and corrects an earlier month."""
    debtor_late: Money


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """The statement of a period. Without submission: agreed already, or the partner's desk has not agreed yet."""

    partner: CarrierCode
    period: Period
    statement_id: bytes
    batches_hash: bytes
    lines: tuple[LineAnswer, ...]
    net: Money
    """What the partner owes us; negative if we owe."""
    signed_by: tuple[CarrierCode, ...]
    agreed_at: int | None
    due_at: int | None
    submission: Submission | None


def accept(gateway: Gateway, partner: CarrierCode, period: Period, *, dry_run: bool = False) -> StatementAnswer:
    """Agree to the month with one partner: sign the statement the chain gives; with both signatures, put it there.

    Raises Conflict before both have closed the period, PeerRefused, Unavailable.
    """
    signed = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    held = of_period(gateway, signed, period)
    with reading(gateway.engine) as connection:
        agreed = _agreed(connection, held, period)
        draft = draw(connection, held, period)
    statement = statement_of(held, draft)
    digest = gateway.signer.digest(statement)
    if agreed is not None or dry_run:
        signers = held.carriers if agreed else ()
        return _answer(gateway, held, draft, agreed.statement_id if agreed else digest, signers, agreed, None)
    signatures = collect(gateway, Offer("statement", statement, held.id, period), [partner])
    submission = None
    if set(signatures) >= set(held.carriers):
        low, high = (signatures[carrier] for carrier in held.carriers)
        call = Call(
            kind="statement",
            subject=digest,
            contract="SettlementBook",
            calldata=calldata_settlement_book_agree_statement(statement, low, high),
            stream=stream_of("statement", held.id),
            agreement_id=held.id,
        )
        with writing(gateway.engine) as connection:
            submission = submit(gateway, connection, call)
    return _answer(gateway, held, draft, digest, tuple(sorted(signatures)), None, submission)


def draw(connection: Connection, held: Partnership, period: Period) -> StatementDraft:
    """The statement as the chain gives it: the same at both sides. Raises Conflict before both closes."""
    missing = set(held.carriers) - closed_by(connection, held.id, period)
    if missing:
        raise Conflict(
            f"{period} is not closed by {' and '.join(sorted(missing))}",
            expected="both sides' close on chain",
            todo=f"Close it: `gsc close --period {period}`.",
        )
    return draft_of(connection, held, period)


def check_statement(gateway: Gateway, held: Partnership, statement: Statement) -> None:
    """A peer's statement must be the one we draw ourselves. Raises Refused, naming what differs, or Conflict."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        drawn = statement_of(held, draw(connection, held, period_of_key(statement.period)))
    for name in ("lines", "batches_hash", "deadline"):
        ours, theirs = getattr(drawn, name), getattr(statement, name)
        if ours != theirs:
            raise refuse_difference(f"the statement's {name}", _figures(ours), _figures(theirs))


def draft_of(connection: Connection, held: Partnership, period: Period) -> StatementDraft:
    """The statement as it stands, closed or not."""
    declared = [
        DeclaredBatch(row.batch_id, row.scope.declarer, row.scope.creditor, row.scope.service, row.amount_micros)
        for row in list_declarations(connection, held.id, period)
    ]
    withheld = [
        OpenDispute(row.creditor, row.service, row.amount_micros)
        for row in list_disputes(connection, held.id, period)
        if row.state is not DisputeState.WITHDRAWN
    ]
    return draw_statement(held.agreement, period, declared, withheld)


def late_amounts(
    connection: Connection, held: Partnership, period: Period
) -> Mapping[tuple[CarrierCode, CarrierCode, Service], Micros]:
    """Of what each declarer declared for a creditor and service: what corrects an earlier month."""
    late: defaultdict[tuple[CarrierCode, CarrierCode, Service], Micros] = defaultdict(lambda: Micros(0))
    for row in list_declarations(connection, held.id, period):
        if is_correction(row):
            key = row.scope.declarer, row.scope.creditor, row.scope.service
            late[key] = Micros(late[key] + row.amount_micros)
    return late


def statement_of(held: Partnership, draft: StatementDraft) -> Statement:
    """The struct both sign."""
    return Statement(
        agreement_id=held.id,
        period=draft.period.key,
        lines=tuple(
            StatementLine(
                creditor=ascii32(line.creditor),
                service=line.service,
                creditor_micros=line.creditor_micros,
                debtor_micros=line.debtor_micros,
                agreed_micros=line.agreed_micros,
                withheld_micros=line.withheld_micros,
            )
            for line in draft.lines
        ),
        batches_hash=draft.batches_hash,
        deadline=period_deadline(draft.period),
    )


def _figures(value: object) -> object:
    """Lines as their figures: creditor's, debtor's, agreed, withheld, in micros."""
    if not isinstance(value, tuple):
        return value
    return [
        f"{line.creditor.rstrip(bytes(1)).decode('ascii', 'replace')} {line.service.word} "
        f"{line.creditor_micros} {line.debtor_micros} {line.agreed_micros} {line.withheld_micros}"
        for line in value
    ]


def _agreed(connection: Connection, held: Partnership, period: Period) -> StatementRow | None:
    rows = [row for row in list_statements(connection, held.id, period) if row.agreed_at is not None]
    return rows[-1] if rows else None


def _answer(
    gateway: Gateway,
    held: Partnership,
    draft: StatementDraft,
    statement_id: bytes,
    signed_by: tuple[CarrierCode, ...],
    agreed: StatementRow | None,
    submission: Submission | None,
) -> StatementAnswer:
    currency = held.currency
    with reading(gateway.engine) as connection:
        late = late_amounts(connection, held, draft.period)
    ours = draft.agreed_for(gateway.carrier) - draft.agreed_for(held.partner)
    return StatementAnswer(
        partner=held.partner,
        period=draft.period,
        statement_id=statement_id,
        batches_hash=draft.batches_hash,
        lines=tuple(
            LineAnswer(
                creditor=line.creditor,
                service=line.service,
                creditor_amount=Money(currency, line.creditor_micros),
                debtor_amount=Money(currency, line.debtor_micros),
                agreed=Money(currency, line.agreed_micros),
                withheld=Money(currency, line.withheld_micros),
                creditor_late=Money(currency, late[line.creditor, line.creditor, line.service]),
                debtor_late=Money(
                    currency, late[held.agreement.counterparty(line.creditor), line.creditor, line.service]
                ),
            )
            for line in draft.lines
        ),
        net=Money(currency, Micros(ours)),
        signed_by=signed_by,
        agreed_at=agreed.agreed_at if agreed else None,
        due_at=agreed.due_at if agreed else None,
        submission=submission,
    )
