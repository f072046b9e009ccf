"""Do writes that come at the same moment share a commit, and does each hear only what is true of its own?"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from ledger.errors import Conflict
from ledger.store.engine import lock, reading, writing
from ledger.store.together import Together

WRITERS = 8


def take(name: str, connection: Connection) -> str:
    """A row of that name."""
    lock(connection, name)
    return name


def refuse(name: str, connection: Connection) -> str:
    """A row of that name, and then a refusal."""
    lock(connection, name)
    raise Conflict(name)


def taken(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(connection.execute(text("SELECT name FROM locks")).scalars())


def at_once(engine: Engine, works: list[Callable[[Connection], Any]]) -> list[Any]:
    """What each hears, an answer or an error: all of them wait while the turn is held, then they are let go."""
    together = Together()
    with ThreadPoolExecutor(len(works)) as pool:
        with together._turn:
            asked = [pool.submit(together.write, engine, work) for work in works]
            deadline = time.monotonic() + 30
            while len(together._waiting) < len(works) and time.monotonic() < deadline:
                os.sched_yield()
        return [each.exception(30) or each.result() for each in asked]


def test_a_refusal_is_its_own_writers_and_leaves_nothing(engine: Engine) -> None:
    told = at_once(engine, [partial(take, "a"), partial(refuse, "b"), partial(take, "c")])
    assert (told[0], told[2]) == ("a", "c")
    assert isinstance(told[1], Conflict)
    assert taken(engine) == {"a", "c"}


def test_an_error_of_the_store_is_its_own_writers(engine: Engine) -> None:
    def twice(connection: Connection) -> None:
        for _ in range(2):
            connection.execute(text("INSERT INTO locks (name, taken) VALUES ('d', 1)"))

    told = at_once(engine, [twice, partial(take, "e")])
    assert isinstance(told[0], IntegrityError)
    assert (told[1], taken(engine)) == ("e", {"e"})


def test_nobody_hears_an_answer_when_the_commit_fails(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Connection) -> None:
        raise OSError("no space left")

    event.listen(engine, "commit", broken)
    told = at_once(engine, [partial(take, name) for name in "fg"])
    assert [type(each) for each in told] == [OSError, OSError]
    assert taken(engine) == set()


def test_those_that_wait_share_one_commit(engine: Engine) -> None:
    commits: list[Connection] = []
    event.listen(engine, "commit", commits.append)
    names = [f"writer {number}" for number in range(WRITERS)]
    assert at_once(engine, [partial(take, name) for name in names]) == names
    assert (len(commits), taken(engine)) == (1, set(names))


def test_an_answer_is_heard_after_the_commit_that_holds_it(engine: Engine) -> None:
    """Whoever hears an answer finds the row, whatever else is written at the same time."""
    together = Together()

    def seen(name: str) -> bool:
        return together.write(engine, partial(take, name)) in taken(engine)

    with ThreadPoolExecutor(WRITERS) as pool:
        assert all(pool.map(seen, map(str, range(60))))


def test_an_answer_before_its_commit_would_show(engine: Engine) -> None:
    """Planted: what the work makes is told while its transaction is open."""
    with writing(engine) as connection:
        assert take("early", connection) not in taken(engine)
