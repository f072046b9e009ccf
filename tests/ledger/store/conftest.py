"""Which databases do the store's tests run on? SQLite and PostgreSQL, a fresh store for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.store.engine import open_store
from tests.ledger.store.postgres import create_database, empty_database, running_postgres
from tests.ledger.store.sqlite import fresh_sqlite


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server with a migrated database `gsc`; its URL with {database} left open."""
    with running_postgres() as url:
        open_store(create_database(url, "gsc")).dispose()
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store can be opened; on PostgreSQL it is migrated already."""
    if request.param == "sqlite":
        yield fresh_sqlite(tmp_path)
        return
    server: str = request.getfixturevalue("postgres")
    url = server.format(database="gsc")
    empty_database(url)
    yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An open, empty store."""
    opened = open_store(url)
    yield opened
    opened.dispose()
