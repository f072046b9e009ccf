"""How is the store opened, and how are its transactions begun?

SQLite: WAL, synchronous=FULL, foreign keys on, every writing transaction BEGIN IMMEDIATE, so that what a writer reads
nobody else changes before it commits (default isolation breaches credit limits). PostgreSQL: READ COMMITTED and
`lock` on the row that stands for what is decided.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError, OperationalError

from ledger.errors import Malformed, Unavailable
from ledger.store.migrate import upgrade
from ledger.store.once import KNOWN
from ledger.store.tables import locks

BUSY_MS = 15_000
"""How long a writer waits for another one."""


def open_store(url: str) -> Engine:
    """Open a store and bring its tables up to date: "sqlite:///gsc.db", "postgresql://...".

    Raises Malformed for other databases, Unavailable if it does not answer.
    """
    engine = engine_of(url)
    try:
        with writing(engine) as connection:
            upgrade(connection)
    except OperationalError as down:
        raise Unavailable("the store does not answer", got=str(down.orig), todo="Start it, or check its URL.") from down
    return engine


def engine_of(url: str) -> Engine:
    """The engine of a store, with nothing sent yet. Raises Malformed."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"))
    _keep_private(parsed)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One writing transaction: commits at the end, rolls back on any error."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view; on SQLite it neither waits for a writer nor holds one up."""
    with engine.connect() as connection:
        options: dict[str, Any] = {"gsc_reads": True, KNOWN: {}}
        if connection.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        yield connection.execution_options(**options)


def lock(connection: Connection, name: str) -> None:
    """Hold `name` until the transaction ends; other transactions that lock it wait."""
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(locks).values(name=name, taken=1)
    bump = statement.on_conflict_do_update(index_elements=[locks.c.name], set_={"taken": locks.c.taken + 1})
    connection.execute(bump)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise Malformed("not a store", expected="sqlite:///FILE or postgresql://...", got=url.partition(":")[0])
    return parsed


def _keep_private(url: URL) -> None:
    """A new file is its owner's alone, and so are the journals SQLite puts beside it: it holds rows with numbers."""
    name = url.database or ":memory:"
    if name.startswith((":memory:", "file:")) or Path(name).exists():
        return
    with suppress(OSError):  # SQLite says itself why it cannot make a file
        Path(name).touch(mode=0o600)


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"busy_timeout = {BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("gsc_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
