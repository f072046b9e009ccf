"""Which moments, and which lengths of time, do these fields name, in whatever way their switch writes them?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats import fields
from gateway.formats.layout import QuantityLayout, TimeFormat, TimeLayout
from gateway.formats.rows import Bools, Int64s, as_mask, texts_of

_MONTHS = pa.array(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
_MINUTE_MS = 60_000
_UTC = (b"Z", b"UTC", b"GMT")


class Times(NamedTuple):
    """Moments in milliseconds since 1970, by the wall's clock or in UTC."""

    ms: Int64s
    kind: fields.Codes
    """fields.WALL, ABSOLUTE or NO_TIME."""


def joined(raw: Mapping[str, pa.Array], columns: Sequence[str]) -> pa.Array:
    """A time's text, which may stand in two columns."""
    if len(columns) == 1:
        return raw[columns[0]]
    return pc.binary_join_element_wise(*(raw[column] for column in columns), pa.scalar(b" ", pa.binary()))


def read_times(text: pa.Array, layout: TimeLayout) -> Times:
    """Read a column of times; what is none has the kind NO_TIME."""
    if layout.format is TimeFormat.PATTERN:
        return _by_pattern(text, layout.pattern)
    if layout.format is TimeFormat.EPOCH_S:
        seconds = _decimals(text, 1000)
        return Times(seconds, np.where(seconds > 0, fields.ABSOLUTE, fields.NO_TIME).astype(np.int8))
    out, kind = np.empty(len(text), np.int64), np.empty(len(text), np.int8)
    epoch, offset = layout.format is TimeFormat.EPOCH_MS, layout.format is TimeFormat.ISO
    fields.read_times(*fields.buffers_of(text), epoch, offset, out, kind)
    return Times(out, kind)


def read_quantities(text: pa.Array, layout: QuantityLayout) -> Int64s:
    """Read a column of quantities in base units; what is none is -1."""
    return _durations(text, layout.pattern) if layout.pattern else _decimals(text, layout.scale)


def _decimals(text: pa.Array, scale: int) -> Int64s:
    """Numbers times a scale. Where that gives milliseconds, what is finer is dropped, as clocks drop it."""
    if scale == _MINUTE_MS:
        return _minutes(text)
    out = np.empty(len(text), np.int64)
    fields.read_quantities(*fields.buffers_of(text), scale, out)
    if scale == 1000 and (fine := np.flatnonzero(out < 0)).size:
        cut = pc.replace_substring_regex(text.take(pa.array(fine)), pattern=r"^(\d+\.\d{3})\d{1,6}$", replacement=r"\1")
        again = np.empty(len(fine), np.int64)
        fields.read_quantities(*fields.buffers_of(cut), scale, again)
        out[fine] = again
    return out


def _minutes(text: pa.Array) -> Int64s:
    """Whole or decimal minutes, "1.5", in milliseconds; -1 where it is no number."""
    found = pc.extract_regex(text, pattern=r"^(?P<whole>[0-9]{1,9})(?:\.(?P<part>[0-9]{1,9}))?$")
    whole, part = (texts_of(pc.fill_null(pc.struct_field(found, name), b"")) for name in ("whole", "part"))
    billionths = _whole(pc.ascii_rpad(part, 9, "0")) * _MINUTE_MS // 10**9
    return np.where(as_mask(found.is_valid()), _whole(whole) * _MINUTE_MS + billionths, -1)


def _durations(text: pa.Array, pattern: str) -> Int64s:
    """hh:mm:ss, 1h2m3.5s and the like: the sum of a pattern's groups, or -1 where none of them is there."""
    found = pc.extract_regex(text, pattern=pattern)
    names = [found.type.field(at).name for at in range(found.type.num_fields)]
    total, there, wrong = np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_), as_mask(found.is_null())
    for name, scale in (("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("millis", 1)):
        if name not in names:
            continue
        part = pc.fill_null(pc.struct_field(found, name), b"")
        given = as_mask(pc.greater(pc.binary_length(part), 0))
        value = _decimals(part, scale)
        there |= given
        wrong |= given & (value < 0)
        total += np.where(given, value, 0)
    return np.where(there & ~wrong, total, -1)


def _by_pattern(text: pa.Array, pattern: str) -> Times:
    found = pc.extract_regex(text, pattern=pattern)
    groups = {found.type.field(at).name for at in range(found.type.num_fields)}
    part = {name: texts_of(pc.fill_null(pc.struct_field(found, name), b"")) for name in groups}
    year, month, day = _whole(part["year"]), _month(part["month"]), _whole(part["day"])
    hour, minute = _whole(part["hour"]), _whole(part["minute"])
    second = _second(part, len(text))
    year = np.where((year >= 0) & (year < 100), year + 2000, year)
    if "half" in part:
        afternoon = as_mask(pc.equal(pc.ascii_lower(part["half"]), "pm"))
        hour = np.where((hour >= 1) & (hour <= 12), hour % 12 + 12 * afternoon, -1)
    good = (year >= 1970) & (year <= 9999) & (month >= 1) & (month <= 12) & (hour >= 0) & (hour <= 23)
    good &= (minute >= 0) & (minute <= 59) & (second >= 0) & (second <= 60) & as_mask(found.is_valid())
    days, length = _days(np.where(good, year, 1970), np.where(good, month, 1))
    good &= (day >= 1) & (day <= length)
    of_minute = np.minimum(second * 1000 + _fraction(part, len(text)), 59_999)  # a leap second belongs to its day
    ms = (((days + day - 1) * 24 + hour) * 60 + minute) * 60_000 + of_minute
    east, absolute = _zone(pc.struct_field(found, "zone"), len(text)) if "zone" in groups else (0, np.bool_(False))
    kind = np.where(good, np.where(absolute, fields.ABSOLUTE, fields.WALL), fields.NO_TIME)
    return Times(np.where(good, ms - east, -1), kind.astype(np.int8))


def _days(year: Int64s, month: Int64s) -> tuple[Int64s, Int64s]:
    """Days from 1970 to the first of a month, and the month's length."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    return first, (months + 1).astype("datetime64[D]").astype(np.int64) - first


def _whole(text: pa.Array) -> Int64s:
    """Up to nine ASCII digits, or -1."""
    digits = pc.match_substring_regex(text, r"^[0-9]{1,9}$")
    return np.asarray(pc.if_else(digits, text, "-1").cast(pa.int64()))


def _month(text: pa.Array) -> Int64s:
    named = pc.index_in(pc.ascii_lower(pc.utf8_slice_codeunits(text, 0, 3)), _MONTHS)
    return np.where(as_mask(named.is_valid()), np.asarray(pc.fill_null(named, 0)) + 1, _whole(text))


def _second(part: Mapping[str, pa.Array], size: int) -> Int64s:
    """0 where a time has none."""
    if "second" not in part:
        return np.zeros(size, np.int64)
    return np.where(as_mask(pc.equal(part["second"], "")), 0, _whole(part["second"]))


def _fraction(part: Mapping[str, pa.Array], size: int) -> Int64s:
    if "fraction" not in part:
        return np.zeros(size, np.int64)
    three = pc.utf8_slice_codeunits(pc.ascii_rpad(part["fraction"], 3, "0"), 0, 3)
    return np.maximum(_whole(three), 0)


def _zone(text: pa.Array, size: int) -> tuple[Int64s, Bools]:
    """Milliseconds east of UTC and whether the zone is known; a switch's own name for its zone is not."""
    coded = pc.fill_null(text, b"").dictionary_encode()
    known = [_east(zone) for zone in coded.dictionary.to_pylist()]
    east = np.array([each or 0 for each in known], np.int64)
    absolute = np.array([each is not None for each in known], np.bool_)
    at = np.asarray(coded.indices)
    return (east[at], absolute[at]) if size else (np.zeros(0, np.int64), np.zeros(0, np.bool_))


def _east(zone: bytes) -> int | None:
    if zone in _UTC:
        return 0
    digits = zone[1:].replace(b":", b"")
    if zone[:1] in (b"+", b"-") and len(digits) == 4 and digits.isdigit():
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        return minutes * 60_000 if zone[:1] == b"+" else -minutes * 60_000
    return None
