"""Which chain do the contract tests run on? On each engine: one chain for the session, put back after every test."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from deploy.local_chain import Engine, LocalChain
from tests.contracts.books import SEPTEMBER, Books, deploy_books
from tests.contracts.month import with_agreements
from tests.contracts.planting import PLANTED

if TYPE_CHECKING:
    from tests.contracts.memory_chain import MemoryChain


@pytest.fixture(scope="session", params=list(Engine), ids=str)
def engine(request: pytest.FixtureRequest) -> Engine:
    """ganache, then anvil."""
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="session")
def chain(engine: Engine, pytestconfig: pytest.Config) -> "Iterator[LocalChain | MemoryChain]":
    """A chain that believes it is September 2026; one in memory for planted faults."""
    if PLANTED in pytestconfig.stash:
        from tests.contracts.memory_chain import MemoryChain

        yield MemoryChain(SEPTEMBER)
        return
    with LocalChain(engine, start_at=SEPTEMBER) as running:
        yield running


@pytest.fixture(scope="session")
def agreed(chain: "LocalChain | MemoryChain", pytestconfig: pytest.Config) -> Books:
    """It is November: three agreements signed in September and a credit line for each of their directions."""
    books = deploy_books(chain, pytestconfig.stash.get(PLANTED, {}))
    with_agreements(books)
    return books


@pytest.fixture
def books(agreed: Books) -> Iterator[Books]:
    """The carriers on 1 November, October not declared yet; everything a test does is undone."""
    before = agreed.chain.snapshot()
    yield agreed
    agreed.chain.revert(before)
