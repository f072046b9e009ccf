"""What is a difference made of, before anybody is told? Its records and amounts on the creditor's and debtor's side."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.finding import Cause, Severity
from reconciliation.matching.clocks import Clocks
from reconciliation.matching.match import Pairing
from reconciliation.matching.side import Ints, Side, Tolerances, exact_sum
from reconciliation.matching.whole import Whole


@dataclass(frozen=True, slots=True)
class Books:
    """Everything known about one direction, service and period. The creditor is `ours` in `pairing` and `clocks`:
    the engine thinks in roles, so that it says the same whoever runs it."""

    creditor: Side
    debtor: Side
    pairing: Pairing
    clocks: Clocks
    tolerance: Tolerances
    bounds_ms: tuple[int, int]
    """The period in its accounting zone: [start, end)."""
    zone: ZoneInfo
    """The accounting zone, in which findings name days."""
    period: Period
    service: Service
    whole: Whole
    """What there is to know of the records that are in neither side, because they need no explanation."""

    def days_of(self, first_ms: int, last_ms: int) -> str:
        """Words for the days from one moment to another."""
        return f"{day_of(first_ms, self.zone)} to {day_of(last_ms, self.zone)}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cause with its records; four parallel columns, -1 where a side has no record."""

    cause: Cause
    severity: Severity
    rule: str
    """The rule and threshold that made it."""
    creditor_rows: Ints
    debtor_rows: Ints
    creditor_micros: Ints
    debtor_micros: Ints
    fields: str = ""
    """What differs in the records, as column names."""
    route: str | None = None
    destination: str | None = None
    day: date | None = None
    detail: str = ""
    """The rest of the sentence, the same for both sides; {creditor}, {debtor} and {currency} stand in it."""
    count: int = field(default=-1)
    """Records or pairs; -1: one for each row."""

    @property
    def size(self) -> int:
        return len(self.creditor_rows) if self.count < 0 else self.count

    @property
    def total_creditor(self) -> Micros:
        return Micros(exact_sum(self.creditor_micros))

    @property
    def total_debtor(self) -> Micros:
        return Micros(exact_sum(self.debtor_micros))


def severity_of(creditor_micros: int, debtor_micros: int) -> Severity:
    """Beyond tolerance a debtor disputes what the creditor claims too much; the reverse is for the desk to know."""
    return Severity.DISPUTE if creditor_micros > debtor_micros else Severity.NOTICE


def nothing(rows: Ints) -> Ints:
    """A column of zeros beside rows."""
    return np.zeros(len(rows), np.int64)


def nobody(rows: Ints) -> Ints:
    """A column that says: no record here."""
    return np.full(len(rows), -1, np.int64)


def day_of(at_ms: int, zone: tzinfo = UTC) -> date:
    """The day of a moment, of UTC unless told otherwise."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date()


def span_words(duration_ms: int) -> str:
    """Words for a duration: "8 h", "47 s", "1 h 2 min"."""
    seconds, rest = divmod(duration_ms, 1000)
    if duration_ms < 60_000:
        return f"{seconds} s" if rest == 0 else f"{duration_ms / 1000:.1f} s"
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    words = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(words)
