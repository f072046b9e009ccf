"""How do our values look as JSON? Names in camelCase, integers past 2^53 and money as text, bytes as 0x-digits."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service

SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its unit: `{"unit": "USD", "value": "251330.020000"}` in JSON."""

    unit: str
    micros: Micros

    def __str__(self) -> str:
        return f"{self.unit} {show_micros(self.micros, 2)}"


def as_json(value: Any) -> Any:
    """A value of ours as what `json.dumps` takes. Dataclasses and named tuples become objects in camelCase."""
    match value:
        case Money(unit=unit, micros=micros):
            return {"unit": unit, "value": show_micros(micros)}
        case Service():
            return value.word
        case Period():
            return str(value)
        case IntEnum():
            return value.name.lower()
        case Enum():
            return value.value
        case bool() | str() | None:
            return value
        case int():
            return value if abs(value) <= SAFE_INTEGER else str(value)
        case bytes():
            return f"0x{value.hex()}"
        case date() | datetime():
            return value.isoformat()
        case Path():
            return str(value)
        case Mapping():
            return {str(as_json(key)): as_json(each) for key, each in value.items()}
    return _collection_as_json(value)


def _collection_as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel(item.name): as_json(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {camel(name): as_json(each) for name, each in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def camel(name: str) -> str:
    """amount_micros → amountMicros."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
