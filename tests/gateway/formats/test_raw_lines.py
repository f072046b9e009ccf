"""Are the lines that were left out shown as they stand in the file, in one pass, whatever else is in it?"""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.fields import MAX_LINE_BYTES
from gateway.formats.files import MAX_SHOWN_BYTES, raw_lines
from gateway.formats.layout import FileKind


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "calls.csv"
    path.write_bytes(content)
    return path


def test_foreign_bytes_nul_and_line_ends_are_made_plain(tmp_path: Path) -> None:
    path = _file(tmp_path, b"first\nse\xffc\0nd\r\nthird")
    assert list(raw_lines(path, FileKind.CSV, [1, 2, 3])) == ["first", "se�c�nd", "third"]


def test_a_line_asked_for_twice_is_shown_twice_and_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(raw_lines(_file(tmp_path, b"a\nb\n"), FileKind.CSV, [2, 2, 9])) == ["b", "b", ""]


def test_a_long_line_is_cut_and_counts_once(tmp_path: Path) -> None:
    path = _file(tmp_path, b"x" * (3 * MAX_LINE_BYTES) + b"\nsecond\n")
    assert list(raw_lines(path, FileKind.CSV, [1, 2])) == ["x" * MAX_SHOWN_BYTES, "second"]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    assert list(raw_lines(_file(tmp_path, gzip.compress(b"a\nb\n")), FileKind.CSV, [2])) == ["b"]


@pytest.mark.parametrize("kind", [FileKind.PARQUET, FileKind.XLSX])
def test_what_has_no_lines_shows_none(tmp_path: Path, kind: FileKind) -> None:
    assert list(raw_lines(_file(tmp_path, b"PK"), kind, [1, 2])) == ["", ""]


@given(st.lists(st.text("abc,", max_size=9), max_size=9), st.lists(st.integers(1, 12)))
@settings(deadline=None)
def test_any_lines_are_found(tmp_path_factory: pytest.TempPathFactory, lines: list[str], wanted: list[int]) -> None:
    path = _file(tmp_path_factory.mktemp("lines"), "".join(line + "\n" for line in lines).encode())
    found = list(raw_lines(path, FileKind.CSV, sorted(wanted)))
    assert found == [lines[line - 1] if line <= len(lines) else "" for line in sorted(wanted)]
