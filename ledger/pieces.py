"""How do all cores share the work on one long table?"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def cut(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """The table in pieces of at most so many rows, each with one chunk a column."""
    for first in range(0, len(table), rows):
        yield table.slice(first, rows).combine_chunks()


def joined(pieces: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """The pieces one after the other, without copying; an empty table of the schema if they hold nothing."""
    filled = [piece for piece in pieces if len(piece)]
    return pa.concat_tables(filled) if filled else schema.empty_table()


def in_parallel(work: Callable[[_Given], _Made], pieces: Iterable[_Given]) -> list[_Made]:
    """What `work` makes of each piece, in their order; kernels run without the interpreter lock."""
    given = list(pieces)
    if len(given) < 2:
        return [work(piece) for piece in given]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, given))
