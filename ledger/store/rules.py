"""Does what the chain says keep the rules it promises? The second assertion of each (the contracts make the first)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from ledger.chain.bindings import CreditLineGranted, ExposureChanged, RateDeckPublished, UsageDeclared
from ledger.chain.bound import Event
from ledger.identity import AgreementId
from ledger.store.event_tables import EVENT_TABLES, event_values

SEQUENCES: dict[type[Event], tuple[str, tuple[str, ...]]] = {
    UsageDeclared: ("seq", ("agreement_id", "declarer", "creditor")),
    RateDeckPublished: ("seq", ("agreement_id", "creditor")),
    CreditLineGranted: ("nonce", ("agreement_id", "creditor")),
}
"""Which numbers of which events have no gap, within which key."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that an event breaks."""

    rule: str
    detail: str
    agreement_id: AgreementId | None


def breaches_of(connection: Connection, event: Event) -> Iterator[Breach]:
    """The rules an event breaks against what is stored before it."""
    values = event_values(event)
    if type(event) in SEQUENCES:
        yield from _gap(connection, type(event), values)
    if isinstance(event, ExposureChanged):
        yield from _jump(connection, values)


def _gap(connection: Connection, event: type[Event], values: dict[str, Any]) -> Iterator[Breach]:
    number, key = SEQUENCES[event]
    table = EVENT_TABLES[event]
    last = connection.execute(select(func.max(table.c[number])).where(_same(event, key, values))).scalar_one() or 0
    if values[number] != last + 1:
        detail = f"{event.__name__} {number} {values[number]} follows {last}"
        yield Breach("sequence numbers have no gap", detail, values["agreement_id"])


def _jump(connection: Connection, values: dict[str, Any]) -> Iterator[Breach]:
    table = EVENT_TABLES[ExposureChanged]
    same = _same(ExposureChanged, ("agreement_id", "creditor"), values)
    order = (table.c.block_number.desc(), table.c.log_index.desc())
    latest = select(table.c.exposure_micros).where(same).order_by(*order).limit(1)
    before = connection.execute(latest).scalar_one_or_none() or 0
    if before + values["change_micros"] != values["exposure_micros"]:
        detail = f"exposure {before} changed by {values['change_micros']} gives {values['exposure_micros']}"
        yield Breach("exposure is the sum of its changes", detail, values["agreement_id"])


def _same(event: type[Event], key: tuple[str, ...], values: dict[str, Any]) -> ColumnElement[bool]:
    table = EVENT_TABLES[event]
    return and_(*(table.c[name] == values[name] for name in key))
