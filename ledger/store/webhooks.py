"""Who is told what the chain says, how far was each told, and what came in between?

A webhook's place is where the next event may stand; it moves after the delivery, never before, so nothing is lost. A
reorganisation below it moves it back (`ledger.store.chain_log.roll_back`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, tuple_, update

from ledger.errors import NotFound
from ledger.identity import AgreementId
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.rows import all_of, one_of
from ledger.store.tables import chain_blocks, chain_logs, webhooks

_TABLES = {event.__name__: table for event, table in EVENT_TABLES.items()}
_NAMED = {table.name: table for table in EVENT_TABLES.values()}
_PARENTS = (
    ("payable_id", "payable_opened"),
    ("dispute_id", "dispute_opened"),
    ("item_id", "item_opened"),
    ("statement_id", "statement_agreed"),
    ("statement_id", "statement_proposed"),
)
"""Where the agreement of a thing stands whose events name only the thing."""


class Place(NamedTuple):
    """Where a log stands on the chain."""

    block: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told."""

    id: str
    url: str
    secret: bytes
    """Signs what is told."""
    events: str
    """The types that are told, with spaces between them; "" for all."""
    next_block: int
    next_index: int
    failures: int
    """In a row."""
    failing_since_ms: int | None
    next_at_ms: int
    """Not tried before."""
    last_failure: str | None
    last_failure_at_ms: int | None
    delivered: int
    last_delivered_at_ms: int | None
    disabled_at_ms: int | None
    created_at_ms: int

    @property
    def place(self) -> Place:
        """Where the next event may stand."""
        return Place(self.next_block, self.next_index)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self.events.split())


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One decoded event as it stands in the store."""

    place: Place
    block_hash: bytes
    timestamp: int
    """Seconds, of its block."""
    tx_hash: bytes
    name: str
    """As in Solidity."""
    values: Mapping[str, Any]
    """By column of its table, structs spread."""


def add_webhook(connection: Connection, webhook: Webhook) -> None:
    """Remember whom to tell."""
    connection.execute(insert(webhooks).values(asdict(webhook)))


def webhook_of(connection: Connection, webhook_id: str) -> Webhook:
    """The webhook of an id. Raises NotFound."""
    found = connection.execute(select(webhooks).where(webhooks.c.id == webhook_id)).one_or_none()
    if found is None:
        raise NotFound("no such webhook", got=webhook_id[:64], todo="See GET /v1/webhook.")
    return one_of(Webhook, found)


def list_webhooks(connection: Connection) -> list[Webhook]:
    """Every webhook, oldest first."""
    return all_of(Webhook, connection.execute(select(webhooks).order_by(webhooks.c.created_at_ms, webhooks.c.id)))


def due_webhooks(connection: Connection, now_ms: int) -> list[Webhook]:
    """Those that may be told something now, the longest waiting first."""
    at = webhooks.c
    query = select(webhooks).where(at.disabled_at_ms.is_(None) & (at.next_at_ms <= now_ms))
    return all_of(Webhook, connection.execute(query.order_by(at.next_at_ms, at.id)))


def remove_webhook(connection: Connection, webhook_id: str) -> None:
    """Tell it nothing any more. Raises NotFound."""
    webhook_of(connection, webhook_id)
    connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


def move_place(connection: Connection, webhook: Webhook, to: Place, **values: object) -> bool:
    """Go on to a place, if the webhook still stands where it did: a reorganisation in between wins."""
    at = webhooks.c
    same = (at.id == webhook.id) & (at.next_block == webhook.next_block) & (at.next_index == webhook.next_index)
    moved = connection.execute(
        update(webhooks).where(same).values(next_block=to.block, next_index=to.log_index, **values)
    )
    return moved.rowcount == 1


def note_delivery(connection: Connection, webhook: Webhook, to: Place, now_ms: int) -> bool:
    """An event was taken: the next one may stand at `to`, and may go now."""
    healthy = {"failures": 0, "failing_since_ms": None, "next_at_ms": now_ms}
    counted = {"delivered": webhooks.c.delivered + 1, "last_delivered_at_ms": now_ms}
    return move_place(connection, webhook, to, **healthy, **counted)


def note_failure(
    connection: Connection, webhook: Webhook, failure: str, *, now_ms: int, next_at_ms: int, disable: bool
) -> None:
    """An event was not taken: it is tried again, unless the webhook is given up."""
    values: dict[str, object] = {"failures": webhook.failures + 1, "next_at_ms": next_at_ms}
    values |= {"last_failure": failure, "last_failure_at_ms": now_ms}
    values["failing_since_ms"] = now_ms if webhook.failing_since_ms is None else webhook.failing_since_ms
    values["disabled_at_ms"] = now_ms if disable else None
    connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(values))


def resume_webhook(connection: Connection, webhook_id: str, now_ms: int) -> None:
    """Tell it again from where it stood. Raises NotFound."""
    webhook_of(connection, webhook_id)
    values = {"disabled_at_ms": None, "failures": 0, "failing_since_ms": None, "next_at_ms": now_ms}
    connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(values))


def end_of_log(connection: Connection) -> Place:
    """Where the first event after all that was read may stand."""
    last = connection.execute(select(func.max(chain_blocks.c.number))).scalar_one()
    return Place(0 if last is None else last + 1, 0)


def events_from(connection: Connection, place: Place, limit: int) -> list[LoggedEvent]:
    """At most `limit` events in order, from a place on; those that could not be read are left out."""
    at = chain_logs.c
    query = (
        select(chain_logs, chain_blocks.c.hash, chain_blocks.c.timestamp)
        .join(chain_blocks, chain_blocks.c.number == at.block_number)
        .where((tuple_(at.block_number, at.log_index) >= tuple(place)) & at.event.in_(_TABLES))
        .order_by(at.block_number, at.log_index)
        .limit(limit)
    )
    return [_event_of(connection, row) for row in connection.execute(query).all()]


def agreement_of(connection: Connection, values: Mapping[str, Any]) -> AgreementId | None:
    """The agreement that an event's values name, or that the thing is of which they speak."""
    if "agreement_id" in values:
        return AgreementId(values["agreement_id"])
    for column, name in _PARENTS:
        if column in values:
            table = _NAMED[name]
            query = select(table.c.agreement_id).where(table.c[column] == values[column]).limit(1)
            found = connection.execute(query).scalar_one_or_none()
            if found is not None:
                return AgreementId(found)
    return None


def cycle_touches(connection: Connection, cycle_id: bytes, agreements: frozenset[AgreementId]) -> bool:
    """Whether a netting cycle took an item of one of these agreements, or left a payable in one."""
    payables, netted, items = (_NAMED[name] for name in ("payable_opened", "item_netted", "item_opened"))
    left = exists().where((payables.c.cycle_id == cycle_id) & payables.c.agreement_id.in_(agreements))
    same = (netted.c.cycle_id == cycle_id) & (netted.c.item_id == items.c.item_id)
    took = exists().where(same & items.c.agreement_id.in_(agreements))
    return bool(connection.execute(select(or_(left, took))).scalar_one())


def _event_of(connection: Connection, row: Any) -> LoggedEvent:
    table = _TABLES[row.event]
    here = (table.c.block_number == row.block_number) & (table.c.log_index == row.log_index)
    found = connection.execute(select(table).where(here)).one_or_none()
    kept = {} if found is None else dict(found._mapping)
    values = {name: value for name, value in kept.items() if name not in ("block_number", "log_index")}
    place = Place(row.block_number, row.log_index)
    return LoggedEvent(place, row.hash, row.timestamp, row.tx_hash, row.event, values)
