"""When does an accounting month begin and end?"""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.errors import Malformed

UTC_ZONE = ZoneInfo("UTC")
FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Of the months that are read: the calendar knows each, the months beside it and its bounds in every zone."""


class Period(NamedTuple):
    """An accounting month; its bounds depend on the agreement's accounting zone."""

    year: int
    month: int

    @property
    def key(self) -> int:
        """YYYYMM, as the contracts hold it."""
        return self.year * 100 + self.month

    @property
    def after(self) -> "Period":
        """The month after this one."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def before(self) -> "Period":
        """The month before this one."""
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def bounds_ms(self, zone: ZoneInfo) -> tuple[int, int]:
        """UTC milliseconds [start, end) of the month in the accounting zone."""
        return _midnight_ms(self, zone), _midnight_ms(self.after, zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def parse_period(text: str) -> Period:
    """Read "2026-10". Raises Malformed."""
    year, dash, month = text.partition("-")
    digits = year.isascii() and year.isdigit() and month.isascii() and month.isdigit()
    if not (dash and digits and len(year) == 4 and len(month) == 2 and 1 <= int(month) <= 12):
        raise Malformed(
            "not a period",
            expected="YYYY-MM, for example 2026-10",
            got=repr(text[:20]),
            todo="Name a month of the calendar.",
        )
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise Malformed(
            "not a period of this trade",
            expected=f"a month of the years {FIRST_YEAR} to {LAST_YEAR}",
            got=text,
            todo="Correct the year.",
        )
    return Period(int(year), int(month))


def period_of_key(key: int) -> Period:
    """The inverse of `Period.key`."""
    return Period(key // 100, key % 100)


def _midnight_ms(period: Period, zone: ZoneInfo) -> int:
    first = datetime(period.year, period.month, 1, tzinfo=zone).astimezone(UTC)
    return int(first.timestamp()) * 1000
