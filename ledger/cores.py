"""How do all cores share one long work?"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def in_parallel(work: Callable[[_Given], _Made], pieces: Iterable[_Given]) -> list[_Made]:
    """What `work` makes of each piece, in their order; kernels run without the interpreter lock."""
    given = list(pieces)
    if len(given) < 2:
        return [work(piece) for piece in given]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, given))


def ahead(pieces: Iterator[_Made]) -> Iterator[_Made]:
    """The same pieces, each made while the one before is used; one more of them is held."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = maker.submit(next, pieces, None)
            yield piece
