"""What did two carriers agree about the price of a call beside its rate: rounding, time bands, origins, surcharges?"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from ledger.money import Nanos


class RoundingPlace(StrEnum):
    """Where the one rounding of a price happens."""

    INCREMENT = "increment"
    """The fee and the price of each increment, one by one; a record is their sum."""
    RECORD = "record"
    """The price of each record."""
    STATEMENT = "statement"
    """The sum of the period: each record has what the running total, in event order, grows by when it is rounded."""


class BandRule(StrEnum):
    """Which time band prices a call that lasts beyond a band's end."""

    SPLIT = "split"
    """Each increment has the price of the band in which it begins."""
    START = "start"
    """The whole call has the price of the band in which it begins."""


class Weekday(StrEnum):
    """Days on which a time band holds."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
    HOLIDAY = "holiday"
    """A date among the holidays, whatever its weekday; it has no other weekday then."""


class ShareBy(StrEnum):
    """What the known callers are counted by, where they stand for the unknown ones."""

    CALLS = "calls"
    DURATION = "duration"


DAY_MINUTES = 1_440


@dataclass(frozen=True, slots=True)
class TimeBand:
    """When does a band hold? From `begin` to before `end`, minutes of the local day, on its days.

    An end past the day's last minute is of the next morning: a night belongs to the day on which it begins.
    """

    name: str
    """As the rate deck's column band names it."""
    days: frozenset[Weekday]
    begin: int = 0
    end: int = DAY_MINUTES


@dataclass(frozen=True, slots=True)
class TimeBands:
    """The bands of an agreement. The first that holds a moment has it; a moment in none has the band ""."""

    bands: tuple[TimeBand, ...] = ()
    zone: str | None = None
    """Whose local time; None: the accounting zone."""
    rule: BandRule = BandRule.SPLIT
    holidays: frozenset[date] = frozenset()


OTHER = "other"
"""The origin of a valid number that begins with no named code."""
INVALID = "invalid"
"""The origin of a call without a valid caller's number: none, fewer than 5 or more than 15 digits, no country code."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A class of numbers by the digits with which they begin; the longest code of all classes decides."""

    name: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surcharge:
    """What is charged on top for some origins; the first that fits a call applies."""

    name: str
    origins: frozenset[str]
    """Origins of the calling number."""
    nanos: Nanos = field(default=Nanos(0))
    """For a minute, in the rate's increments."""
    fee_nanos: Nanos = field(default=Nanos(0))
    """For each charged call."""
    to: frozenset[str] = frozenset()
    """Origins of the called number; empty: every number."""


@dataclass(frozen=True, slots=True)
class UnknownCallers:
    """How calls without a valid caller's number are charged once a period's share of them is known.

    If at least `share_bps` of the calls have one, each of the rest is charged in proportion of the known origins;
    otherwise all of the rest have the origin `high`. Source: the missing-CPN clause of American interconnection
    agreements (90 %).
    """

    high: str
    share_bps: int = 9_000
    by: ShareBy = ShareBy.CALLS


@dataclass(frozen=True, slots=True)
class RatingTerms:
    """The section [rating] of an agreement, beside rounding mode and notice."""

    place: RoundingPlace = RoundingPlace.RECORD
    decimals: int = 6
    """Places of the currency to which is rounded."""
    bands: TimeBands = field(default_factory=TimeBands)
    origins: tuple[Origin, ...] = ()
    surcharges: tuple[Surcharge, ...] = ()
    unknown_callers: UnknownCallers | None = None
