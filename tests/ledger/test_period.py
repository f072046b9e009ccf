"""Does a month begin and end where its accounting zone says?"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.errors import Malformed
from ledger.period import Period, parse_period, period_of_key


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "26-10", "2026-1", "2026/10", "٢٠٢٦-10", "1999-12"])
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_period(text)


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
