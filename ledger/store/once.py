"""What if one view of the store is asked the same twice? The first answer: nothing in a view changes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

KNOWN = "gsc_known"
"""The execution option under which `reading` (engine.py) keeps a view's answers; a writer's connection has none."""
_Row = TypeVar("_Row")
_Given = ParamSpec("_Given")


def once_a_view(
    ask: Callable[Concatenate[Connection, _Given], list[_Row]],
) -> Callable[Concatenate[Connection, _Given], list[_Row]]:
    """Remember the rows for as long as the view lasts; each caller gets a list of its own."""

    @wraps(ask)
    def remembered(connection: Connection, /, *args: _Given.args, **kwargs: _Given.kwargs) -> list[_Row]:
        known: dict[Any, list[_Row]] | None = connection.get_execution_options().get(KNOWN)
        if known is None:
            return ask(connection, *args, **kwargs)
        asked = ask, args, tuple(sorted(kwargs.items()))
        if asked not in known:
            known[asked] = ask(connection, *args, **kwargs)
        return list(known[asked])

    return remembered
