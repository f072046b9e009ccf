"""Where does each field of each line begin and end, and what do its digits say? The numba kernels of reading.

A row is a line: no switch writes a line break inside a field, and so an unclosed quote spoils one row and not the file.
"""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.kernel import are_digits, eight_digits, first_bit, kernel, put_word, word_at
from ledger.pieces import text_parts

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Codes = NDArray[np.int8]
Whole: TypeAlias = int | np.int64

MAX_LINE_BYTES = 65_536
MAX_FIELD_BYTES = 4_096

OK, EMPTY, TOO_FEW, TOO_MANY, UNCLOSED, AFTER_QUOTE, CONTROL, LONE_CR, LONG_FIELD, LONG_LINE = range(10)
"""What became of a line."""

PROBLEMS = {
    TOO_FEW: "too few columns",
    TOO_MANY: "too many columns",
    UNCLOSED: "unclosed quote",
    AFTER_QUOTE: "text after a closing quote",
    CONTROL: "control character",
    LONE_CR: "carriage return inside a line",
    LONG_FIELD: f"field longer than {MAX_FIELD_BYTES} bytes",
    LONG_LINE: f"line longer than {MAX_LINE_BYTES} bytes",
}

_LF, _CR, _TAB, _QUOTE = 10, 13, 9, 34
_EACH, _BLANKS, _HIGHEST = np.uint64(0x0101010101010101), np.uint64(0x2020202020202020), np.uint64(0x8080808080808080)


@kernel
def count_lines(text: Bytes) -> Whole:
    """How many lines end in it."""
    count = np.int64(0)
    for at in range(len(text)):
        count += text[at] == _LF
    return count


@kernel
def _plain_until(text: Bytes, at: Whole, size: int, delimiters: np.uint64) -> Whole:
    """The first place from `at` on that may end a field: a delimiter, a control character, or the last seven bytes.

    Eight bytes at a time: of those below a bound (or equal to one byte), a subtraction marks the first one surely.
    """
    while at + 8 <= size:
        word = word_at(text, at)
        other = word ^ delimiters
        marked = (((word - _BLANKS) & ~word) | ((other - _EACH) & ~other)) & _HIGHEST
        if marked:
            return at + np.int64(first_bit(marked) >> 3)
        at += 8
    return at


@kernel
def _mark_of(text: Bytes, begin: Whole, end: Whole) -> np.uint64:
    """A 64-bit mark of a line."""
    mark = np.uint64(0xCBF29CE484222325) ^ np.uint64(end - begin)
    while begin + 8 <= end:
        mark = (mark ^ word_at(text, begin)) * np.uint64(0x9E3779B97F4A7C15)
        mark ^= mark >> np.uint64(29)
        begin += 8
    while begin < end:
        mark = (mark ^ np.uint64(text[begin])) * np.uint64(0x100000001B3)
        begin += 1
    return mark ^ (mark >> np.uint64(32))


@kernel
def split_lines(
    text: Bytes,
    size: int,
    delimiter: int,
    slots: Int32s,
    exact: bool,
    begins: Int32s,
    ends: Int32s,
    status: Codes,
    column: Int32s,
    marks: NDArray[np.uint64],
) -> Whole:
    """Fields of the whole lines in text[:size]. Returns the bytes they take.

    slots: for each column of the file the place of its field in begins and ends (rows × places), or -1. With `exact`
    a line must have just these columns. column is where a line went wrong; marks is a 64-bit mark of the raw line.
    """
    row, width = 0, len(slots)
    at: Whole = 0
    delimiters = np.uint64(delimiter) * _EACH
    while row < len(status):
        line, field, problem = at, 0, 0
        while True:
            quoted = at < size and text[at] == _QUOTE
            if quoted:
                at += 1
                begin = at
                while at < size:
                    if text[at] == _QUOTE:
                        if at + 1 < size and text[at + 1] == _QUOTE:
                            at += 1
                        else:
                            break
                    elif text[at] < 32 and text[at] != _TAB:
                        break
                    at += 1
                end = at
                if text[at] != _QUOTE:
                    ends_line = text[at] == _LF or (text[at] == _CR and text[at + 1] == _LF)
                    problem = UNCLOSED if ends_line else LONE_CR if text[at] == _CR else CONTROL
                    break
                at += 1
            else:
                begin = at
                at = _plain_until(text, at, size, delimiters)
                while text[at] != delimiter and (text[at] >= 32 or text[at] == _TAB):
                    at += 1
                end = at
            if end - begin > MAX_FIELD_BYTES:
                problem = LONG_FIELD
                break
            if field < width and slots[field] >= 0:
                begins[row, slots[field]] = begin
                ends[row, slots[field]] = end
            byte = text[at]
            if byte == delimiter:
                field += 1
                at += 1
                continue
            if byte == _LF or (byte == _CR and text[at + 1] == _LF):
                break
            problem = LONE_CR if byte == _CR else CONTROL if byte < 32 else AFTER_QUOTE
            break
        column[row] = min(field, width - 1)
        while text[at] != _LF:
            at += 1
        blank = at - line == 0 or (at - line == 1 and text[line] == _CR)
        if at - line > MAX_LINE_BYTES:
            problem = LONG_LINE
        elif problem == 0 and blank:
            problem = EMPTY
        elif problem == 0 and field + 1 < width:
            problem = TOO_FEW
        elif problem == 0 and exact and field + 1 > width:
            problem = TOO_MANY
        status[row] = problem
        marks[row] = _mark_of(text, line, at)
        at += 1
        row += 1
    return at


@kernel
def _measure(begins: Int32s, ends: Int32s, offsets: Int32s) -> Whole:
    size = np.int64(0)
    for row in range(len(begins)):
        offsets[row] = size
        size += ends[row] - begins[row]
    offsets[len(begins)] = size
    return size


@kernel
def _copy(text: Bytes, begins: Int32s, ends: Int32s, offsets: Int32s, out: Bytes) -> None:
    """By words, which may go past a field: the next one overwrites that, and out is eight bytes longer than all."""
    for row in range(len(begins)):
        at, target = begins[row], offsets[row]
        if ends[row] + 8 <= len(text):
            for step in range(0, ends[row] - at, 8):
                put_word(out, target + step, word_at(text, at + step))
        else:
            for step in range(ends[row] - at):
                out[target + step] = text[at + step]


def gather(text: Bytes, begins: Int32s, ends: Int32s) -> pa.Array:
    """Fields as an Arrow array of bytes."""
    begins, ends = np.ascontiguousarray(begins), np.ascontiguousarray(ends)
    offsets = np.empty(len(begins) + 1, np.int32)
    size = _measure(begins, ends, offsets)
    out = np.empty(size + 8, np.uint8)
    _copy(text, begins, ends, offsets, out)
    return pa.Array.from_buffers(pa.binary(), len(begins), [None, pa.py_buffer(offsets), pa.py_buffer(out)[:size]])


def buffers_of(array: pa.Array) -> tuple[Int32s, Bytes]:
    """Offsets and bytes of an Arrow array of strings or bytes."""
    return text_parts(array)


@kernel
def _whole(text: Bytes, begin: int, end: int, most: int) -> Whole:
    """An unsigned number of at most `most` ASCII digits, or -1."""
    if not 0 < end - begin <= most:
        return -1
    value = np.int64(0)
    for at in range(begin, end):
        digit = np.int64(text[at]) - 48
        if not 0 <= digit <= 9:
            return -1
        value = value * 10 + digit
    return value


@kernel
def read_quantities(offsets: Int32s, text: Bytes, scale: int, out: Int64s) -> None:
    """Quantities in base units; -1 where it is no number. Where the scale is 1000, three decimals may follow."""
    for row in range(len(out)):
        begin, end = offsets[row], offsets[row + 1]
        point = begin
        while point < end and text[point] != 46:
            point += 1
        value = _whole(text, begin, point, 12)
        if value >= 0:
            value *= scale
        if value >= 0 and point < end:
            part = _whole(text, point + 1, end, 3)
            if scale != 1000 or part < 0:
                value = -1
            else:
                for _ in range(3 - (end - point - 1)):
                    part *= 10
                value += part
        out[row] = value


@kernel
def _days_from_civil(year: Whole, month: Whole, day: Whole) -> Whole:
    """Days since 1970-01-01 in the Gregorian calendar."""
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@kernel
def _days_in_month(year: Whole, month: Whole) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


WALL, ABSOLUTE, NO_TIME = 0, 1, -1
"""What a time is: of the clock on a wall, in UTC already, or none."""


def _word(characters: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(characters, "little"))


_BYTES_4_7, _DASHES, _ZEROS_4_7 = (_word(bytes(4) + each + bytes(2) + each) for each in (b"\xff", b"-", b"0"))
_BYTES_2_5, _COLONS, _ZEROS_2_5 = (_word((bytes(2) + each) * 2 + bytes(2)) for each in (b"\xff", b":", b"0"))


@kernel
def _stamp(text: Bytes, begin: int, end: int, offset_allowed: bool) -> tuple[Whole, Whole]:
    """Milliseconds and kind of "2026-10-01 13:05:59[.fraction][Z|±hh:mm]"."""
    none = (np.int64(0), np.int64(NO_TIME))
    if end - begin < 19:
        return none
    date, clock = word_at(text, begin), word_at(text, begin + 11)
    if date & _BYTES_4_7 != _DASHES or clock & _BYTES_2_5 != _COLONS:
        return none
    date, clock = date ^ _DASHES | _ZEROS_4_7, clock ^ _COLONS | _ZEROS_2_5
    if not (are_digits(date) and are_digits(clock)):
        return none
    day = _whole(text, begin + 8, begin + 10, 2)
    if not (text[begin + 10] == 32 or (offset_allowed and text[begin + 10] == 84)):
        return none
    of_date, of_clock = eight_digits(date), eight_digits(clock)
    year, month = of_date // 10_000, of_date // 10 % 100
    hour, minute, second = of_clock // 1_000_000, of_clock // 1_000 % 100, of_clock % 100
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= _days_in_month(year, month):
        return none
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60):
        return none
    seconds = np.int64(_days_from_civil(year, month, day)) * 86400 + hour * 3600 + minute * 60 + second
    at, millis, worth = begin + 19, np.int64(0), np.int64(100)
    if at < end and text[at] == 46:
        at += 1
        if at == end or not 48 <= text[at] <= 57:
            return none
        while at < end and 48 <= text[at] <= 57:
            millis += (np.int64(text[at]) - 48) * worth
            worth //= 10
            at += 1
    if second == 60:  # a leap second belongs to the day, and the month, that it ends
        seconds, millis = seconds - 1, np.int64(999)
    if at == end:
        return seconds * 1000 + millis, np.int64(WALL)
    if offset_allowed and text[at] == 90 and at + 1 == end:
        return seconds * 1000 + millis, np.int64(ABSOLUTE)
    if offset_allowed and end - at == 6 and (text[at] == 43 or text[at] == 45) and text[at + 3] == 58:
        hours, minutes = _whole(text, at + 1, at + 3, 2), _whole(text, at + 4, at + 6, 2)
        if 0 <= hours <= 14 and 0 <= minutes <= 59:
            east = (hours * 60 + minutes) * 60_000
            return seconds * 1000 + millis - (east if text[at] == 43 else -east), np.int64(ABSOLUTE)
    return none


@kernel
def read_times(offsets: Int32s, text: Bytes, epoch: bool, offset_allowed: bool, out: Int64s, kind: Codes) -> None:
    """Milliseconds since 1970 by the wall's clock or in UTC, and which of them. Not before 1970, not after 9999."""
    for row in range(len(out)):
        begin, end = offsets[row], offsets[row + 1]
        if epoch:
            value = _whole(text, begin, end, 14)
            out[row] = value
            kind[row] = ABSOLUTE if value > 0 else NO_TIME
        else:
            moment, what = _stamp(text, begin, end, offset_allowed)
            out[row] = moment
            kind[row] = what


@kernel
def read_trunks(offsets: Int32s, text: Bytes, channel: bool, known_offsets: Int32s, known: Bytes, out: Int32s) -> None:
    """Position of each row's trunk among the known names, or -1."""
    for row in range(len(out)):
        begin, end = offsets[row], offsets[row + 1]
        if channel:
            at = begin
            while at < end and text[at] != 47:
                at += 1
            last = end - 1
            while last > at and text[last] != 45:
                last -= 1
            if at < end and last > at:
                begin, end = at + 1, last
            else:
                begin = end
        out[row] = -1
        for name in range(len(known_offsets) - 1):
            if known_offsets[name + 1] - known_offsets[name] != end - begin:
                continue
            same = True
            for place in range(end - begin):
                if known[known_offsets[name] + place] != text[begin + place]:
                    same = False
                    break
            if same:
                out[row] = name
                break


@kernel
def end_order(early: Int64s, late: Int64s, duration: Int64s, slack: int, clock: int, out: Int64s) -> int:
    """Choose between two readings of a repeated hour by the order of the file; returns the clock it reached.

    Switches write a row when the call ends: a row that would end well before the one above it is of the second pass.
    """
    for row in range(len(out)):
        start = early[row]
        if late[row] != start and start + duration[row] < clock - slack:
            start = late[row]
        out[row] = start
        clock = max(clock, start + duration[row])
    return clock
