"""Is each way of writing a time or a duration read as the moment or the length it means, and nothing else as one?"""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import fields
from gateway.formats.layout import QuantityLayout, TimeFormat, TimeLayout
from gateway.formats.preset import load_preset
from gateway.formats.times import read_quantities, read_times

CISCO, RIBBON, SMPP = (load_preset(name).time for name in ("cisco_cube", "ribbon_act", "smpp_receipts"))
CGRATES = load_preset("cgrates").quantity
HALVES = TimeLayout(
    TimeFormat.PATTERN,
    True,
    r"^(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}) (?P<hour>\d{1,2}):(?P<minute>\d{2}) (?P<half>[AP]M)$",
)
SECONDS = TimeLayout(TimeFormat.EPOCH_S, False)
LATE = "2026-10-31 23:59:59.999"


def _read(text: str, layout: TimeLayout) -> tuple[str, int]:
    found = read_times(pa.array([text.encode("utf-8", "surrogateescape")]), layout)
    if found.kind[0] == fields.NO_TIME:
        return "", fields.NO_TIME
    moment = datetime.fromtimestamp(int(found.ms[0]) // 1000, UTC)
    return f"{moment:%F %T}.{int(found.ms[0]) % 1000:03d}", int(found.kind[0])


@pytest.mark.parametrize(
    ("text", "layout", "moment", "kind"),
    [
        ("*05:39:36.978 UTC Fri Jun 21 2013", CISCO, "2013-06-21 05:39:36.978", fields.ABSOLUTE),
        (".05:39:36 GMT Fri Jun 1 2013", CISCO, "2013-06-01 05:39:36.000", fields.ABSOLUTE),
        ("05:39:36.9 EST Fri Dec 31 2027", CISCO, "2027-12-31 05:39:36.900", fields.WALL),
        ("05:39:36.978 +0530 Fri Jun 21 2013", CISCO, "2013-06-21 00:09:36.978", fields.ABSOLUTE),
        ("10/31/2026 23:59:59.9", RIBBON, "2026-10-31 23:59:59.900", fields.WALL),
        ("10/31/2026 23:59:60.0", RIBBON, LATE, fields.WALL),
        ("261031235959", SMPP, "2026-10-31 23:59:59.000", fields.WALL),
        ("2610312359", SMPP, "2026-10-31 23:59:00.000", fields.WALL),
        ("10/31/2026 12:05 AM", HALVES, "2026-10-31 00:05:00.000", fields.WALL),
        ("10/31/2026 12:05 PM", HALVES, "2026-10-31 12:05:00.000", fields.WALL),
        ("2/29/2028 1:05 PM", HALVES, "2028-02-29 13:05:00.000", fields.WALL),
        ("1790812799.999999", SECONDS, "2026-09-30 23:59:59.999", fields.ABSOLUTE),
        ("1790812799", SECONDS, "2026-09-30 23:59:59.000", fields.ABSOLUTE),
    ],
)
def test_a_time_is_read(text: str, layout: TimeLayout, moment: str, kind: int) -> None:
    assert _read(text, layout) == (moment, kind)


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("", CISCO),
        ("*05:39:36.978 UTC Fri Foo 21 2013", CISCO),
        ("*25:39:36.978 UTC Fri Jun 21 2013", CISCO),
        ("*05:39:36.978 UTC Fri Jun 31 2013", CISCO),
        ("x05:39:36.978 UTC Fri Jun 21 2013", CISCO),
        ("02/29/2026 00:00:00.0", RIBBON),
        ("13/01/2026 00:00:00.0", RIBBON),
        ("10/31/2026 23:60:00.0", RIBBON),
        ("10/31/2026 23:59:61.0", RIBBON),
        ("10/31/1969 23:59:59.0", RIBBON),
        ("٢٦١٠٣١٢٣٥٩", SMPP),
        ("2610312359\udcff", SMPP),
        ("0/0/2026 13:05 PM", HALVES),
        ("10/31/2026 13:05 PM", HALVES),
        ("0", SECONDS),
        ("-1", SECONDS),
        ("1e9", SECONDS),
    ],
)
def test_what_is_no_time_is_none(text: str, layout: TimeLayout) -> None:
    assert _read(text, layout) == ("", fields.NO_TIME)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("10s", 10_000),
        ("1m1.25s", 61_250),
        ("1h0m0s", 3_600_000),
        ("500ms", 500),
        ("1h2m3.123456789s", 3_723_123),
        ("0s", 0),
        *[(text, -1) for text in ("", "10", "1h", "-10s", "1m", "s", "1m1s1", "٣s", "99999999999s", "1.s")],
    ],
)
def test_a_duration_in_words_is_read(text: str, quantity: int) -> None:
    assert read_quantities(pa.array([text.encode()]), CGRATES).tolist() == [quantity]


@pytest.mark.parametrize(
    ("text", "scale", "quantity"),
    [
        *[("61.250000", 1000, 61_250), ("61", 1000, 61_000), ("61.2", 1000, 61_200), ("6105", 10, 61_050)],
        *[("61.2", 10, -1), ("61.", 1000, -1), (".5", 1000, -1), ("1.2500000001", 1000, -1), ("1,5", 1000, -1)],
    ],
)
def test_a_quantity_is_read_in_its_unit(text: str, scale: int, quantity: int) -> None:
    assert read_quantities(pa.array([text.encode()]), QuantityLayout(scale)).tolist() == [quantity]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31)))  # noqa: DTZ001 - a wall has no zone
def test_every_minute_is_the_one_that_a_calendar_says(moment: datetime) -> None:
    text = f"{moment:%m/%d/%Y %H:%M:%S}.{moment.microsecond // 100_000}"
    found = read_times(pa.array([text.encode()]), RIBBON)
    expected = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 100_000 * 100_000)
    assert int(found.ms[0]) == round(expected.timestamp() * 1000)
