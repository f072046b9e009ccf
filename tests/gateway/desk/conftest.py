"""What do the desk's tests share? One pair of served gateways, disputable and reconciled, started once."""

from collections.abc import Iterator

import pytest

from tests.gateway.disputed import Served, served_pair


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_pair(tmp_path_factory.mktemp("served")) as pair:
        yield pair
