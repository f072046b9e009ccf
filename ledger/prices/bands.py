"""Which time band holds at a moment, and when does it end? Local days and clocks to UTC, daylight saving included."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ledger.prices.rating_terms import DAY_MINUTES, TimeBands, Weekday

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = tuple(Weekday)[:7]
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000
LAST_MS = 2**42
"""2109: calls that end later, or begin before 1970, have no band."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The bands of a stretch of time. Make it with `timeline`."""

    changes: NDArray[np.int64]
    """UTC milliseconds at which another band begins; the first is the begin of the stretch."""
    numbers: NDArray[np.int16]
    """Which band begins: its place in TimeBands.bands; -1: none."""

    def at(self, moments: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """The band of each moment, and when it ends (2^62: not in this stretch)."""
        place = np.searchsorted(self.changes, moments, "right") - 1
        return self.numbers[place], np.append(self.changes[1:], np.int64(2**62))[place]


def band_at(bands: TimeBands, zone: ZoneInfo, at_ms: int) -> int:
    """The definition: the place of the first band that holds the local day and minute of a moment; -1: none."""
    local = _utc(at_ms).astimezone(zone)
    minute = local.hour * 60 + local.minute
    day = _day(bands, local.date())
    night = _day(bands, local.date() - timedelta(days=1))
    for place, band in enumerate(bands.bands):
        if day in band.days and band.begin <= minute < band.end:
            return place
        if night in band.days and minute + DAY_MINUTES < band.end:
            return place
    return -1


def _day(bands: TimeBands, day: date) -> Weekday:
    return Weekday.HOLIDAY if day in bands.holidays else _WEEKDAYS[day.weekday()]


def timeline(bands: TimeBands, zone: ZoneInfo, first_ms: int, last_ms: int) -> Timeline:
    """The bands from before `first_ms` to after `last_ms`; at most some years."""
    return _timeline(bands, zone, first_ms // _DAY_MS - 1, last_ms // _DAY_MS + 2)


def next_change(bands: TimeBands, zone: ZoneInfo, at_ms: int, before_ms: int) -> int | None:
    """When the band of a moment ends, if that is before `before_ms`."""
    found = timeline(bands, zone, at_ms, before_ms)
    place = bisect_right(found.changes.tolist(), at_ms)
    return int(found.changes[place]) if place < len(found.changes) and found.changes[place] < before_ms else None


@lru_cache(maxsize=64)
def _timeline(bands: TimeBands, zone: ZoneInfo, first_day: int, last_day: int) -> Timeline:
    """Bands can change where a local clock reaches a bound of one, and where the clock is put forward or back."""
    minutes = sorted({0} | {bound % DAY_MINUTES for band in bands.bands for bound in (band.begin, band.end)})
    moments = {first_day * _DAY_MS}
    for day in range(first_day - 1, last_day + 1):
        local = (_EPOCH + timedelta(days=day)).date()
        moments |= {moment for minute in minutes for moment in _readings(local, minute, zone)}
        moments |= _steps(zone, day * _DAY_MS, (day + 1) * _DAY_MS)
    ordered = sorted(at for at in moments if first_day * _DAY_MS <= at < last_day * _DAY_MS)
    found = [(at, band_at(bands, zone, at)) for at in ordered]
    kept = found[:1] + [after for before, after in pairwise(found) if before[1] != after[1]]
    return Timeline(np.array([at for at, _ in kept], np.int64), np.array([number for _, number in kept], np.int16))


def _readings(day: date, minute: int, zone: ZoneInfo) -> set[int]:
    """When a local clock shows this: twice where it is put back."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), zone)
    return {_ms(wall.replace(fold=fold)) for fold in (0, 1)}


def _steps(zone: ZoneInfo, low: int, high: int) -> set[int]:
    """When the zone's offset changes in a day: at most once, on a whole minute of UTC."""
    before, after = _offset(zone, low), _offset(zone, high)
    if before == after:
        return set()
    while high - low > _MINUTE_MS:
        middle = (low + high) // 2 // _MINUTE_MS * _MINUTE_MS
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return {high}


def _offset(zone: ZoneInfo, at_ms: int) -> timedelta:
    offset = _utc(at_ms).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _utc(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def _ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
