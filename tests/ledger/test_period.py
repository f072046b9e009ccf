"""Does a month begin and end where its accounting zone says?"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.period import FIRST_YEAR, LAST_YEAR, Period, parse_period, period_of_key


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "26-10", "2026-1", "2026/10", "٢٠٢٦-10"])
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_period(text)


@pytest.mark.parametrize("text", ["0000-01", "0001-01", "1999-12", "2200-01", "9999-12"])
def test_a_month_at_the_calendars_ends_is_refused_before_its_bounds_are_asked(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_period(text)
    assert (refusal.value.expected, refusal.value.got) == ("a month of the years 2000 to 2199", text)
    assert refusal.value.todo


@given(
    st.integers(FIRST_YEAR, LAST_YEAR),
    st.integers(1, 12),
    st.sampled_from(("UTC", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Shanghai")),
)
def test_every_month_that_is_read_has_neighbours_and_bounds_in_every_zone(year: int, month: int, zone: str) -> None:
    period = parse_period(f"{year}-{month:02d}")
    start, end = period.bounds_ms(ZoneInfo(zone))
    assert period.before.bounds_ms(ZoneInfo(zone))[1] == start
    assert period.after.bounds_ms(ZoneInfo(zone))[0] == end


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("UTC", "2026-10-01T00:00", "2026-11-01T00:00", 744),
        ("Asia/Shanghai", "2026-09-30T16:00", "2026-10-31T16:00", 744),
        ("Europe/London", "2026-09-30T23:00", "2026-11-01T00:00", 745),
    ],
)
def test_october_has_the_length_its_zone_gives_it(zone: str, start: str, end: str, hours: int) -> None:
    bounds = Period(2026, 10).bounds_ms(ZoneInfo(zone))
    shown = tuple(datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M") for ms in bounds)
    assert shown == (start, end)
    assert bounds[1] - bounds[0] == hours * 3_600_000


def test_december_ends_where_january_begins() -> None:
    utc = ZoneInfo("UTC")
    assert Period(2026, 12).bounds_ms(utc)[1] == Period(2027, 1).bounds_ms(utc)[0]


def test_key_and_text_are_inverse() -> None:
    period = Period(2026, 10)
    assert period.key == 202610
    assert period_of_key(202610) == period == parse_period(str(period))
