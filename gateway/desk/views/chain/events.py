"""What did the contracts say? Their events, decoded, the latest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property

from sqlalchemy import Connection, select

from gateway.composition import Gateway, partnership_with, partnerships
from gateway.desk.shapes import at, at_ms, hexed, money_exact
from gateway.webhooks.telling import LAST_SECOND
from ledger.chain.bindings import event_of
from ledger.chain.bound import Event, Struct
from ledger.errors import Malformed
from ledger.identity import carrier_code
from ledger.store.chain_log import StoredLog, event_names, logs_before
from ledger.store.engine import reading
from ledger.store.tables import chain_blocks

PAGE_ROWS = 50
WHOLE_ROWS = 1_000_000


@dataclass(frozen=True)
class EventRow:
    """One event with its arguments in words."""

    log: StoredLog
    at: int | None
    """Seconds, of its block, where that is kept."""
    partner: str

    @cached_property
    def said(self) -> Sequence[tuple[str, str]]:
        """Argument and value for people: money with its point, moments with their zone, structs spread."""
        return tuple(_readable(self._event)) if isinstance(self._event, Event) else self._event

    @cached_property
    def _event(self) -> Event | Sequence[tuple[str, str]]:
        """The event; of a log that cannot be read its raw data."""
        topics = [self.log.topics[at : at + 32] for at in range(0, len(self.log.topics), 32)]
        try:
            return event_of(topics, self.log.data)
        except Malformed as error:
            return (("?", error.message), ("data", hexed(self.log.data)))

    @property
    def transaction(self) -> str:
        return hexed(self.log.tx_hash)

    @property
    def place(self) -> str:
        """The cursor of what comes before."""
        return f"{self.log.block_number}.{self.log.log_index}"

    @property
    def arguments(self) -> str:
        """As the contract has them: integers in its own units."""
        said = _said(self._event) if isinstance(self._event, Event) else self._event
        return ", ".join(f"{name}={value}" for name, value in said)


@dataclass(frozen=True, slots=True)
class EventsView:
    """A page of events."""

    rows: Sequence[EventRow]
    names: Sequence[str]
    event: str
    block: str
    before: str | None
    """Where what is earlier begins."""
    every: "EveryEvent"


@dataclass(frozen=True, slots=True)
class EveryEvent:
    """All events of a filter, read when they are asked for."""

    gateway: Gateway
    wanted: Mapping[str, object]

    def rows(self) -> list[EventRow]:
        with reading(self.gateway.engine) as connection:
            logs = logs_before(connection, limit=WHOLE_ROWS, **self.wanted)  # type: ignore[arg-type]
            return _rows(self.gateway, connection, logs)


def events_view(gateway: Gateway, said: Mapping[str, str]) -> EventsView:
    """Events, as `said` filters them: event, block, tx, partner, before. Raises Malformed, NotFound."""
    block, event, partner = said.get("block", ""), said.get("event", "")[:60], said.get("partner", "")
    wanted: dict[str, object] = {}
    if event:
        wanted["event"] = event
    if block:
        wanted["block"] = _whole(block)
    if partner:
        wanted["agreement_id"] = partnership_with(gateway.settings, carrier_code(partner)).id
    if said.get("tx"):
        wanted["tx_hash"] = hash_of(said["tx"])
    with reading(gateway.engine) as connection:
        logs = logs_before(connection, before=_place(said.get("before")), limit=PAGE_ROWS + 1, **wanted)  # type: ignore[arg-type]
        rows = _rows(gateway, connection, logs[:PAGE_ROWS])
        names = event_names(connection)
    before = rows[-1].place if len(logs) > PAGE_ROWS else None
    return EventsView(rows, names, event, block, before, EveryEvent(gateway, wanted))


def hash_of(text: str) -> bytes:
    """Of a transaction or a batch. Raises Malformed."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x")) if text.isascii() else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Malformed("not a hash", expected="0x and 64 hexadecimal digits", got=repr(text[:80]))
    return raw


def _rows(gateway: Gateway, connection: Connection, logs: Sequence[StoredLog]) -> list[EventRow]:
    numbers = {log.block_number for log in logs}
    found = connection.execute(
        select(chain_blocks.c.number, chain_blocks.c.timestamp).where(
            chain_blocks.c.number.between(min(numbers, default=0), max(numbers, default=0))
        )
    )
    times = {row.number: row.timestamp for row in found}
    partners = {held.id.hex(): partner for partner, held in partnerships(gateway.settings).items()}
    return [EventRow(log, times.get(log.block_number), _partner(log, partners)) for log in logs]


def _partner(log: StoredLog, partners: Mapping[str, str]) -> str:
    """Whose agreement an event names, if one of its topics is an agreement's id."""
    topics = (log.topics[at : at + 32].hex() for at in range(32, len(log.topics), 32))
    return next((partners[topic] for topic in topics if topic in partners), "")


def _said(event: Event | Struct) -> list[tuple[str, str]]:
    return [(field.name, _shown(field.name, getattr(event, field.name))) for field in fields(event)]  # type: ignore[arg-type]


def _shown(name: str, value: object) -> str:
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")
        plain = text.isascii() and text.decode("ascii", "replace").isprintable() and 0 < len(text) < 32
        return text.decode() if plain and len(value) == 32 else hexed(value)
    if isinstance(value, Struct):
        return "{" + ", ".join(f"{inner}={shown}" for inner, shown in _said(value)) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(name, each) for each in value) + "]"
    return str(value)


_SECONDS = frozenset({"deadline", "valid_from", "valid_until"})
_MILLISECONDS = frozenset({"from_ms", "to_ms"})


def _readable(event: Event | Struct) -> Iterator[tuple[str, str]]:
    for field in fields(event):  # type: ignore[arg-type]
        value = getattr(event, field.name)
        if isinstance(value, Struct):
            yield from _readable(value)
        elif isinstance(value, IntEnum):
            yield field.name, value.name.lower()
        elif isinstance(value, int) and field.name.endswith("_micros"):
            yield field.name.removesuffix("_micros"), money_exact(value)
        elif isinstance(value, int) and (field.name.endswith("_at") or field.name in _SECONDS):
            yield field.name, _moment(value)
        elif isinstance(value, int) and field.name in _MILLISECONDS:
            yield field.name.removesuffix("_ms"), f"{at_ms(value)} UTC"
        elif isinstance(value, bytes) and not any(value):
            yield field.name, "—"
        else:
            yield field.name, _shown(field.name, value)


def _moment(seconds: int) -> str:
    return at(seconds) if 0 < seconds <= LAST_SECOND else "—"


def _place(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    block, _, index = text.partition(".")
    return _whole(block), _whole(index)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Malformed("not a block or a place on the chain", expected="a whole number", got=repr(text[:30]))
    return int(text)
