"""How does a row become a frozen value? Column by column, by name; five columns of a scope become one."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import Row

from ledger.usage import BatchScope

Value = TypeVar("Value")


def one_of(kind: type[Value], row: Row[Any]) -> Value:
    """The row as a `kind`, whose fields are columns of it, or `scope`."""
    return all_of(kind, [row])[0]


def all_of(kind: type[Value], rows: Iterable[Row[Any]]) -> list[Value]:
    """Each row as a `kind`; rows have the same columns."""
    every = list(rows)
    return [] if not every else _values(kind, every[0]._fields, every)


def _values(kind: type[Value], columns: tuple[str, ...], rows: list[Row[Any]]) -> list[Value]:
    made = cast(Callable[..., Value], kind)
    names = _names(made)
    place = {name: at for at, name in enumerate(columns)}
    if "scope" not in names:
        pick = itemgetter(*(place[name] for name in names))
        return [made(*pick(row)) for row in rows] if len(names) > 1 else [made(pick(row)) for row in rows]
    scope = itemgetter(*(place[name] for name in BatchScope._fields))
    at = names.index("scope")
    before, after = (tuple(place[name] for name in part) for part in (names[:at], names[at + 1 :]))
    return [
        made(*[row[each] for each in before], BatchScope(*scope(row)), *[row[each] for each in after]) for row in rows
    ]


@cache
def _names(kind: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast(type[Any], kind)))
