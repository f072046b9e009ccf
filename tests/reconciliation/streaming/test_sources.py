"""Are records read alike from wherever they come, and refused with the reason?"""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.errors import Malformed
from ledger.usage import RATED_SCHEMA
from reconciliation.reconcile import reconcile
from reconciliation.streaming import sources as module
from reconciliation.streaming.sources import NAMES, Source, file_source, table_source, taken
from tests.reconciliation.records import MONTH_END_MS, NOON_MS, agreement, many, scope, table

CALLS = many(50)
YEARS_S = 40 * 365 * 86_400


def read(source: Source) -> pa.Table:
    pieces = [table for piece in source.pieces for _, table in source.read(piece, RATED_SCHEMA.names)]
    return pa.concat_tables([each.cast(RATED_SCHEMA) for each in pieces])


@pytest.mark.parametrize("most_rows", [1 << 21, 10])
def test_files_are_read_in_order_whatever_their_row_groups(
    tmp_path: Path, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", most_rows)
    monkeypatch.setattr(module, "PIECE_ROWS", 7)
    paths = [tmp_path / f"{at}.parquet" for at in range(2)]
    pq.write_table(table(CALLS[:20]), paths[0], row_group_size=13)
    pq.write_table(table(CALLS[20:]), paths[1], row_group_size=30)
    source = file_source(paths)
    assert source.rows == 50
    assert read(source).drop_columns("line").equals(table(CALLS).drop_columns("line"))
    some = np.array([0, 12, 13, 19, 20, 49])
    assert taken(source, some, ("a_party",))["a_party"].to_pylist() == [CALLS[at].a for at in some.tolist()]


def test_texts_may_be_dictionaries_or_large() -> None:
    plain = table(CALLS)
    large = plain.set_column(1, "a_party", plain["a_party"].cast(pa.large_string()))
    coded = large.set_column(5, "route", plain["route"].dictionary_encode())
    assert read(table_source(coded)).equals(plain)


def test_names_come_as_places_in_a_dictionary() -> None:
    source = table_source(table(CALLS))
    (_, found) = next(source.read(source.pieces[0], NAMES))
    assert {field.type for field in found.schema} == {pa.dictionary(pa.int32(), pa.string())}


def test_bounds_come_from_the_files_own_statistics(tmp_path: Path) -> None:
    pq.write_table(table(CALLS), tmp_path / "with.parquet", row_group_size=9)
    pq.write_table(table(CALLS), tmp_path / "without.parquet", write_statistics=False)
    starts = table(CALLS)["start_ms"].to_pylist()
    assert file_source([tmp_path / "with.parquet"]).bounds("start_ms") == (min(starts), max(starts))
    assert file_source([tmp_path / "without.parquet"]).bounds("start_ms") is None
    assert file_source([]).bounds("start_ms") is None


def test_a_column_of_another_type_is_refused() -> None:
    odd = table(CALLS).set_column(4, "quantity", pa.array(["long"] * 50))
    source = table_source(odd)
    with pytest.raises(Malformed, match="not of its type"):
        next(source.read(source.pieces[0], ("quantity",)))


def test_records_of_absurd_dates_are_counted_on_their_days() -> None:
    """A month and a record forty years later: days are counted apart, none is lost."""
    calls = [*CALLS, CALLS[0].but(at=YEARS_S)]
    answer = reconcile(table(calls), table(CALLS), scope=scope(), agreement=agreement())
    assert answer.totals.ours_count == 51
    (late,) = [key for key in answer.totals.keys if key.day > date(2030, 1, 1)]
    assert (late.ours_count, late.theirs_count) == (1, 0)
    assert NOON_MS + YEARS_S * 1000 > MONTH_END_MS
