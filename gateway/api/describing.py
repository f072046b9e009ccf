"""What does a verb answer, as a JSON schema? Derived from the type it returns, by the rules of `gateway.answers`."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from enum import Enum, IntEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from gateway.answers import SAFE_INTEGER, Money, camel
from ledger.period import Period
from ledger.service import Service

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_MONEY: Schema = {
    "type": "object",
    "properties": {
        "unit": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "value": {"type": "string", "pattern": r"^-?\d+\.\d{6}$"},
    },
    "required": ["unit", "value"],
    "additionalProperties": False,
}
_WHOLE: Schema = {
    "oneOf": [
        {"type": "integer", "minimum": -SAFE_INTEGER, "maximum": SAFE_INTEGER},
        {"type": "string", "pattern": r"^-?\d{16,}$"},
    ]
}
_PLAIN: Mapping[Any, Schema] = {
    Money: _MONEY,
    Period: {"type": "string", "pattern": r"^\d{4}-\d\d$"},
    Service: {"type": "string", "enum": [each.word for each in Service]},
    NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    str: _TEXT,
    int: _WHOLE,
    bytes: {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"},
    date: _TEXT,
    datetime: _TEXT,
    Path: _TEXT,
    Any: {},
    object: {},
}


def answered(verb: Callable[..., Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers what a verb returns."""
    schema = schema_of(get_type_hints(verb)["return"])
    said = (verb.__doc__ or "").strip().splitlines()[0]
    return {status: {"description": said, "content": {"application/json": {"schema": schema}}}}


def schema_of(kind: Any) -> Schema:
    """The JSON schema of `as_json` of a value of this type."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(each) for each in get_args(kind)]}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(get_args(kind)[1])}
    if origin is tuple and get_args(kind)[-1] is not Ellipsis:
        return {"type": "array", "prefixItems": [schema_of(each) for each in get_args(kind)]}
    if origin is not None and issubclass(origin, Collection):
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    return _named(kind)


def _named(kind: Any) -> Schema:
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        members = {camel(name): schema_of(each) for name, each in _members(kind).items()}
        return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    if issubclass(kind, IntEnum):
        return {"type": "string", "enum": [each.name.lower() for each in kind]}
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [each.value for each in kind]}
    return _PLAIN[next(each for each in kind.__mro__ if each in _PLAIN)]


def _members(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = kind._fields if hasattr(kind, "_fields") else [each.name for each in dataclasses.fields(kind)]
    return {name: hints[name] for name in names}
