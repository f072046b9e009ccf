"""What do the desk's tests share? One month of two carriers on one chain, reconciled and disputed, and its browsers."""

from collections.abc import Iterator

import pytest

from gateway.api.app import build_app
from tests.gateway.asking import Browser
from tests.gateway.documents.october import october
from tests.gateway.pair import Pair
from tests.scenarios.gateways import CN_T


@pytest.fixture(scope="session")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """CN-T and GB-B after October: tests read it, and add what does not touch the month."""
    with pytest.MonkeyPatch.context() as patched, october(tmp_path_factory.mktemp("october"), patched) as pair:
        yield pair


@pytest.fixture
def browser(reconciled: Pair) -> Browser:
    """Somebody on the machine of CN-T."""
    return Browser(build_app(reconciled[CN_T]))
