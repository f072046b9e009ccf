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
from ledger.store.outbox import SubmissionRow, find_submissions
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
    waiting = [batch for batch in list_batches(connection, held.id, period) if batch.batch_id not in known]
    named = known | {batch.batch_id for batch in waiting if batch.batch_id}
    sent = find_submissions(connection, "declare", named)
    carriers = transactions_of(connection, declared)
    rows = []
    for row in declared:
        if row.scope.declarer == gateway.carrier:
            ours = sent.get(row.batch_id)
            state = State("final", Mood.GOOD) if ours is None else submission_state(ours)
        else:
            state = _revealed_state(refused, row)
        rows.append(batch_row_of(row, state, carriers[row.batch_id]))
    return rows + [_waiting_row(batch, sent.get(batch.batch_id) if batch.batch_id else None) for batch in waiting]


def transactions_of(connection: Connection, rows: Sequence[DeclarationRow]) -> dict[BatchId, bytes]:
    """The transaction that carries each declaration, by batch."""
    blocks = {row.block_number for row in rows}
    query = select(chain_logs.c.block_number, chain_logs.c.log_index, chain_logs.c.tx_hash)
    found = connection.execute(query.where(chain_logs.c.block_number.in_(blocks)))
    carriers = {(block, index): bytes(hashed) for block, index, hashed in found}
    return {row.batch_id: carriers[row.block_number, row.log_index] for row in rows}


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


def _waiting_row(batch: SealedBatch, sent: SubmissionRow | None) -> BatchRow:
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
