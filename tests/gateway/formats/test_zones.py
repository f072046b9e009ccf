"""Is local time read as the moment it meant, also where the wall skips or repeats an hour?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.zones import utc_of_wall

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall has no zone


def _ms(text: str) -> int:
    """Milliseconds of a time as if it were UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def _read(text: str, zone: ZoneInfo) -> tuple[int, int, bool]:
    moments = utc_of_wall(np.array([_ms(text)]), zone)
    return int(moments.early[0]), int(moments.late[0]), bool(moments.exists[0])


@pytest.mark.parametrize(
    ("wall", "zone", "early", "late"),
    [
        ("2026-10-01 00:00:00", LONDON, "2026-09-30 23:00:00", "2026-09-30 23:00:00"),
        ("2026-10-25 00:59:59", LONDON, "2026-10-24 23:59:59", "2026-10-24 23:59:59"),
        ("2026-10-25 01:00:00", LONDON, "2026-10-25 00:00:00", "2026-10-25 01:00:00"),
        ("2026-10-25 01:59:59", LONDON, "2026-10-25 00:59:59", "2026-10-25 01:59:59"),
        ("2026-10-25 02:00:00", LONDON, "2026-10-25 02:00:00", "2026-10-25 02:00:00"),
        ("2026-10-01 08:00:00", ZoneInfo("Asia/Shanghai"), "2026-10-01 00:00:00", "2026-10-01 00:00:00"),
        ("2026-11-01 01:30:00", NEW_YORK, "2026-11-01 05:30:00", "2026-11-01 06:30:00"),
        ("2026-10-31 20:00:00", NEW_YORK, "2026-11-01 00:00:00", "2026-11-01 00:00:00"),
        ("2026-04-05 01:45:00", ZoneInfo("Australia/Lord_Howe"), "2026-04-04 14:45:00", "2026-04-04 15:15:00"),
    ],
)
def test_a_wall_time_means_one_moment_or_two(wall: str, zone: ZoneInfo, early: str, late: str) -> None:
    assert _read(wall, zone) == (_ms(early), _ms(late), True)


@pytest.mark.parametrize(
    ("wall", "exists"),
    [
        ("2026-03-29 00:59:59", True),
        ("2026-03-29 01:00:00", False),
        ("2026-03-29 01:59:59", False),
        ("2026-03-29 02:00:00", True),
    ],
)
def test_an_hour_that_the_wall_skips_does_not_exist(wall: str, exists: bool) -> None:
    assert _read(wall, LONDON)[2] == exists


@given(
    st.lists(st.integers(0, 2_000_000_000), max_size=20),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Shanghai", "Africa/Casablanca", "Asia/Kathmandu"]),
)
@settings(max_examples=100, deadline=None)
def test_columns_are_read_as_the_standard_library_reads_single_times(seconds: list[int], name: str) -> None:
    zone = ZoneInfo(name)
    wall = np.array(seconds, np.int64) * 1000
    got = utc_of_wall(wall, zone)
    for row, second in enumerate(seconds):
        naive = EPOCH + timedelta(seconds=second)
        readings = [naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        exists = any(reading.astimezone(zone).replace(tzinfo=None) == naive for reading in readings)
        assert got.exists[row] == exists
        if exists:
            expected = [int(reading.timestamp()) * 1000 for reading in readings]
            assert [got.early[row], got.late[row]] == expected


def test_an_empty_column_is_read() -> None:
    assert len(utc_of_wall(np.empty(0, np.int64), LONDON).early) == 0
