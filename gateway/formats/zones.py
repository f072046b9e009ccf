"""Which moment did the clock on the switch's wall mean? Local time to UTC for whole columns."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

_DAY_MS = 86_400_000
_FIRST_DAY, _LAST_DAY = -1, 60_000
"""1970 to 2134."""


class Moments(NamedTuple):
    """UTC readings of wall times; early and late differ only in an hour that the wall shows twice."""

    early: Int64s
    late: Int64s
    exists: NDArray[np.bool_]
    """False for an hour that the wall skips."""


def utc_of_wall(wall_ms: Int64s, zone: ZoneInfo) -> Moments:
    """Read wall times (milliseconds as if the wall showed UTC) in a zone."""
    if not len(wall_ms):
        return Moments(wall_ms, wall_ms, np.zeros(0, np.bool_))
    first, last = int(wall_ms.min()) // _DAY_MS - 2, int(wall_ms.max()) // _DAY_MS + 2
    changes, offsets = _offsets(zone, first, last)
    reading = np.searchsorted(changes + offsets, wall_ms, "right") - 1
    late = wall_ms - offsets[reading]
    before = np.maximum(reading - 1, 0)
    early = wall_ms - offsets[before]
    repeated = (reading > 0) & (early < changes[reading])
    following = np.append(changes[1:], np.iinfo(np.int64).max)
    return Moments(np.where(repeated, early, late), late, late < following[reading])


@lru_cache(maxsize=32)
def _offsets(zone: ZoneInfo, first_day: int, last_day: int) -> tuple[Int64s, Int64s]:
    """When the zone's offset changes between two days (UTC ms), and the offset from then on (ms)."""
    first_day, last_day = max(first_day, _FIRST_DAY), min(last_day, _LAST_DAY)
    changes, offsets = [first_day * _DAY_MS], [_offset_ms(zone, first_day * _DAY_MS)]
    for day in range(first_day, last_day):
        low, high = day * _DAY_MS, (day + 1) * _DAY_MS
        while (after := _offset_ms(zone, high)) != offsets[-1]:
            low, found = _first_change(zone, low, high, offsets[-1])
            changes.append(low)
            offsets.append(found)
            if found == after:
                break
    return np.array(changes, np.int64), np.array(offsets, np.int64)


def _first_change(zone: ZoneInfo, low: int, high: int, before: int) -> tuple[int, int]:
    """The second in (low, high] from which the offset is no longer `before`, and the new offset."""
    while high - low > 1000:
        middle = (low + high) // 2000 * 1000
        low, high = (middle, high) if _offset_ms(zone, middle) == before else (low, middle)
    return high, _offset_ms(zone, high)


def _offset_ms(zone: ZoneInfo, utc_ms: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=utc_ms)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000
