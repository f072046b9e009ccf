"""Does a moment have the band that the local clock says, on every day of the year?"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.prices.bands import band_at, next_change, timeline
from ledger.prices.rating_terms import TimeBand, TimeBands, Weekday

WORKDAYS = frozenset({Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI})
PEAK = TimeBand("peak", WORKDAYS, 8 * 60, 19 * 60)
WEEKEND = TimeBand("weekend", frozenset({Weekday.SAT, Weekday.SUN}))
FESTIVE = TimeBand("holiday", frozenset({Weekday.HOLIDAY}))
BANDS = TimeBands((PEAK, WEEKEND, FESTIVE), holidays=frozenset({date(2026, 10, 7)}))
BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
YEAR_MS = 365 * 86_400_000


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def _name(at: str, zone: ZoneInfo = BERLIN) -> str:
    place = band_at(BANDS, zone, _ms(at))
    return "" if place < 0 else BANDS.bands[place].name


def test_a_band_holds_from_its_first_minute_to_before_its_last() -> None:
    assert _name("2026-10-05T07:59:59+02:00") == ""
    assert _name("2026-10-05T08:00:00+02:00") == "peak"
    assert _name("2026-10-05T18:59:59+02:00") == "peak"
    assert _name("2026-10-05T19:00:00+02:00") == ""
    assert _name("2026-10-10T12:00:00+02:00") == "weekend"


def test_a_holiday_is_no_weekday() -> None:
    assert _name("2026-10-07T12:00:00+02:00") == "holiday"
    assert _name("2026-10-08T12:00:00+02:00") == "peak"


def test_a_night_is_one_band_of_the_day_on_which_it_begins() -> None:
    night = TimeBand("night", frozenset({Weekday.FRI, Weekday.HOLIDAY}), 22 * 60, 25 * 60 + 30)
    asked = TimeBands((night,), holidays=frozenset({date(2026, 10, 7)}))
    held = {
        "2026-10-09T21:59:59+02:00": -1,
        "2026-10-09T22:00:00+02:00": 0,
        "2026-10-10T01:29:59+02:00": 0,
        "2026-10-10T01:30:00+02:00": -1,
        "2026-10-09T01:00:00+02:00": -1,
        "2026-10-08T01:00:00+02:00": 0,
        "2026-10-10T23:00:00+02:00": -1,
    }
    assert {at: band_at(asked, BERLIN, _ms(at)) for at in held} == held
    evening, morning = _ms("2026-10-09T23:00:00+02:00"), _ms("2026-10-10T12:00:00+02:00")
    assert next_change(asked, BERLIN, evening, morning) == _ms("2026-10-10T01:30:00+02:00")


def test_the_zone_says_when_the_day_begins() -> None:
    assert _name("2026-10-09T22:30:00+00:00", BERLIN) == "weekend"
    assert _name("2026-10-09T22:30:00+00:00", NEW_YORK) == "peak"


def test_a_band_ends_an_hour_later_in_utc_once_the_clocks_are_put_back() -> None:
    assert next_change(BANDS, BERLIN, _ms("2026-10-23T12:00:00+00:00"), _ms("2026-11-01T00:00:00+00:00")) == _ms(
        "2026-10-23T17:00:00+00:00"
    )
    assert next_change(BANDS, BERLIN, _ms("2026-10-26T12:00:00+00:00"), _ms("2026-11-01T00:00:00+00:00")) == _ms(
        "2026-10-26T18:00:00+00:00"
    )
    assert next_change(BANDS, BERLIN, _ms("2026-10-26T12:00:00+00:00"), _ms("2026-10-26T18:00:00+00:00")) is None


minutes = st.integers(0, 1_440)
bands = st.builds(
    lambda days, one, other: TimeBand("x", days, one, other if one <= other else other + 1_440),
    st.frozensets(st.sampled_from(Weekday), min_size=1),
    minutes,
    minutes,
)
moments = st.integers(0, YEAR_MS).map(lambda at: _ms("2026-01-01T00:00:00+00:00") + at)


@given(st.lists(bands, max_size=3), st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]), st.lists(moments, min_size=1))
@settings(max_examples=60, deadline=None)
def test_the_timeline_says_what_the_clock_says(some: list[TimeBand], zone: ZoneInfo, ats: list[int]) -> None:
    asked = TimeBands(tuple(some), holidays=frozenset({date(2026, 10, 25)}))
    near_a_step = [_ms("2026-10-25T00:30:00+00:00") + minute * 60_000 for minute in range(-90, 120, 15)]
    moments_ = np.array(sorted(ats + near_a_step), np.int64)
    found, ends = timeline(asked, zone, int(moments_[0]), int(moments_[-1])).at(moments_)
    assert found.tolist() == [band_at(asked, zone, at) for at in moments_.tolist()]
    for at, end, place in zip(moments_.tolist(), ends.tolist(), found.tolist(), strict=True):
        if end < 2**62:
            assert band_at(asked, zone, end - 1) == place != band_at(asked, zone, end)
            assert end > at
