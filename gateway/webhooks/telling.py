"""Which events are told, under which name, and how do they look?

Those that name an agreement of ours or a thing of one, cycles that touch one, and carriers that are party to one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from gateway.answers import Money, as_json, camel
from gateway.api.times import utc_of_ms, utc_of_s
from gateway.composition import Gateway, Partnership, partnerships
from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.webhooks import LoggedEvent, agreement_of, cycle_touches

PING = "ping"
LAST_SECOND = 253_402_300_799
"""Of the year 9999; what lasts longer lasts for ever."""
_SECONDS = frozenset({"deadline", "valid_from", "valid_until"})
_MILLISECONDS = frozenset({"from_ms", "to_ms"})


def type_of(name: str) -> str:
    """StatementAgreed → statement.agreed, NettingCycleExecuted → netting_cycle.executed."""
    *noun, verb = re.findall(r"[A-Z][a-z0-9]*", name)
    return f"{'_'.join(noun)}.{verb}".lower()


_NAMES_US = frozenset({"agreement_id", "payable_id", "dispute_id", "item_id", "statement_id", "cycle_id", "carrier"})
TYPES: Mapping[str, str] = {
    event.__name__: type_of(event.__name__) for event, table in EVENT_TABLES.items() if _NAMES_US & set(table.c.keys())
}
"""The types that are told, by the event's name in Solidity."""
_WORDS: Mapping[tuple[str, str], type[IntEnum]] = {
    (event.__name__, field.name): field.type
    for event in EVENT_TABLES
    for field in fields(event)  # type: ignore[arg-type]
    if isinstance(field.type, type) and issubclass(field.type, IntEnum)
}


@dataclass(frozen=True, slots=True)
class Circle:
    """Whose events are ours to tell."""

    carrier: CarrierCode
    agreements: Mapping[AgreementId, Partnership]

    @property
    def parties(self) -> frozenset[str]:
        return frozenset({self.carrier, *(held.partner for held in self.agreements.values())})


def circle_of(gateway: Gateway) -> Circle:
    """Our carrier, its agreements and partners, as the home folder has them now."""
    return Circle(gateway.carrier, {held.id: held for held in partnerships(gateway.settings).values()})


def told_of(connection: Connection, circle: Circle, event: LoggedEvent) -> Mapping[str, object] | None:
    """The message of an event, None if it is not about us."""
    values = event.values
    if event.name not in TYPES:
        return None
    agreement_id = agreement_of(connection, values)
    held = None if agreement_id is None else circle.agreements.get(agreement_id)
    if held is None and not (agreement_id is None and _touches(connection, circle, values)):
        return None
    head = {
        "block": event.place.block,
        "logIndex": event.place.log_index,
        "transaction": event.tx_hash,
        "event": event.name,
    }
    if held is not None:
        head |= {"agreementId": held.id, "partner": held.partner}
    currency = values.get("currency") or (held.currency if held is not None else None)
    shown = {name: each for column, value in values.items() for name, each in [_shown(event, column, value, currency)]}
    return message(TYPES[event.name], event.timestamp, {**head, **shown})


def message(kind: str, timestamp: int, said: Mapping[str, object]) -> Mapping[str, object]:
    """A message as the Standard Webhooks specification lays it out; `timestamp` in seconds."""
    return {"type": kind, "timestamp": utc_of_s(timestamp), "data": as_json(said)}


def body_of(said: Mapping[str, object]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def id_of(event: LoggedEvent) -> str:
    """The same for one event at each attempt, and another if a reorganisation put it into another block."""
    place = event.block_hash + event.place.log_index.to_bytes(8, "big")
    return f"evt_{sha256(place).hexdigest()[:32]}"


def _touches(connection: Connection, circle: Circle, values: Mapping[str, Any]) -> bool:
    """Whether an event that names no agreement is about us."""
    if "cycle_id" in values:
        return cycle_touches(connection, values["cycle_id"], frozenset(circle.agreements))
    return values.get("carrier") in circle.parties


def _shown(event: LoggedEvent, column: str, value: Any, currency: str | None) -> tuple[str, object]:
    if column.endswith("_micros"):
        if currency is None:
            return camel(column), str(value)
        return camel(column.removesuffix("_micros")), Money(currency, Micros(value))
    if column in _MILLISECONDS:
        return camel(column.removesuffix("_ms")), utc_of_ms(value)
    if column in _SECONDS or column.endswith("_at"):
        return camel(column), utc_of_s(value) if value <= LAST_SECOND else None
    words = _WORDS.get((event.name, column))
    return camel(column), value if words is None else words(value)
