"""Is the store opened so that what is committed stays, and what two writers do adds up?"""

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from ledger.errors import Malformed, Unavailable
from ledger.store.columns import ColumnUnfit
from ledger.store.engine import engine_of, lock, open_store, reading, writing
from ledger.store.tables import locks, metadata, quarantined_rows, sending_keys

WRITERS, TIMES = 4, 25


def test_another_database_is_refused() -> None:
    for url in ("mysql://host/gsc", "gsc.db", "oracle://x"):
        with pytest.raises(Malformed):
            engine_of(url)


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{tmp_path}/no/such/folder/gsc.db")


def test_sqlite_is_durable_and_strict(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'gsc.db'}")
    with writing(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
        }
        keys = connection.execute(text("PRAGMA foreign_keys")).scalar()
        loose = connection.execute(
            text("SELECT name FROM pragma_table_list WHERE NOT strict AND type = 'table'")
        ).scalars()
        assert set(loose) <= {"alembic_version", "sqlite_schema", "sqlite_temp_schema"}
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    assert keys == 1


def test_only_its_owner_can_read_the_store_and_its_journals(tmp_path: Path) -> None:
    """Quarantined rows are raw CDRs: whoever else works on this machine has no business with them."""
    engine = open_store(f"sqlite:///{tmp_path / 'gsc.db'}")
    with writing(engine) as connection:
        lock(connection, "a row")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    engine.dispose()

    assert modes == {"gsc.db": 0o600, "gsc.db-wal": 0o600, "gsc.db-shm": 0o600}


def test_text_in_an_integer_column_is_refused_by_sqlite_itself(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'gsc.db'}")
    with pytest.raises(IntegrityError, match="cannot store TEXT"), writing(engine) as connection:
        connection.execute(text("INSERT INTO locks (name, taken) VALUES ('x', 'many')"))
    engine.dispose()


def test_a_row_without_its_parent_is_refused(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(quarantined_rows.insert().values(import_id=7, line=1, reason="r", raw=""))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**127, True, "1", 1.5])
def test_an_amount_beyond_64_bits_is_refused_and_nothing_is_written(engine: Engine, value: object) -> None:
    with pytest.raises(ColumnUnfit), writing(engine) as connection:
        lock(connection, "before")
        connection.execute(locks.insert().values(name="after", taken=value))
    with reading(engine) as connection:
        assert connection.execute(select(locks)).all() == []


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 0])
def test_an_amount_of_64_bits_comes_back_as_it_was(engine: Engine, value: int) -> None:
    with writing(engine) as connection:
        connection.execute(locks.insert().values(name="x", taken=value))
        assert connection.execute(select(locks.c.taken)).scalar_one() == value


def test_an_error_rolls_everything_back(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        lock(connection, "x")
        raise ZeroDivisionError
    with reading(engine) as connection:
        assert connection.execute(select(locks)).all() == []


def test_read_then_write_of_many_writers_loses_nothing(engine: Engine) -> None:
    """What breaches a credit limit under default isolation: each reads, adds one, writes."""
    with writing(engine) as connection:
        connection.execute(sending_keys.insert().values(sender="k", next_nonce=0, lease_until_ms=0))
    _in_threads(lambda: _count_up(engine, locked=True))
    with reading(engine) as connection:
        assert connection.execute(select(sending_keys.c.next_nonce)).scalar_one() == WRITERS * TIMES


def test_the_same_without_begin_immediate_or_lock_fails(engine: Engine) -> None:
    """The planted fault: a writer that begins like a reader, and takes no lock."""
    with writing(engine) as connection:
        connection.execute(sending_keys.insert().values(sender="k", next_nonce=0, lease_until_ms=0))
    refused = _in_threads(lambda: _count_up(engine, locked=False))
    with reading(engine) as connection:
        counted = connection.execute(select(sending_keys.c.next_nonce)).scalar_one()
    assert refused or counted < WRITERS * TIMES


def test_a_reader_sees_one_moment_and_holds_no_writer_up(engine: Engine) -> None:
    with writing(engine) as connection:
        lock(connection, "x")
    with reading(engine) as before:
        assert before.execute(select(locks.c.taken)).scalar_one() == 1
        with writing(engine) as connection:
            lock(connection, "x")
        assert before.execute(select(locks.c.taken)).scalar_one() == 1
    with reading(engine) as after:
        assert after.execute(select(locks.c.taken)).scalar_one() == 2


def test_every_table_has_a_primary_key_and_no_float() -> None:
    for table in metadata.tables.values():
        assert list(table.primary_key), table.name
        assert not [c.name for c in table.columns if "FLOAT" in str(c.type) or "REAL" in str(c.type)]


def _count_up(engine: Engine, *, locked: bool) -> None:
    for _ in range(TIMES):
        with engine.connect().execution_options(gsc_reads=not locked) as connection, connection.begin():
            if locked:
                lock(connection, "count")
            seen = connection.execute(select(sending_keys.c.next_nonce)).scalar_one()
            connection.execute(update(sending_keys).values(next_nonce=seen + 1))


def _in_threads(work: object) -> int:
    """Run the work in all writers at once; how many were refused by the database."""
    refused = []

    def guarded() -> None:
        try:
            work()  # type: ignore[operator]
        except OperationalError as error:
            refused.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(refused)
