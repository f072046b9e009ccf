"""How do writes that come at the same moment share one commit, and so one sync of the disk?

Whoever has the turn writes for all that wait; the others find theirs written. Nobody hears an answer before the commit
that holds its write.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from ledger.store.engine import writing

_Made = TypeVar("_Made")


class _Write(NamedTuple):
    work: Callable[[Connection], Any]
    committed: "Future[Any]"


class Together:
    """Small writes of one process into one store."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._waiting: deque[_Write] = deque()

    def write(self, engine: Engine, work: Callable[[Connection], _Made]) -> _Made:
        """What `work` makes, once that is committed. Raises what it raises: then nothing of it stays.

        It does nothing but read and write through its connection, for it may run twice: if one of those that share a
        commit is refused, each is written by itself and hears its own refusal.
        """
        mine = _Write(work, Future())
        self._waiting.append(mine)
        with self._turn, suppress(Exception):
            if not mine.committed.done():
                self._commit_all(engine)
        if mine.committed.done():
            made: _Made = mine.committed.result()
            return made
        with writing(engine) as connection:
            return work(connection)

    def _commit_all(self, engine: Engine) -> None:
        writes = [self._waiting.popleft() for _ in range(len(self._waiting))]
        with writing(engine) as connection:
            made = [each.work(connection) for each in writes]
        for each, answer in zip(writes, made, strict=True):
            each.committed.set_result(answer)
