"""What is the present state of a thing? The latest of its rows, in chain order."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, select

from ledger.chain.bound import Event
from ledger.store.event_tables import EVENT_TABLES


def table_of(event: type[Event]) -> Any:
    """The columns of an event's projection."""
    return EVENT_TABLES[event].c


def rows_of(
    connection: Connection, event: type[Event], *wanted: ColumnElement[bool], **equal: object
) -> Iterator[Row[Any]]:
    """The rows of an event's projection that are wanted, in chain order; `equal` are columns' values, None: any."""
    values = {name: value for name, value in equal.items() if value is not None}
    query = _every(event, tuple(values))
    return iter(connection.execute(query.where(*wanted) if wanted else query, values).all())


def latest_of(connection: Connection, event: type[Event], key: str, **equal: object) -> dict[Any, Row[Any]]:
    """The latest row for each value of a column, of those whose columns have these values (None: any)."""
    return {getattr(row, key): row for row in _latest(connection, event, (key,), equal)}


def latest_by_direction(connection: Connection, event: type[Event], **equal: object) -> dict[tuple[Any, Any], Row[Any]]:
    """The same for each (agreement_id, creditor)."""
    rows = _latest(connection, event, ("agreement_id", "creditor"), equal)
    return {(row.agreement_id, row.creditor): row for row in rows}


def _latest(
    connection: Connection, event: type[Event], key: tuple[str, ...], equal: Mapping[str, object]
) -> Iterator[Row[Any]]:
    values = {name: value for name, value in equal.items() if value is not None}
    return iter(connection.execute(_newest(event, key, tuple(values)), values).all())


@cache
def _every(event: type[Event], names: tuple[str, ...]) -> Select[Any]:
    """Kept: to build a query takes longer than to run it."""
    table = EVENT_TABLES[event]
    return select(table).where(*_equal(table, names)).order_by(table.c.block_number, table.c.log_index)


@cache
def _newest(event: type[Event], key: tuple[str, ...], names: tuple[str, ...]) -> Select[Any]:
    table = EVENT_TABLES[event]
    order = (table.c.block_number.desc(), table.c.log_index.desc())
    age = func.row_number().over(partition_by=[table.c[name] for name in key], order_by=order).label("age")
    aged = select(table.c.block_number, table.c.log_index, age).where(*_equal(table, names)).subquery()
    place = (table.c.block_number == aged.c.block_number) & (table.c.log_index == aged.c.log_index)
    newest = select(table).join(aged, place).where(aged.c.age == 1)
    return newest.order_by(table.c.block_number, table.c.log_index)


def _equal(table: Table, names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(name, type_=table.c[name].type) for name in names]


def chain_order(row: Row[Any]) -> tuple[int, int]:
    """Where on the chain a row stands."""
    return row.block_number, row.log_index
