"""Does a table leave whole and exact, in every format, and does no cell of it run?"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from gateway.documents import tables, workbook
from gateway.documents.tables import MONEY, TableFormat, export, money_column, rows_table, table_format
from ledger.cells import plain_cell, safe_cell
from ledger.errors import Malformed

SCHEMA = pa.schema({"name": pa.string(), "amount": MONEY, "count": pa.int64(), "at": pa.timestamp("ms", "UTC")})
ROWS = [
    ("=HYPERLINK(1)", -1_204_100_000, 2**60, datetime(2026, 10, 1, tzinfo=UTC)),
    ('GB-B, "ltd"\n中国', 5, 7, None),
    (None, 123_456_789_012_345_678, 0, None),
]


def whole(rows: tables.Rows, format_: TableFormat) -> bytes:
    return b"".join(export(rows, format_))


def csv_of(rows: tables.Rows) -> list[list[str]]:
    return list(csv.reader(io.StringIO(whole(rows, TableFormat.CSV).decode(), newline="")))


def sheet_of(rows: tables.Rows, at: int = 0) -> list[list[object]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(whole(rows, TableFormat.XLSX)))
    return book.get_sheet_by_index(at).to_python()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "'=1", "''@"])
def test_no_text_is_a_formula_in_csv_and_each_comes_back(text: str) -> None:
    [_, [cell]] = csv_of(rows_table(pa.schema({"a": pa.string()}), [(text,)]))

    assert cell == safe_cell(text) == f"'{text}"
    assert plain_cell(cell) == text


def test_a_heading_that_a_spreadsheet_would_run_is_defused_too() -> None:
    assert csv_of(rows_table(pa.schema({"=a": pa.int64()}), [(1,)]))[0] == ["'=a"]


def test_money_and_large_integers_are_exact_in_every_format() -> None:
    table = rows_table(SCHEMA, ROWS)
    sheet = sheet_of(table)

    assert csv_of(table)[1:] == [
        ["'=HYPERLINK(1)", "-1204.100000", str(2**60), "2026-10-01T00:00:00Z"],
        ['GB-B, "ltd"\n中国', "0.000005", "7", ""],
        ["", "123456789012.345678", "0", ""],
    ]
    assert [row["amount"] for row in json.loads(whole(table, TableFormat.JSON))] == [
        "-1204.100000",
        "0.000005",
        "123456789012.345678",
    ]
    assert json.loads(whole(table, TableFormat.JSON))[0]["count"] == str(2**60)
    assert sheet[1] == ["=HYPERLINK(1)", -1204.1, str(2**60), "2026-10-01T00:00:00Z"]
    assert sheet[3][1] == "123456789012.345678", "a double would change it, so it is text"
    assert parquet.read_table(pa.BufferReader(whole(table, TableFormat.PARQUET))).equals(table)


@pytest.mark.parametrize("format_", TableFormat)
def test_the_same_rows_give_the_same_bytes_and_an_empty_table_is_one(format_: TableFormat) -> None:
    table = rows_table(SCHEMA, ROWS)

    assert whole(table, format_) == whole(table, format_)
    assert whole(SCHEMA.empty_table(), format_)


def test_an_empty_table_has_its_headings() -> None:
    assert csv_of(SCHEMA.empty_table()) == [SCHEMA.names]
    assert sheet_of(SCHEMA.empty_table()) == [SCHEMA.names]
    assert json.loads(whole(SCHEMA.empty_table(), TableFormat.JSON)) == []


def test_a_full_sheet_is_followed_by_another_with_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS_OF_A_SHEET", 2)
    table = rows_table(pa.schema({"n": pa.int64()}), [(at,) for at in range(4)])

    assert [sheet_of(table, 0), sheet_of(table, 1)] == [[["n"], [0], [1]], [["n"], [2], [3]]]
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(whole(table, TableFormat.XLSX))).sheet_names) == 2


def test_a_text_too_long_for_a_cell_says_that_it_was_cut() -> None:
    sheet = sheet_of(rows_table(pa.schema({"a": pa.string()}), [("x" * 40_000,)]))

    assert len(str(sheet[1][0])) == workbook.MAX_TEXT
    assert str(sheet[1][0]).endswith("… (cut)")


def test_a_reader_is_exported_batch_by_batch_as_it_comes() -> None:
    taken: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for at in range(3):
            taken.append(at)
            yield pa.record_batch({"n": [at]})

    stream = export(pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches()), TableFormat.CSV)

    assert [next(stream), next(stream)] == [b'"n"\n', b"0\n"]
    assert len(taken) < 3
    assert b"".join(stream) == b"1\n2\n"


@pytest.mark.parametrize("format_", [TableFormat.CSV, TableFormat.JSON])
def test_bytes_days_lists_and_words_of_a_dictionary_are_readable(format_: TableFormat) -> None:
    table = pa.table(
        {
            "id": pa.array([b"\x01\xff"], pa.binary()),
            "day": pa.array([date(2026, 10, 1)]),
            "legs": pa.array([["a", "b"]]),
            "route": pa.array(["=x"]).dictionary_encode(),
            "ok": pa.array([True]),
        }
    )

    if format_ is TableFormat.CSV:
        assert csv_of(table)[1] == ["0x01ff", "2026-10-01", "a; b", "'=x", "true"]
    else:
        [row] = json.loads(whole(table, format_))
        assert row == {"id": "0x01ff", "day": "2026-10-01", "legs": "a; b", "route": "=x", "ok": True}


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Malformed, match="csv, xlsx, parquet, json"):
        table_format("pdf")


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_micros_become_money_without_a_change(micros: list[int | None]) -> None:
    column = money_column(pa.chunked_array([pa.array(micros, pa.int64())]))

    assert column.to_pylist() == [None if each is None else Decimal(each).scaleb(-6) for each in micros]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.integers(-(10**18), 10**18)), min_size=1, max_size=20))
def test_whatever_the_texts_csv_gives_them_back(rows: list[tuple[str, int]]) -> None:
    table = rows_table(pa.schema({"text": pa.string(), "amount": MONEY}), rows)

    for [text, amount], (before, micros) in zip(csv_of(table)[1:], rows, strict=True):
        assert plain_cell(text) == before
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert Decimal(amount).scaleb(6) == micros
