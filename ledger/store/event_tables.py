"""Which tables hold what the chain said? One for each event of the contracts, generated from its binding.

A struct inside an event is spread over the columns of its fields. Every row is keyed by its log, and goes with it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import IntEnum
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text

from ledger.chain.bindings import EVENTS
from ledger.chain.bound import Event, Struct
from ledger.chain.network import CONTRACTS
from ledger.period import period_of_key
from ledger.service import Service
from ledger.store.columns import (
    INT64,
    INT64_MAX,
    Blob,
    Carrier,
    Exact,
    Hash32,
    PeriodKey,
    ServiceNumber,
    Whole,
    YesNo,
    check_int64,
    check_int256,
)
from ledger.store.tables import metadata

CARRIERS = frozenset({"carrier", "carrier_low", "carrier_high", "declarer", "creditor", "debtor", "proposer"})
"""Fields that hold a carrier's code."""
WORDS = frozenset({"currency", "reason", "igw", "licence"})
"""Fields that hold ASCII text."""
TIMES = frozenset({"deadline", "effective_at", "valid_from", "valid_until", "ready_at"})
"""Times that a carrier chooses, up to 2^64 - 1 for never; one beyond 63 bits stands as the latest that fits."""
FOUND_BY = ("agreement_id", "batch_id", "statement_id", "dispute_id", "item_id", "payable_id", "cycle_id", "carrier")


def event_values(event: Event) -> dict[str, object]:
    """The columns of an event's row. Raises Malformed if a value fits no column."""
    return {name: _value_of(name, value) for name, value in _spread(event)}


def _spread(value: Event | Struct) -> Iterator[tuple[str, object]]:
    for field in fields(value):  # type: ignore[arg-type]
        inner = getattr(value, field.name)
        if isinstance(inner, Struct):
            yield from _spread(inner)
        else:
            yield field.name, inner


def _value_of(name: str, value: object) -> object:
    if name in CARRIERS or name in WORDS:
        return _ascii(name, value)
    if name == "service":
        return Service(check_int64(value, name))
    if name == "period":
        return period_of_key(check_int64(value, name))
    if isinstance(value, bool | bytes | str):
        return value
    if name in TIMES and isinstance(value, int):
        return min(value, INT64_MAX)
    if _is_exact(name):
        return check_int256(value, name)
    return check_int64(int(value) if isinstance(value, IntEnum) else value, name)


def _is_exact(name: str) -> bool:
    """Amounts and quantities: 128 bits on chain."""
    return name.endswith("_micros") or name == "quantity"


def _ascii(name: str, value: object) -> str:
    """The text, or the bytes in hex where a contract let through what is none."""
    assert isinstance(value, bytes), name
    raw = value.rstrip(b"\0")
    readable = raw.isascii() and raw.decode("ascii").isprintable()
    return raw.decode("ascii") if readable else f"0x{value.hex()}"


def _table_of(event: type[Event]) -> Table:
    columns = dict(_columns_of(event))
    found_by = [name for name in FOUND_BY if name in columns]
    return Table(
        re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower(),
        metadata,
        Column("block_number", INT64, primary_key=True, autoincrement=False),
        Column("log_index", INT64, primary_key=True, autoincrement=False),
        *(Column(name, kind, nullable=False) for name, kind in columns.items()),
        ForeignKeyConstraint(
            ["block_number", "log_index"], ["chain_logs.block_number", "chain_logs.log_index"], ondelete="CASCADE"
        ),
        *(Index(None, name) for name in found_by),
        sqlite_strict=True,
    )


def _columns_of(kind: type[Event] | type[Struct]) -> Iterator[tuple[str, Any]]:
    for field in fields(kind):  # type: ignore[arg-type]
        plain = getattr(field.type, "__supertype__", field.type)
        if isinstance(plain, type) and issubclass(plain, Struct):
            yield from _columns_of(plain)
        else:
            yield field.name, _column_type(field.name, plain)


def _column_type(name: str, plain: Any) -> Any:
    if name in CARRIERS:
        return Carrier
    if name in WORDS:
        return Text
    if name == "service":
        return ServiceNumber
    if name == "period":
        return PeriodKey
    if _is_exact(name):
        return Exact
    if plain is bytes:
        return Blob if name == "call" else Hash32
    return {bool: YesNo, str: Text}.get(plain, Whole)


EVENT_TABLES: Mapping[type[Event], Table] = {
    event: _table_of(event)
    for event in sorted(EVENTS.values(), key=lambda event: event.__name__)
    if event.CONTRACT in CONTRACTS and event.__name__ != "EIP712DomainChanged"
}
