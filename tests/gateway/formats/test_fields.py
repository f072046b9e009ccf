"""Do the kernels that take eight characters at a time read what one character at a time would say?"""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats import fields

STAMP = "2026-10-01T13:05:59"
_STRICT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

plain = st.text(st.characters(codec="utf-8", exclude_characters='\n\r",', exclude_categories=["Cc", "Cs"]), max_size=30)
lines = st.lists(st.tuples(plain, plain | plain.map(lambda text: f'"{text},"'), plain), min_size=1, max_size=8)


def _split(text: bytes, columns: int, delimiter: str = ",") -> tuple[list[list[bytes]], list[int], list[int]]:
    """Fields, what became of each line, and its mark."""
    rows = text.count(b"\n")
    begins, ends = np.zeros((rows, columns), np.int32), np.zeros((rows, columns), np.int32)
    status, column, marks = np.zeros(rows, np.int8), np.zeros(rows, np.int32), np.zeros(rows, np.uint64)
    slots, whole = np.arange(columns, dtype=np.int32), np.frombuffer(text, np.uint8)
    taken = fields.split_lines(whole, len(text), ord(delimiter), slots, True, begins, ends, status, column, marks)
    assert taken == len(text)
    found = [fields.gather(whole, begins[:, slot], ends[:, slot]).to_pylist() for slot in range(columns)]
    return [list(row) for row in zip(*found, strict=True)], status.tolist(), marks.tolist()


def _times(texts: list[str]) -> list[int | None]:
    out, kind = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int8)
    fields.read_times(
        *fields.buffers_of(pa.array([text.encode() for text in texts], pa.binary())), False, True, out, kind
    )
    return [None if each == fields.NO_TIME else value for value, each in zip(out.tolist(), kind.tolist(), strict=True)]


def _time(text: str) -> int | None:
    """The same by a pattern and the standard library; second 60 is the next one."""
    found = _STRICT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    if second > 60 or year < 1970:
        return None
    return (moment + timedelta(seconds=second == 60) - _EPOCH) // timedelta(milliseconds=1)


@given(lines)
@settings(max_examples=150, deadline=None)
def test_fields_are_found_wherever_they_stand_and_gathered_whole(rows: list[tuple[str, ...]]) -> None:
    text = "".join(",".join(row) + "\n" for row in rows).encode()
    found, status, _ = _split(text, 3)
    assert status == [fields.OK] * len(rows)
    assert found == [[cell.strip('"').encode() if cell[:1] == '"' else cell.encode() for cell in row] for row in rows]


@given(st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"")), min_size=2, max_size=8))
@settings(max_examples=100, deadline=None)
def test_lines_have_one_mark_when_they_are_equal_and_only_then(rows: list[bytes]) -> None:
    _, _, marks = _split(b"".join(row + b"\n" for row in rows), 1)
    assert [[a == b for b in marks] for a in marks] == [[a == b for b in rows] for a in rows]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_any_delimiter_ends_a_field_and_a_tab_stays_in_it(delimiter: str) -> None:
    text = delimiter.join(["a long field indeed", "x" * 8, "y" * 7]) + "\n"
    assert _split(text.encode(), 3, delimiter)[:2] == ([[b"a long field indeed", b"x" * 8, b"y" * 7]], [fields.OK])
    assert _split(b"with\ta tab,b,c\n", 3)[:2] == ([[b"with\ta tab", b"b", b"c"]], [fields.OK])


@pytest.mark.parametrize("at", range(18))
def test_a_control_character_is_seen_wherever_it_stands(at: int) -> None:
    text = bytearray(b"0123456789abcdefgh,b\n")
    text[at] = 1
    assert _split(bytes(text), 2)[1] == [fields.CONTROL]


@given(st.integers(0, 18), st.characters(min_codepoint=32, max_codepoint=126))
@settings(max_examples=400, deadline=None)
def test_a_time_with_one_character_changed_is_read_as_strictly_as_by_a_pattern(at: int, character: str) -> None:
    text = STAMP[:at] + character + STAMP[at + 1 :]
    assert _times([text, STAMP]) == [_time(text), _time(STAMP)]


@given(st.lists(st.integers(0, 253_402_300_799)))
@settings(max_examples=60, deadline=None)
def test_every_second_from_1970_to_9999_is_read(seconds: list[int]) -> None:
    texts = [f"{_EPOCH + timedelta(seconds=each):%Y-%m-%dT%H:%M:%S}" for each in seconds]
    assert _times(texts) == [each * 1000 for each in seconds]


def test_a_planted_fault_shows_marks_between_the_digits_that_are_not_looked_at() -> None:
    """A comma and a dash differ by one bit: digits alone, turned from dashes, would let it pass."""
    assert _times(["2026,10-01T13:05:59"]) == [None]
    assert chr(ord(",") ^ ord("-") ^ ord("0")) == "1"
