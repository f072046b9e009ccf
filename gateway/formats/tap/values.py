"""What do the bytes of a column of fields say? Integers, digits, texts and times, for whole columns at once.

A field that an event lacks has begin -1 and reads as nothing.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gateway.formats.tap.ber import Bytes, Int64s, Whole
from ledger.kernel import kernel

MAX_TEXT = 64
"""Bytes of a number or a text that are looked at; what is longer is no number."""
NO_TIME = np.iinfo(np.int64).min
NO_INTEGER = np.iinfo(np.int64).min

_FILLER = 0xF
_TBCD = np.frombuffer(b"0123456789ABCDEF", np.uint8)


class Spans(NamedTuple):
    """Where a field of each event begins and ends; -1 where it is absent."""

    begin: Int64s
    end: Int64s

    @property
    def present(self) -> NDArray[np.bool_]:
        return self.begin >= 0


@kernel
def read_integers(text: Bytes, begin: Int64s, end: Int64s, out: Int64s) -> None:
    """Two's complement, most significant byte first, of 1 to 8 bytes; else NO_INTEGER."""
    for row in range(len(out)):
        out[row] = np.iinfo(np.int64).min
        if begin[row] < 0 or not 0 < end[row] - begin[row] <= 8:
            continue
        value = np.int64(text[begin[row]])
        if value >= 128:
            value -= 256
        for at in range(begin[row] + 1, end[row]):
            value = (value << 8) | np.int64(text[at])
        out[row] = value


@kernel
def _days_from_civil(year: Whole, month: Whole, day: Whole) -> Whole:
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@kernel
def _number(text: Bytes, begin: Whole, end: Whole) -> Whole:
    value = np.int64(0)
    for at in range(begin, end):
        digit = np.int64(text[at]) - 48
        if not 0 <= digit <= 9:
            return -1
        value = value * 10 + digit
    return value


@kernel
def read_stamps(text: Bytes, begin: Int64s, end: Int64s, out: Int64s) -> None:
    """Milliseconds by the wall's clock of "20140301140342", from 1970 on (a leap second is the next one)."""
    for row in range(len(out)):
        out[row] = np.iinfo(np.int64).min
        at = begin[row]
        if at < 0 or end[row] - at != 14:
            continue
        year, month, day = _number(text, at, at + 4), _number(text, at + 4, at + 6), _number(text, at + 6, at + 8)
        hour, minute, second = (
            _number(text, at + 8, at + 10),
            _number(text, at + 10, at + 12),
            _number(text, at + 12, at + 14),
        )
        longest = 31
        if month == 2:
            longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
        elif month == 4 or month == 6 or month == 9 or month == 11:
            longest = 30
        if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= longest:
            continue
        if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60):
            continue
        days = np.int64(_days_from_civil(year, month, day))
        out[row] = (days * 86400 + hour * 3600 + minute * 60 + second) * 1000


@kernel
def read_offsets(text: Bytes, begin: Int64s, end: Int64s, out: Int64s) -> None:
    """Milliseconds east of UTC of "+0530"; else NO_TIME."""
    for row in range(len(out)):
        out[row] = np.iinfo(np.int64).min
        at = begin[row]
        if at < 0 or end[row] - at != 5 or not (text[at] == 43 or text[at] == 45):
            continue
        hours, minutes = _number(text, at + 1, at + 3), _number(text, at + 3, at + 5)
        if 0 <= hours <= 14 and 0 <= minutes <= 59:
            east = np.int64(hours * 60 + minutes) * 60_000
            out[row] = east if text[at] == 43 else -east


@kernel
def mark_spans(text: Bytes, begin: Int64s, end: Int64s, out: NDArray[np.uint64]) -> None:
    """A 64-bit mark of what stands in each span, which equal ones share."""
    for row in range(len(out)):
        mark = np.uint64(0xCBF29CE484222325)
        for at in range(begin[row], end[row]):
            mark = (mark ^ np.uint64(text[at])) * np.uint64(0x100000001B3)
        out[row] = mark ^ (mark >> np.uint64(32))


@kernel
def _unpack(text: Bytes, begin: Int64s, end: Int64s, letters: Bytes, out: Bytes, offsets: NDArray[np.int32]) -> None:
    size = 0
    for row in range(len(begin)):
        for at in range(begin[row], end[row]):
            high, low = text[at] >> 4, text[at] & 15
            if high == 15:
                break
            out[size] = letters[high]
            size += 1
            if low == 15:
                break
            out[size] = letters[low]
            size += 1
        offsets[row + 1] = size


@kernel
def _copy(text: Bytes, begin: Int64s, end: Int64s, out: Bytes, offsets: NDArray[np.int32]) -> None:
    size = 0
    for row in range(len(begin)):
        for at in range(begin[row], end[row]):
            out[size] = text[at]
            size += 1
        offsets[row + 1] = size


def marks_of(text: Bytes, spans: Spans) -> NDArray[np.uint64]:
    """Marks of the spans that have an end."""
    ended = spans.end >= 0
    out = np.empty(int(ended.sum()), np.uint64)
    mark_spans(text, spans.begin[ended], spans.end[ended], out)
    return out


def integers(text: Bytes, spans: Spans) -> Int64s:
    """Signed integers."""
    out = np.empty(len(spans.begin), np.int64)
    read_integers(text, spans.begin, spans.end, out)
    return out


def stamps(text: Bytes, spans: Spans) -> Int64s:
    """Local times in milliseconds."""
    out = np.empty(len(spans.begin), np.int64)
    read_stamps(text, spans.begin, spans.end, out)
    return out


def offsets_of(text: Bytes, spans: Spans) -> Int64s:
    """Offsets from UTC in milliseconds."""
    out = np.empty(len(spans.begin), np.int64)
    read_offsets(text, spans.begin, spans.end, out)
    return out


def packed_digits(text: Bytes, spans: Spans) -> pa.Array:
    """Digits two to a byte, the first in the high half, filled up with F; "" where absent or too long."""
    begin, end = _short(spans)
    out, offsets = np.empty(2 * int((end - begin).sum()), np.uint8), np.zeros(len(begin) + 1, np.int32)
    _unpack(text, begin, end, _TBCD, out, offsets)
    return _strings(out, offsets)


def texts(text: Bytes, spans: Spans) -> pa.Array:
    """Latin letters and digits as they stand; other bytes become "?"."""
    begin, end = _short(spans)
    out, offsets = np.empty(int((end - begin).sum()), np.uint8), np.zeros(len(begin) + 1, np.int32)
    _copy(text, begin, end, out, offsets)
    out[(out < 32) | (out > 126)] = ord("?")
    return _strings(out, offsets)


def _short(spans: Spans) -> Spans:
    readable = spans.present & (spans.end - spans.begin <= MAX_TEXT)
    begin = np.where(readable, spans.begin, 0)
    return Spans(begin, np.where(readable, spans.end, 0))


def _strings(out: Bytes, offsets: NDArray[np.int32]) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]])]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
