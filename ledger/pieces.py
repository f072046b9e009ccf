"""How is a long table taken in pieces, and put together again?"""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def cut(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """The table in pieces of at most so many rows, each with one chunk a column."""
    for first in range(0, len(table), rows):
        yield table.slice(first, rows).combine_chunks()


def joined(pieces: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """The pieces one after the other, without copying; an empty table of the schema if they hold nothing."""
    filled = [piece for piece in pieces if len(piece)]
    return pa.concat_tables(filled) if filled else schema.empty_table()
