"""Verb *close*: when has a carrier declared all of a period?"""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from gateway.month.charging import refuse_uncharged
from gateway.month.parts import Submission, period_deadline, stream_of, wanted_partnerships
from gateway.month.sending import Call, submission_of, submit
from gateway.month.unpriced import left_unpriced
from ledger.chain.bindings import PeriodClose, calldata_usage_ledger_close_period
from ledger.errors import Conflict
from ledger.identity import CarrierCode, ascii32
from ledger.period import Period
from ledger.store.batches import SealedBatch, list_batches
from ledger.store.declarations import last_seq, list_closes, list_declarations
from ledger.store.engine import lock, writing
from ledger.store.imports import unsealed_usage
from ledger.store.states import BatchState


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


def close(
    gateway: Gateway, period: Period, partner: CarrierCode | None = None, *, dry_run: bool = False
) -> CloseAnswer:
    """Say that all of the period is declared. Raises Conflict while usage waits or a declaration is not on chain."""
    gateway.catch_up()
    return CloseAnswer(
        tuple(_close_one(gateway, held, period, dry_run) for held in wanted_partnerships(gateway, partner)), dry_run
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
            todo="Rate, seal and declare it first; once closed, it can only come late: `gsc correct`.",
        )
    refuse_uncharged(gateway, connection, held, period)
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
