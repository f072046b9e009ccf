"""Do the migrations make exactly the tables that the code means?"""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from ledger.store import migrate
from ledger.store.engine import engine_of, open_store, reading, writing
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.migrate import current_version, latest_version
from ledger.store.tables import metadata
from tests.ledger.store.postgres import create_database, drop_database


def test_an_empty_store_is_migrated_when_it_is_opened_and_again_changes_nothing(url: str) -> None:
    for _ in range(2):
        engine = open_store(url)
        with reading(engine) as connection:
            assert current_version(connection) == latest_version() is not None
        engine.dispose()


def test_alembic_finds_no_difference_between_migrations_and_tables(engine: Engine) -> None:
    with writing(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_schema_of_the_migrations_is_the_schema_of_the_tables_in_sqlite(tmp_path: Path) -> None:
    migrated = open_store(f"sqlite:///{tmp_path / 'migrated.db'}")
    created = engine_of(f"sqlite:///{tmp_path / 'created.db'}")
    with writing(created) as connection:
        metadata.create_all(connection)
    assert _schema(migrated) == _schema(created)
    migrated.dispose()
    created.dispose()


@pytest.mark.postgres
def test_the_schema_of_the_migrations_is_the_schema_of_the_tables_in_postgresql(postgres: str) -> None:
    migrated = open_store(create_database(postgres, "migrated"))
    created = engine_of(create_database(postgres, "created"))
    with writing(created) as connection:
        metadata.create_all(connection)
    assert _schema(migrated) == _schema(created)
    for engine, name in ((migrated, "migrated"), (created, "created")):
        engine.dispose()
        drop_database(postgres, name)


def test_a_table_that_no_migration_makes_is_noticed(tmp_path: Path) -> None:
    """The planted fault: a table dropped behind the migrations' back."""
    engine = open_store(f"sqlite:///{tmp_path / 'gsc.db'}")
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE findings"))
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert [difference[0] for difference in found] == ["add_table"]


def test_every_event_of_the_contracts_has_its_table(engine: Engine) -> None:
    names = set(inspect(engine).get_table_names())
    assert len(EVENT_TABLES) >= 30
    assert {table.name for table in EVENT_TABLES.values()} <= names


def test_an_alarm_over_an_amount_that_fits_by_now_goes_with_the_migration(tmp_path: Path) -> None:
    """The chain is read again from its first block, into tables that hold every amount."""
    engine = engine_of(f"sqlite:///{tmp_path / 'gsc.db'}")
    with writing(engine) as connection:
        config = migrate._config(connection)
        command.upgrade(config, "0002")
        connection.execute(text("INSERT INTO chain_blocks VALUES (1, zeroblob(32), 1)"))
        connection.execute(text("INSERT INTO chain_logs VALUES (1, 0, zeroblob(32), 'x', '', x'', x'')"))
        connection.execute(text("INSERT INTO alarms VALUES (1, 0, 'every log is readable', NULL, 'too large')"))
    with writing(engine) as connection:
        migrate.upgrade(connection)
        rows = [
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in ("alarms", "chain_logs")
        ]
        kind = connection.execute(
            text("SELECT type FROM pragma_table_info('position_netted') WHERE name = 'position_micros'")
        ).scalar_one()
    engine.dispose()
    assert (rows, kind) == ([0, 0], "TEXT")


def _schema(engine: Engine) -> dict[str, object]:
    seen = inspect(engine)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(name)],
            seen.get_pk_constraint(name),
            sorted(map(str, seen.get_foreign_keys(name))),
            sorted(map(str, seen.get_unique_constraints(name))),
            sorted(_index(index) for index in seen.get_indexes(name)),
            sorted(map(str, seen.get_check_constraints(name))),
        )
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def _index(index: Any) -> str:
    where = [str(clause) for clause in index.get("dialect_options", {}).values()]
    return f"{index['name']} {index['column_names']} {index['unique']} {where}"
