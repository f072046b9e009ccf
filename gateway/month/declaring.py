"""Verbs *declare* and *close*: what does this carrier put its name to, before it has seen the other side?"""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.parts import Submission, period_deadline, stream_of, wanted_partnerships
from gateway.month.sending import Call, submission_of, submit
from gateway.month.unpriced import left_unpriced
from ledger.chain.bindings import Declaration, PeriodClose, calldata_usage_ledger_close_period
from ledger.chain.bindings import calldata_usage_ledger_declare as calldata_declare
from ledger.errors import Conflict
from ledger.identity import BatchId, CarrierCode, Root, ascii32
from ledger.period import Period
from ledger.store.batches import SealedBatch, batch_of_root, declare_batch, list_batches
from ledger.store.declarations import last_seq, list_closes, list_declarations
from ledger.store.engine import lock, writing
from ledger.store.imports import unsealed_usage
from ledger.store.states import BatchState, SubmissionState

NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class DeclaredAnswer:
    """One batch's declaration and where it stands."""

    root: Root
    batch_id: BatchId | None
    partner: CarrierCode
    creditor: CarrierCode
    seq: int
    count: int
    amount: Money
    submission: Submission


@dataclass(frozen=True, slots=True)
class DeclareAnswer:
    """Every declaration of the period."""

    declarations: tuple[DeclaredAnswer, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ClosedAnswer:
    """Our close of a period with one partner."""

    partner: CarrierCode
    period: Period
    creditor_seq: int
    debtor_seq: int
    closed_at: int | None
    """Seconds; None until the chain has it."""
    submission: Submission | None
    unpriced: int
    """Records that had no price and are in no batch: the close leaves them behind."""


@dataclass(frozen=True, slots=True)
class CloseAnswer:
    """Our closes."""

    closes: tuple[ClosedAnswer, ...]
    dry_run: bool


def declare(
    gateway: Gateway, partner: CarrierCode | None = None, period: Period | None = None, *, dry_run: bool = False
) -> DeclareAnswer:
    """Sign the declaration of every sealed batch and put it into the outbox; refused ones are signed again."""
    gateway.catch_up()
    answers: list[DeclaredAnswer] = []
    for held in wanted_partnerships(gateway, partner):
        with writing(gateway.engine) as connection:
            lock(connection, f"declare {held.id.hex()}")
            batches = list_batches(connection, held.id, period)
            in_order = sorted(batches, key=lambda each: (ascii32(each.scope.creditor), each.from_ms, each.root))
            answers += [_declare_one(gateway, connection, held, batch, dry_run) for batch in in_order]
    return DeclareAnswer(tuple(answers), dry_run)


def declare_root(gateway: Gateway, root: bytes, *, dry_run: bool = False) -> DeclaredAnswer:
    """Sign and submit the declaration of one sealed batch; the stream takes them in the order they were signed."""
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        batch = batch_of_root(connection, Root(root))
        held = partnership_of_id(gateway.settings, batch.scope.agreement_id)
        lock(connection, f"declare {held.id.hex()}")
        return _declare_one(gateway, connection, held, batch, dry_run)


def close(
    gateway: Gateway, period: Period, partner: CarrierCode | None = None, *, dry_run: bool = False
) -> CloseAnswer:
    """Say that all of the period is declared. Raises Conflict while usage waits or a declaration is not on chain."""
    gateway.catch_up()
    return CloseAnswer(
        tuple(_close_one(gateway, held, period, dry_run) for held in wanted_partnerships(gateway, partner)), dry_run
    )


def declaration_of(gateway: Gateway, batch: SealedBatch, seq: int, deadline: int) -> Declaration:
    """What the carrier signs about a batch."""
    scope = batch.scope
    return Declaration(
        agreement_id=scope.agreement_id,
        declarer=ascii32(gateway.carrier),
        creditor=ascii32(scope.creditor),
        seq=seq,
        service=scope.service,
        period=scope.period.key,
        root=batch.root,
        count=batch.count,
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=batch.deck_hash,
        corrects=batch.corrects or NOTHING,
        igw=ascii32(batch.igw or ""),
        deadline=deadline,
    )


def _declare_one(
    gateway: Gateway, connection: Connection, held: Partnership, batch: SealedBatch, dry_run: bool
) -> DeclaredAnswer:
    before = submission_of(connection, "declare", batch.batch_id) if batch.batch_id else None
    if before is not None and before.state != SubmissionState.REVERTED:
        return _declared(held, batch, batch.batch_id, batch.seq or 0, before)
    seq = batch.seq or _next_seq(gateway, connection, batch)
    deadline = period_deadline(batch.scope.period)
    if before is not None:  # refused: the same batch under a later deadline is another declaration
        deadline = (batch.deadline or deadline) + 1
    declaration = declaration_of(gateway, batch, seq, deadline)
    signed = gateway.signer.sign(declaration)
    call = Call(
        kind="declare",
        subject=signed.digest,
        contract="UsageLedger",
        calldata=calldata_declare(declaration, signed.signature),
        stream=stream_of("usage", held.id, batch.scope.creditor),
        position=seq,
        agreement_id=held.id,
    )
    if not dry_run:
        declare_batch(
            connection,
            batch.root,
            batch_id=BatchId(signed.digest),
            seq=seq,
            deadline=deadline,
            signature=signed.signature,
        )
    return _declared(held, batch, BatchId(signed.digest), seq, submit(gateway, connection, call, dry_run=dry_run))


def _next_seq(gateway: Gateway, connection: Connection, batch: SealedBatch) -> int:
    scope = batch.scope
    ours = [
        each.seq
        for each in list_batches(connection, scope.agreement_id)
        if each.scope.creditor == scope.creditor and each.seq is not None
    ]
    return max([*ours, last_seq(connection, scope.agreement_id, gateway.carrier, scope.creditor)]) + 1


def _declared(
    held: Partnership, batch: SealedBatch, batch_id: BatchId | None, seq: int, submission: Submission
) -> DeclaredAnswer:
    return DeclaredAnswer(
        root=batch.root,
        batch_id=batch_id,
        partner=held.partner,
        creditor=batch.scope.creditor,
        seq=seq,
        count=batch.count,
        amount=Money(held.currency, batch.amount_micros),
        submission=submission,
    )


def _close_one(gateway: Gateway, held: Partnership, period: Period, dry_run: bool) -> ClosedAnswer:
    with writing(gateway.engine) as connection:
        lock(connection, f"declare {held.id.hex()}")
        left = left_unpriced(connection, held.id, period)
        for row in list_closes(connection, held.id, period):
            if row.declarer == gateway.carrier:
                return ClosedAnswer(held.partner, period, row.creditor_seq, row.debtor_seq, row.closed_at, None, left)
        _refuse_unfinished(gateway, connection, held, period)
        close_ = PeriodClose(
            agreement_id=held.id,
            declarer=ascii32(gateway.carrier),
            period=period.key,
            creditor_seq=last_seq(connection, held.id, gateway.carrier, gateway.carrier),
            debtor_seq=last_seq(connection, held.id, gateway.carrier, held.partner),
            deadline=period_deadline(period),
        )
        signed = gateway.signer.sign(close_)
        call = Call(
            kind="close",
            subject=signed.digest,
            contract="UsageLedger",
            calldata=calldata_usage_ledger_close_period(close_, signed.signature),
            stream=stream_of("close", held.id),
            position=period.key,
            agreement_id=held.id,
        )
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return ClosedAnswer(held.partner, period, close_.creditor_seq, close_.debtor_seq, None, submission, left)


def _refuse_unfinished(gateway: Gateway, connection: Connection, held: Partnership, period: Period) -> None:
    waiting = [
        usage
        for usage in unsealed_usage(connection)
        if usage.scope.agreement_id == held.id and usage.scope.period == period
    ]
    if waiting:
        raise Conflict(
            f"usage of {period} with {held.partner} is not sealed",
            expected="every usage file sealed and declared",
            got=f"{len(waiting)} file(s) with {sum(usage.count for usage in waiting)} records",
            todo="Rate, seal and declare it first; once closed, it could only come as a correction.",
        )
    known = {row.batch_id for row in list_declarations(connection, held.id, period, gateway.carrier)}
    absent = [batch for batch in list_batches(connection, held.id, period) if batch.batch_id not in known]
    if absent:
        raise Conflict(
            f"{len(absent)} batch(es) of {period} with {held.partner} are not on chain",
            expected="every sealed batch declared",
            got="; ".join(_why_absent(connection, batch) for batch in absent[:3]),
            todo="Declare them, or see why the outbox holds them: `gsc doctor`.",
        )


def _why_absent(connection: Connection, batch: SealedBatch) -> str:
    if batch.state is BatchState.SEALED or batch.batch_id is None:
        return f"{batch.root.hex()[:12]} sealed, not declared"
    submission = submission_of(connection, "declare", batch.batch_id)
    if submission is None:
        return f"{batch.root.hex()[:12]} not in the outbox"
    reason = f" ({submission.reason})" if submission.reason else ""
    return f"seq {batch.seq} {submission.state}{reason}"
