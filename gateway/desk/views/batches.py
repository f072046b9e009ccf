"""Where does each sealed batch stand?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.composition import Gateway, Partnership
from gateway.desk.shapes import hexed
from gateway.desk.views.moods import Mood, State
from ledger.identity import BatchId
from ledger.period import Period
from ledger.store.batches import SealedBatch, list_batches, list_revealed
from ledger.store.declarations import DeclarationRow
from ledger.store.outbox import SubmissionRow, find_submission
from ledger.store.states import SubmissionState
from ledger.store.tables import chain_logs


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A sealed batch and where its declaration stands."""

    root: str
    batch_id: str
    declarer: str
    creditor: str
    seq: int
    count: int
    amount_micros: int
    state: State
    transaction: str
    block: int | None


def batch_rows(
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
            state = State("final", Mood.GOOD) if sent is None else submission_state(sent)
        else:
            state = _revealed_state(refused, row)
        rows.append(batch_row_of(row, state, transaction_of(connection, row)))
    waiting = [batch for batch in list_batches(connection, held.id, period) if batch.batch_id not in known]
    return rows + [_waiting_row(connection, batch) for batch in waiting]


def transaction_of(connection: Connection, row: DeclarationRow) -> bytes:
    """The transaction that carries a declaration."""
    at = (chain_logs.c.block_number == row.block_number) & (chain_logs.c.log_index == row.log_index)
    return bytes(connection.execute(select(chain_logs.c.tx_hash).where(at)).scalar_one())


def batch_row_of(row: DeclarationRow, state: State, transaction: bytes) -> BatchRow:
    """A declaration on chain as a row."""
    return BatchRow(
        root=hexed(row.root),
        batch_id=hexed(row.batch_id),
        declarer=row.scope.declarer,
        creditor=row.scope.creditor,
        seq=row.seq,
        count=row.count,
        amount_micros=row.amount_micros,
        state=state,
        transaction=hexed(transaction),
        block=row.block_number,
    )


def _revealed_state(refused: Mapping[BatchId, str | None], row: DeclarationRow) -> State:
    if row.batch_id not in refused:
        return State("declared")
    return State("revealed", Mood.GOOD) if refused[row.batch_id] is None else State("refused", Mood.BAD)


def _waiting_row(connection: Connection, batch: SealedBatch) -> BatchRow:
    sent = find_submission(connection, "declare", batch.batch_id) if batch.batch_id else None
    return BatchRow(
        root=hexed(batch.root),
        batch_id=hexed(batch.batch_id) if batch.batch_id else "",
        declarer=batch.scope.declarer,
        creditor=batch.scope.creditor,
        seq=batch.seq or 0,
        count=batch.count,
        amount_micros=batch.amount_micros,
        state=State("sealed") if sent is None else submission_state(sent),
        transaction=hexed(sent.tx_hash) if sent and sent.tx_hash else "",
        block=sent.block_number if sent else None,
    )


def submission_state(row: SubmissionRow) -> State:
    moods = {
        SubmissionState.FINAL: Mood.GOOD,
        SubmissionState.HELD: Mood.WARN,
        SubmissionState.REVERTED: Mood.BAD,
        SubmissionState.NEEDS_OPERATOR: Mood.BAD,
    }
    return State(row.state.value, moods.get(row.state, Mood.NOTE))
