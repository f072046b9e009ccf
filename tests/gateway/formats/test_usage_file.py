"""Is plain usage read exactly, and every unreadable line set aside with its reason?"""

import io
from pathlib import Path

import pyarrow as pa
import pytest

from gateway.formats.usage_file import read_usage, write_rated
from ledger.errors import Malformed
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA
from reconciliation.files import read_records

HEADER = "a_party,b_party,start,quantity,route\n"


def read(tmp_path: Path, text: str) -> tuple[list[dict[str, object]], list[tuple[int, str]]]:
    path = tmp_path / "usage.csv"
    path.write_text(text, "utf-8")
    found = read_usage(path)
    assert found.table.schema == USAGE_SCHEMA
    return found.table.to_pylist(), [(row.line, row.reason) for row in found.quarantined]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("86,44x,2026-10-05T08:00:00Z,1,r", "b_party"),
        ("86,,2026-10-05T08:00:00Z,1,r", "b_party"),
        ("86,44,yesterday,1,r", "not a time"),
        ("86,44,2026-10-05T08:00:00Z,-1,r", "quantity"),
        ("86,44,2026-10-05T08:00:00Z,1_000,r", "quantity"),
        ("86,44,2026-10-05T08:00:00Z,١,r", "quantity"),
        ("86,44,2026-10-05T08:00:00Z,1", "cells"),
        ("86,44,2026-10-05T08:00:00Z,1,r,more", "cells"),
        ("86,44,2026-10-05T08:00:00Z,1," + "r" * 33, "route"),
        ("1" * 33 + ",44,2026-10-05T08:00:00Z,1,r", "a_party"),
    ],
)
def test_an_unreadable_line_is_set_aside_and_the_file_goes_on(tmp_path: Path, row: str, reason: str) -> None:
    good = "8613912345678,442079460123,2026-10-05T08:00:00.250+08:00,61000,gbb-out-1\n"

    records, quarantined = read(tmp_path, f"{HEADER}{row}\n{good}")

    assert [record["line"] for record in records] == [3]
    assert records[0]["start_ms"] == 1_791_158_400_250
    assert quarantined[0][0] == 2
    assert reason in quarantined[0][1]


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("")
    with pytest.raises(Malformed, match="is empty"):
        read_usage(path)


@pytest.mark.parametrize(("more", "words"), [("quantity", "a column twice: quantity"), ("start_ms", "the start twice")])
def test_a_column_that_another_one_contradicts_is_refused_by_name(tmp_path: Path, more: str, words: str) -> None:
    """Else the last of them would be charged."""
    path = tmp_path / "usage.csv"
    path.write_text(f"{HEADER.strip()},{more}\n86,44,2026-10-05T08:00:00Z,60000,r,1\n")
    with pytest.raises(Malformed, match=words):
        read_usage(path)


@pytest.mark.parametrize("header", ["a,b\n", "a_party,b_party,quantity\n", HEADER.replace("route", "colour")])
def test_a_file_with_other_columns_is_refused_by_name(tmp_path: Path, header: str) -> None:
    with pytest.raises(Malformed, match="columns"):
        read(tmp_path, header)


def test_a_withheld_caller_is_kept_as_withheld(tmp_path: Path) -> None:
    records, quarantined = read(tmp_path, HEADER + ",+442079460123,2026-10-05T08:00:00Z,1,\n")

    assert (records[0]["a_party"], records[0]["b_party"], quarantined) == ("", "442079460123", [])


def test_a_rated_table_is_written_one_record_a_line() -> None:
    row = {
        name: 1 if field.type == "int64" else "x" for name, field in zip(RATED_SCHEMA.names, RATED_SCHEMA, strict=True)
    }
    stream = io.StringIO()

    write_rated(RATED_SCHEMA.empty_table(), stream)

    assert stream.getvalue().strip().split(",") == list(row)


def test_no_text_that_is_written_runs_in_a_spreadsheet_and_all_of_it_is_read_back(tmp_path: Path) -> None:
    formula = "=HYPERLINK(1)"
    values = {name: [1] for name in RATED_SCHEMA.names} | {
        "a_party": ["+44"],
        "b_party": ["442079460000"],
        "start_ms": [1_791_158_400_250],
        "route": [formula],
        "destination": ["@SUM"],
        "code": ["44"],
    }
    out = io.StringIO()
    write_rated(pa.Table.from_pydict(values, schema=RATED_SCHEMA), out)
    cells = out.getvalue().splitlines()[1].split(",")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    path = tmp_path / "ours.csv"
    path.write_text(out.getvalue())
    (record,) = read_records(path).table.to_pylist()
    assert (record["route"], record["destination"], record["a_party"]) == (formula, "@SUM", "44")
