"""What did two carriers agree for SMS, data and private lines: what counts, how it is measured, what is credited?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class SmsUnit(StrEnum):
    """What an SMS price is for."""

    MESSAGE = "message"
    """One message, however long."""
    SEGMENT = "segment"
    """Each part that went over the air."""


class SmsBasis(StrEnum):
    """Which messages are charged."""

    SUBMIT = "submit"
    """Every one that was handed over."""
    DELIVERY = "delivery"
    """Those with a receipt that says delivered."""


@dataclass(frozen=True, slots=True)
class SmsTerms:
    """The section [sms] of an agreement."""

    unit: SmsUnit = SmsUnit.SEGMENT
    basis: SmsBasis = SmsBasis.SUBMIT


class DataBasis(StrEnum):
    """What a port's price is for."""

    VOLUME = "volume"
    """The octets of each sample."""
    PERCENTILE = "percentile"
    """The bandwidth that stays when the highest samples of the period are left out."""


class PercentileDefinition(StrEnum):
    """Which of n samples in ascending order is the p-th percentile; ranks count from 1 (percentile.py)."""

    NEAREST_RANK = "nearest-rank"
    """Rank ceiling(n p)."""
    DROP_TOP = "drop-top"
    """The highest once ceiling(n (1 - p)) samples are dropped from the top."""
    ROUND = "round"
    """Rank n p to the nearest, a half up."""
    LINEAR = "linear"
    """Between the neighbours of rank 1 + (n - 1) p, in proportion."""
    FLOOR = "floor"
    """Rank 1 + floor((n - 1) p)."""


class SampleDirection(StrEnum):
    """Which octets of a port count; in and out as the debtor sees them."""

    IN = "in"
    """What the debtor received."""
    OUT = "out"
    """What the debtor sent."""
    MAX = "max"
    """The larger of the two directions' percentiles."""
    SUM = "sum"
    """The percentile of both directions' sum, sample by sample."""


class MissingSamples(StrEnum):
    """What stands for a sample that nobody took."""

    ZERO = "zero"
    """A sample of 0."""
    SKIP = "skip"
    """Nothing: the percentile is that of the samples there are."""
    REFUSE = "refuse"
    """Nothing, as long as no more are missing than the agreed share; beyond it the port has no price."""


@dataclass(frozen=True, slots=True)
class DataTerms:
    """The section [data] of an agreement."""

    basis: DataBasis = DataBasis.PERCENTILE
    percentile: int = 95
    definition: PercentileDefinition = PercentileDefinition.NEAREST_RANK
    direction: SampleDirection = SampleDirection.MAX
    missing: MissingSamples = MissingSamples.REFUSE
    missing_bps: int = 100
    """The share that may be missing."""
    sample_seconds: int = 300


class MonthDays(StrEnum):
    """What a day is a share of, where a line is not in service all month."""

    ACTUAL = "actual"
    """The days of that month."""
    THIRTY = "30"
    """30, whatever the month; never more than a whole month's charge."""


class OutageCredit(StrEnum):
    """What an outage takes off the month's charge."""

    NONE = "none"
    """Nothing."""
    HOUR = "hour"
    """The charge's share of each hour begun."""
    TIER = "tier"
    """A share of the charge that depends on the month's availability."""


class CreditedMonth(StrEnum):
    """Whose charge an outage is credited against."""

    SAME = "same"
    """The charge of the month it happened in: charged in arrears."""
    NEXT = "next"
    """The charge of the month after: charged in advance, when nobody knows of outages yet."""


class Tier(NamedTuple):
    """Availability below this earns this share of the charge."""

    below_ppm: int
    """Parts of a million: 999,000 is 99.9 %."""
    credit_bps: int


@dataclass(frozen=True, slots=True)
class IplTerms:
    """The section [ipl] of an agreement."""

    days: MonthDays = MonthDays.ACTUAL
    credit: OutageCredit = OutageCredit.NONE
    credited_month: CreditedMonth = CreditedMonth.NEXT
    tiers: tuple[Tier, ...] = ()
    """Descending by availability; the lowest that applies counts."""
    least_outage_minutes: int = 0
    """Shorter outages earn nothing."""
    most_credit_bps: int = 10_000
    """Of the charge; never more than all of it."""
