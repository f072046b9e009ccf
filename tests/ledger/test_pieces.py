"""Is a table in pieces the table it was, and do the kernels get what stands in a column, whatever slice it is?"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pieces import cut, file_options, joined, number_part, text_parts
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA
from tests.ledger.records import rated


def _texts(column: pa.Array) -> list[bytes]:
    begins, text = text_parts(column)
    return [text[begins[row] : begins[row + 1]].tobytes() for row in range(len(begins) - 1)]


@given(st.lists(st.text(max_size=12)), st.integers(0, 5), st.integers(0, 5))
@settings(deadline=None)
def test_the_texts_of_any_slice_are_its_own(texts: list[str], begin: int, length: int) -> None:
    column = pa.array(texts, pa.string()).slice(min(begin, len(texts)), length)
    assert _texts(column) == [text.encode() for text in texts[begin : begin + length]]


def test_what_the_kernels_get_cannot_be_written_wherever_it_comes_from() -> None:
    owned = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(np.array([65], np.uint8))]
    )
    for column in (owned, pa.array(["A"]), pa.array([], pa.string())):
        assert not any(part.flags.writeable for part in text_parts(column))
    for numbers in (pa.array(np.arange(3)), pa.chunked_array([[1], [2]]), pa.array([1])):
        assert not number_part(numbers).flags.writeable


@given(st.integers(0, 40), st.integers(1, 50))
@settings(deadline=None)
def test_a_table_cut_and_joined_is_the_table(count: int, rows: int) -> None:
    table = rated(count)
    pieces = list(cut(table, rows))
    assert joined(pieces, RATED_SCHEMA) == table
    assert all(0 < len(piece) <= rows for piece in pieces)


def test_nothing_joined_is_an_empty_table_of_the_schema() -> None:
    assert joined([USAGE_SCHEMA.empty_table()], USAGE_SCHEMA) == USAGE_SCHEMA.empty_table()


@pytest.mark.parametrize("schema", [USAGE_SCHEMA, RATED_SCHEMA], ids=["usage", "rated"])
def test_what_is_kept_is_read_back_alike(tmp_path: Path, schema: pa.Schema) -> None:
    table = rated(1_000).select(schema.names)
    pq.write_table(table, tmp_path / "kept.parquet", **file_options(schema))
    pq.write_table(table, tmp_path / "default.parquet", compression="zstd")
    assert pq.read_table(tmp_path / "kept.parquet") == table
    kept, default = ((tmp_path / name).stat().st_size for name in ("kept.parquet", "default.parquet"))
    assert kept < default
