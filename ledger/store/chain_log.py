"""What has the chain said so far, and what of it is taken back by a reorganisation?

Blocks carry logs, logs carry projections: deleting a block takes all that hangs on it. The checkpoint is the highest
block that is stored, so it commits with what was read up to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, insert, or_, select, tuple_, update

from ledger.chain.seen import Block, Log
from ledger.errors import Malformed
from ledger.identity import AgreementId
from ledger.store.event_tables import EVENT_TABLES, event_values
from ledger.store.rows import all_of
from ledger.store.rules import breaches_of
from ledger.store.tables import alarms, chain_blocks, chain_logs, webhooks

CHAIN_TABLES = (chain_logs, alarms, *EVENT_TABLES.values())
"""What a fresh reading of the chain gives again, row by row."""
READABLE = "every log is readable"
RECENT_BLOCKS = 256
"""Headers without logs are kept this far back, to find the fork of a reorganisation quickly."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last block that was read."""

    number: int
    hash: bytes
    timestamp: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A log that breaks a rule of the ledger, or that could not be read. It stops writes that move money."""

    rule: str
    detail: str
    agreement_id: AgreementId | None
    block_number: int
    log_index: int


def checkpoint(connection: Connection) -> Checkpoint | None:
    """The last block that was read, None before the first."""
    found = connection.execute(select(chain_blocks).order_by(chain_blocks.c.number.desc()).limit(1)).one_or_none()
    return None if found is None else Checkpoint(found.number, found.hash, found.timestamp)


def checkpoints_down(connection: Connection) -> Iterator[Checkpoint]:
    """The stored blocks, the highest first: where a reorganisation is looked for."""
    for row in connection.execute(select(chain_blocks).order_by(chain_blocks.c.number.desc())):
        yield Checkpoint(row.number, row.hash, row.timestamp)


def append_blocks(connection: Connection, blocks: Sequence[Block], logs: Sequence[Log]) -> list[Alarm]:
    """Store linked blocks above the checkpoint with their logs and projections; the alarms they raise.

    Of `blocks`, those with logs and the last are kept.
    """
    with_logs = {log.block_number for log in logs}
    kept = [block for block in blocks if block.number in with_logs or block is blocks[-1]]
    rows = [{"number": block.number, "hash": block.hash, "timestamp": block.timestamp} for block in kept]
    connection.execute(insert(chain_blocks), rows)
    raised = [alarm for log in logs for alarm in _append_log(connection, log)]
    _forget_empty_blocks(connection, blocks[-1].number - RECENT_BLOCKS)
    return raised


def roll_back(connection: Connection, to_number: int) -> int:
    """Take back every block above `to_number` with all that hangs on it, and tell anew what comes instead; how many
    logs went."""
    gone = connection.execute(
        select(func.count()).select_from(chain_logs).where(chain_logs.c.block_number > to_number)
    ).scalar_one()
    connection.execute(delete(chain_blocks).where(chain_blocks.c.number > to_number))
    told_further = webhooks.c.next_block > to_number
    connection.execute(update(webhooks).where(told_further).values(next_block=to_number + 1, next_index=0))
    return gone


def list_alarms(connection: Connection, agreement_id: AgreementId | None = None) -> list[Alarm]:
    """Alarms in chain order; of one agreement (and those of no agreement), or all."""
    query = select(alarms).order_by(alarms.c.block_number, alarms.c.log_index, alarms.c.rule)
    if agreement_id is not None:
        query = query.where((alarms.c.agreement_id == agreement_id) | alarms.c.agreement_id.is_(None))
    return all_of(Alarm, connection.execute(query))


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log as it was read."""

    block_number: int
    log_index: int
    tx_hash: bytes
    address: str
    event: str
    """The name of its event, "" if it could not be read."""
    topics: bytes
    """One after the other, 32 bytes each."""
    data: bytes


def logs_before(
    connection: Connection,
    *,
    before: tuple[int, int] | None = None,
    limit: int,
    event: str | None = None,
    agreement_id: AgreementId | None = None,
    block: int | None = None,
    tx_hash: bytes | None = None,
) -> list[StoredLog]:
    """At most `limit` logs, the latest first, that stand before a place (block, index); of an event, an agreement, a
    block or a transaction only."""
    at = chain_logs.c
    query = select(chain_logs).order_by(at.block_number.desc(), at.log_index.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(at.block_number, at.log_index) < before)
    for column, wanted in ((at.event, event), (at.block_number, block), (at.tx_hash, tx_hash)):
        query = query if wanted is None else query.where(column == wanted)
    if agreement_id is not None:
        query = query.where(
            or_(*(_of_agreement(table, agreement_id) for table in EVENT_TABLES.values() if "agreement_id" in table.c))
        )
    return all_of(StoredLog, connection.execute(query))


def event_names(connection: Connection) -> list[str]:
    """The names of the events that were read so far."""
    names = connection.execute(select(chain_logs.c.event).distinct().order_by(chain_logs.c.event)).scalars()
    return [name for name in names if name]


def _of_agreement(table: Table, agreement_id: AgreementId) -> ColumnElement[bool]:
    same = (table.c.block_number == chain_logs.c.block_number) & (table.c.log_index == chain_logs.c.log_index)
    return exists().where(same & (table.c.agreement_id == agreement_id))


def _append_log(connection: Connection, log: Log) -> list[Alarm]:
    """Store a log and its projection. One that fits no column is stored raw, and stops its agreement only."""
    try:
        event = log.event()
    except Malformed as unreadable:
        _store_log(connection, log, "")
        return [_raise(connection, log, READABLE, str(unreadable), None)]
    _store_log(connection, log, type(event).__name__)
    if type(event) not in EVENT_TABLES:
        return []
    try:
        values = event_values(event)
    except Malformed as unfit:
        return [_raise(connection, log, READABLE, str(unfit), getattr(event, "agreement_id", None))]
    raised = [
        _raise(connection, log, breach.rule, breach.detail, breach.agreement_id)
        for breach in breaches_of(connection, event)
    ]
    key = {"block_number": log.block_number, "log_index": log.log_index}
    connection.execute(insert(EVENT_TABLES[type(event)]).values(values | key))
    return raised


def _store_log(connection: Connection, log: Log, event: str) -> None:
    values = {
        "block_number": log.block_number,
        "log_index": log.log_index,
        "tx_hash": log.tx_hash,
        "address": log.address,
        "event": event,
        "topics": b"".join(log.topics),
        "data": log.data,
    }
    connection.execute(insert(chain_logs).values(values))


def _raise(connection: Connection, log: Log, rule: str, detail: str, agreement_id: AgreementId | None) -> Alarm:
    alarm = Alarm(rule, detail, agreement_id, log.block_number, log.log_index)
    names = Alarm.__dataclass_fields__
    connection.execute(insert(alarms).values({name: getattr(alarm, name) for name in names}))
    return alarm


def _forget_empty_blocks(connection: Connection, below: int) -> None:
    empty = ~exists().where(chain_logs.c.block_number == chain_blocks.c.number)
    connection.execute(delete(chain_blocks).where((chain_blocks.c.number < below) & empty))


def chain_rows(connection: Connection, table: Table) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Every row of one of CHAIN_TABLES, by its primary key."""
    keys = [column.name for column in table.primary_key]
    rows = connection.execute(select(table)).all()
    return {tuple(row._mapping[name] for name in keys): tuple(row) for row in rows}
