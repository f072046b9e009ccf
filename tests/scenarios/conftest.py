"""What do the scenarios share? One simulated month, read once."""

import pytest

from tests.scenarios.books import Books, open_books

SEED, CALLS = 20261001, 12_000


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    return open_books(SEED, CALLS, tmp_path_factory.mktemp("month"))
