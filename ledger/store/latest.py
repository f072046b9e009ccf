"""What is the present state of a thing? The latest of its rows, in chain order."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ledger.chain.bound import Event
from ledger.store.event_tables import EVENT_TABLES


def table_of(event: type[Event]) -> Any:
    """The columns of an event's projection."""
    return EVENT_TABLES[event].c


def rows_of(connection: Connection, event: type[Event], *wanted: ColumnElement[bool]) -> Iterator[Row[Any]]:
    """The rows of an event's projection that are wanted, in chain order."""
    table = EVENT_TABLES[event]
    query = select(table).where(*wanted).order_by(table.c.block_number, table.c.log_index)
    return iter(connection.execute(query).all())


def latest_of(
    connection: Connection, event: type[Event], key: str, *wanted: ColumnElement[bool]
) -> dict[Any, Row[Any]]:
    """The latest wanted row for each value of a column."""
    return {getattr(row, key): row for row in _latest(connection, event, (key,), *wanted)}


def latest_by_direction(
    connection: Connection, event: type[Event], *wanted: ColumnElement[bool]
) -> dict[tuple[Any, Any], Row[Any]]:
    """The latest wanted row for each (agreement_id, creditor)."""
    rows = _latest(connection, event, ("agreement_id", "creditor"), *wanted)
    return {(row.agreement_id, row.creditor): row for row in rows}


def _latest(
    connection: Connection, event: type[Event], key: tuple[str, ...], *wanted: ColumnElement[bool]
) -> Iterator[Row[Any]]:
    table = EVENT_TABLES[event]
    order = (table.c.block_number.desc(), table.c.log_index.desc())
    age = func.row_number().over(partition_by=[table.c[name] for name in key], order_by=order).label("age")
    aged = select(table.c.block_number, table.c.log_index, age).where(*wanted).subquery()  # few columns are built fast
    place = (table.c.block_number == aged.c.block_number) & (table.c.log_index == aged.c.log_index)
    newest = select(table).join(aged, place).where(aged.c.age == 1)
    return iter(connection.execute(newest.order_by(table.c.block_number, table.c.log_index)).all())


def chain_order(row: Row[Any]) -> tuple[int, int]:
    """Where on the chain a row stands."""
    return row.block_number, row.log_index
