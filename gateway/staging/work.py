"""Which long work does the desk have going, how far is it, and how did it end? One thread each, a name once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ledger.errors import GscError, Unavailable

Answer = TypeVar("Answer")
Told = Callable[[int], None]
_KEPT = 200
"""Ends that are remembered."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Answer]):
    """Some work at a moment."""

    done: int
    total: int
    answer: Answer | None = None
    refusal: GscError | None = None

    @property
    def over(self) -> bool:
        return self.answer is not None or self.refusal is not None

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // max(self.total, 1))


class Bench(Generic[Answer]):
    """Work by its name; what ended is remembered until it begins again or the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[str, Work[Answer]] = {}

    def begin(self, name: str, total: int, do: Callable[[Told], Answer]) -> None:
        """Do it in a thread of its own, unless it is being done; `do` is given whom it tells how far it is."""
        with self._lock:
            known = self._works.get(name)
            if known is not None and not known.over:
                return
            self._works.pop(name, None)
            self._forget()
            self._works[name] = Work(0, total)
        threading.Thread(target=self._run, args=(name, do), name=f"desk {name[:20]}", daemon=True).start()

    def find(self, name: str) -> Work[Answer] | None:
        """How it stands, None if nobody began it."""
        with self._lock:
            return self._works.get(name)

    def forget(self, name: str) -> None:
        """Its end is of no use any more."""
        with self._lock:
            if name in self._works and self._works[name].over:
                del self._works[name]

    def _run(self, name: str, do: Callable[[Told], Answer]) -> None:
        def told(done: int) -> None:
            with self._lock:
                self._works[name] = replace(self._works[name], done=done)

        try:
            answer = do(told)
        except GscError as error:
            self._end(name, None, error)
        except BaseException as error:
            broken = Unavailable("the work broke off", got=f"{type(error).__name__}: {error}"[:300], todo="Try again.")
            self._end(name, None, broken)
            raise
        else:
            self._end(name, answer, None)

    def _end(self, name: str, answer: Answer | None, refusal: GscError | None) -> None:
        with self._lock:
            self._works[name] = replace(self._works[name], answer=answer, refusal=refusal)

    def _forget(self) -> None:
        ended = [name for name, work in self._works.items() if work.over]
        for name in ended[: max(0, len(self._works) - _KEPT)]:
            del self._works[name]
