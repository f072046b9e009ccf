"""How does a row become a frozen value? Column by column, by name; five columns of a scope become one."""

from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Row, RowMapping

from ledger.usage import BatchScope

Value = TypeVar("Value")


def one_of(kind: type[Value], row: Row[Any]) -> Value:
    """The row as a `kind`, whose fields are columns of it, or `scope`."""
    columns = row._mapping
    return kind(**{name: _scope(columns) if name == "scope" else columns[name] for name in _names(kind)})  # type: ignore[arg-type]


def all_of(kind: type[Value], rows: Iterable[Row[Any]]) -> list[Value]:
    """Each row as a `kind`."""
    return [one_of(kind, row) for row in rows]


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _scope(columns: RowMapping) -> BatchScope:
    return BatchScope(*(columns[name] for name in BatchScope._fields))
