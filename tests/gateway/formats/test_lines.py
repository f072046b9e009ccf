"""Is a file taken whole line by whole line, whatever its size, and can one line of it be shown?"""

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.fields import MAX_LINE_BYTES
from gateway.formats.lines import raw_line, whole_lines
from ledger.errors import Malformed, NotFound
from tests.gateway.formats.workbooks import workbook


@given(st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b"")), max_size=8))
def test_pieces_put_together_are_the_file_with_a_last_line_end(lines: list[bytes]) -> None:
    content = b"a,b,c\n" + b"\n".join(lines)
    for size in (7, 16, 1_000):
        pieces = list(whole_lines(io.BufferedReader(io.BytesIO(content)), size, pytest.fail))  # type: ignore[arg-type]
        assert all(piece.endswith(b"\n") for piece in pieces)
        assert b"".join(pieces) in (content, content + b"\n")


def test_a_line_that_does_not_end_is_told_once_and_dropped() -> None:
    long = b"x" * (3 * MAX_LINE_BYTES)
    told: list[int] = []
    content = b"one\n" + long + b"\ntwo\n" + long
    pieces = list(whole_lines(io.BufferedReader(io.BytesIO(content)), 10_000, lambda: told.append(1)))  # type: ignore[arg-type]
    assert (b"".join(pieces), len(told)) == (b"one\ntwo\n", 2)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_utf_16_is_refused(encoding: str) -> None:
    file = io.BufferedReader(io.BytesIO("a,b,c\n".encode(encoding)))  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="not in UTF-8 or ASCII"):
        list(whole_lines(file, 100, pytest.fail))


def test_the_raw_line_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"first\r\n\xffsecond\n" + b"x" * (2 * MAX_LINE_BYTES) + b"\nfourth")
    assert [raw_line(path, line) for line in (1, 2, 4)] == ["first", "�second", "fourth"]
    assert raw_line(path, 3) == "x" * MAX_LINE_BYTES
    packed = tmp_path / "Master.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert raw_line(packed, 4) == "fourth"
    for absent in (0, 5):
        with pytest.raises(NotFound, match="no such line"):
            raw_line(path, absent)


def test_a_workbook_has_no_lines_to_show(tmp_path: Path) -> None:
    path = tmp_path / "inventory.xlsx"
    path.write_bytes(workbook([["Circuit"]]))
    with pytest.raises(NotFound, match="no lines"):
        raw_line(path, 1)
