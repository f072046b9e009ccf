"""How do all cores share one long work?"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


def in_order(work: Callable[[_Given], _Made], pieces: Iterable[_Given]) -> Iterator[_Made]:
    """Likewise for more pieces than memory holds: as many as there are cores are worked on while one is used."""
    at_once = os.cpu_count() or 1
    with ThreadPoolExecutor(at_once) as pool:
        coming: deque[Future[_Made]] = deque()
        for piece in pieces:
            coming.append(pool.submit(work, piece))
            if len(coming) > at_once:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def ahead(pieces: Iterator[_Made]) -> Iterator[_Made]:
    """The same pieces, each made while the one before is used; one more of them is held."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = maker.submit(next, pieces, None)
            yield piece
