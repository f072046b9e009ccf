"""What differs between the two sides, by how much, and why?"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service


class Cause(StrEnum):
    """Why records or amounts differ; named after ITU-T D.170 Supplement 1 where it has a name."""

    MISSING_AT_THEIRS = "missing_at_theirs"
    """We hold the record, they do not."""
    MISSING_AT_OURS = "missing_at_ours"
    """They hold the record, we do not."""
    ZERO_DURATION = "zero_duration"
    """One side shows an unanswered attempt."""
    DURATION = "duration"
    """One record's duration differs beyond tolerance."""
    DURATION_WITHIN_TOLERANCE = "duration_within_tolerance"
    """Durations differ by no more than the tolerance; together they still move money."""
    DURATION_BIAS = "duration_bias"
    """A trunk's durations differ in one direction, systematically: one finding, not thousands."""
    SPLIT_CALL = "split_call"
    """One side wrote a call in several records that follow one another."""
    CLOCK_OFFSET = "clock_offset"
    """A trunk's clock runs ahead or behind."""
    TIME_ZONE = "time_zone"
    """A trunk's times are off by whole quarter hours: the wrong zone."""
    PERIOD_CROSSING = "period_crossing"
    """Each side put the record into another period."""
    DUPLICATE_AT_OURS = "duplicate_at_ours"
    """We hold the same record twice."""
    DUPLICATE_AT_THEIRS = "duplicate_at_theirs"
    """They hold the same record twice."""
    RATE = "rate"
    """Same quantity, another price: a rate change one side missed."""
    DESTINATION = "destination"
    """The dial code fell into another destination."""
    ROUNDING = "rounding"
    """Same rate and quantity, another rounding."""
    INVENTED = "invented"
    """Records only the creditor holds, with the marks of forgery."""
    NOT_REVEALED = "not_revealed"
    """Declared by the creditor, its records not revealed, or not those of the declared root."""
    LATE_RECORD = "late_record"
    """Declared after its own period was closed, as a correction of it."""
    NUMBER_FORMAT = "number_format"
    """Each side wrote the called number its own way: national, or with another prefix."""
    ORIGIN_CLASS = "origin_class"
    """One side did not ask where the call comes from."""
    CURRENCY = "currency"
    """All prices differ by one factor: another exchange rate, another date of it, another currency."""
    NEGATIVE_DECLARATION = "negative_declaration"
    """A record of less than nothing: an adjustment that belongs in a correction."""
    VOLUME_COUNTER = "volume_counter"
    """The two sides' counters of a deal's volume passed a tier at another record."""
    SEGMENTS = "segments"
    """A message counted as another number of segments."""
    DELIVERY_BASIS = "delivery_basis"
    """One side charges every message that was submitted, the other those delivered."""
    SAMPLES = "samples"
    """Each side measured other octets."""
    PERCENTILE = "percentile"
    """A charge follows from the samples under another definition of the percentile than the agreed one."""
    HEADER_DETAIL = "header_detail"
    """A charge does not follow from the side's own samples: the header against the detail."""
    CIRCUIT_DATES = "circuit_dates"
    """A private line in service on other days."""
    OUTAGE_MINUTES = "outage_minutes"
    """A private line's charge with another credit for outages."""


_MIRRORED = {
    Cause.MISSING_AT_THEIRS: Cause.MISSING_AT_OURS,
    Cause.MISSING_AT_OURS: Cause.MISSING_AT_THEIRS,
    Cause.DUPLICATE_AT_OURS: Cause.DUPLICATE_AT_THEIRS,
    Cause.DUPLICATE_AT_THEIRS: Cause.DUPLICATE_AT_OURS,
}


def mirrored(cause: Cause) -> Cause:
    """The same cause as the other side sees it."""
    return _MIRRORED.get(cause, cause)


class Severity(StrEnum):
    """What a desk should do with a finding."""

    NOTICE = "notice"
    """Within tolerance, or costs nothing."""
    DISPUTE = "dispute"
    """Outside tolerance: to be disputed by the debtor."""
    FORGERY = "forgery"
    """Evidence of forgery: disputed in full."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One explained difference in one direction, service and period.

    `ours_micros - theirs_micros` summed over all findings equals the difference of the two totals, to the last micro.
    """

    cause: Cause
    severity: Severity
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    """Records or pairs it covers."""
    ours_micros: Micros
    theirs_micros: Micros
    route: str | None
    destination: str | None
    day: date | None
    explanation: str
    """A sentence for a clerk, with number, unit and side."""
    rule: str
    """The rule and threshold that made it."""

    @property
    def difference_micros(self) -> Micros:
        """Ours minus theirs."""
        return Micros(self.ours_micros - self.theirs_micros)
