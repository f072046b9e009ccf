"""What do the gateway's tests share?"""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def high_recursion_limit() -> Iterator[None]:
    """Python as some libraries leave it when they are imported: a recursion limit that the stack does not bear."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)
