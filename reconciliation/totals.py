"""By how much do the totals differ, for each destination and day and in all, and is that worth a dispute?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from zoneinfo import ZoneInfo

import numpy as np

from ledger.agreement import Tolerance
from ledger.money import Micros
from reconciliation.matching.side import Ints, Side, exact_sums

QUARTER_MS = 900_000
MADRID_FLOOR_MICROS = 25_000_000
MADRID_STEP_MICROS = 100_000_000_000


class Verdict(StrEnum):
    """What the agreement's tolerance says of a difference."""

    EQUAL = "equal"
    """No difference in count, quantity or amount."""
    WITHIN = "within"
    """A difference the agreement lets pass."""
    BEYOND = "beyond"
    """One that may be disputed."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one side's records of one key."""

    count: int
    quantity: int
    micros: int

    def plus(self, other: "Sum") -> "Sum":
        """Both together."""
        return Sum(self.count + other.count, self.quantity + other.quantity, self.micros + other.micros)


NOTHING = Sum(0, 0, 0)
Sums = Mapping[tuple[str, date], Sum]
"""One side's records by destination and accounting day; no key without records."""


@dataclass(frozen=True, slots=True)
class KeyTotal:
    """Both sides' totals of one destination and accounting day."""

    destination: str
    day: date
    ours_count: int
    theirs_count: int
    ours_quantity: int
    theirs_quantity: int
    ours_micros: Micros
    theirs_micros: Micros
    verdict: Verdict

    @property
    def difference_micros(self) -> Micros:
        """Ours minus theirs."""
        return Micros(self.ours_micros - self.theirs_micros)


@dataclass(frozen=True, slots=True)
class Totals:
    """Both sides' totals of a direction, service and period; `keys` in order of destination and day."""

    ours_count: int
    theirs_count: int
    ours_quantity: int
    theirs_quantity: int
    ours_micros: Micros
    theirs_micros: Micros
    verdict: Verdict
    keys: tuple[KeyTotal, ...]

    def sums(self) -> tuple[Sums, Sums]:
        """Ours and theirs by destination and day."""
        names = [(key.destination, key.day) for key in self.keys]
        ours = (Sum(key.ours_count, key.ours_quantity, key.ours_micros) for key in self.keys)
        theirs = (Sum(key.theirs_count, key.theirs_quantity, key.theirs_micros) for key in self.keys)
        return _filled(dict(zip(names, ours, strict=True))), _filled(dict(zip(names, theirs, strict=True)))

    @property
    def difference_micros(self) -> Micros:
        """Ours minus theirs."""
        return Micros(self.ours_micros - self.theirs_micros)


def compare_totals(ours: Sums, theirs: Sums, tolerance: Tolerance) -> Totals:
    """Both sides by destination and day; a key that only one side has is listed too."""
    listed = tuple(
        _key_total(key, ours.get(key, NOTHING), theirs.get(key, NOTHING), tolerance)
        for key in sorted(ours.keys() | theirs.keys())
    )
    us, them = reduce(Sum.plus, ours.values(), NOTHING), reduce(Sum.plus, theirs.values(), NOTHING)
    equal = all(key.verdict == Verdict.EQUAL for key in listed)
    return Totals(
        *(us.count, them.count, us.quantity, them.quantity, Micros(us.micros), Micros(them.micros)),
        verdict=Verdict.EQUAL if equal else verdict_of_total(us.micros, them.micros, tolerance),
        keys=listed,
    )


def _filled(sums: Sums) -> Sums:
    return {key: each for key, each in sums.items() if each.count}


def sums_of_side(side: Side, zone: ZoneInfo) -> Sums:
    """A side's records by destination and day of the accounting zone."""
    quarters, where = np.unique(side.start_ms // QUARTER_MS, return_inverse=True)
    days = accounting_days(quarters, zone)[where]
    cells, group = np.unique(side.destination.codes * 10_000_000 + days, return_inverse=True)
    counts = np.bincount(group, minlength=len(cells)).tolist()
    quantity, micros = (exact_sums(group, column, len(cells)) for column in (side.quantity, side.amount))
    names = (side.destination.texts[cell // 10_000_000] for cell in cells.tolist())
    dates = (date.fromordinal(cell % 10_000_000) for cell in cells.tolist())
    return dict(zip(zip(names, dates, strict=True), map(Sum, counts, quantity, micros), strict=True))


def sums_together(one: Sums, other: Sums) -> Sums:
    """Of the records of both."""
    return {key: one.get(key, NOTHING).plus(other.get(key, NOTHING)) for key in one.keys() | other.keys()}


def accounting_days(quarters: Ints, zone: ZoneInfo) -> Ints:
    """The accounting day, as an ordinal, of quarter hours since 1970: a zone's offset changes at none smaller."""
    days = (datetime.fromtimestamp(at * 900, UTC).astimezone(zone).date().toordinal() for at in quarters.tolist())
    return np.fromiter(days, np.int64, len(quarters))


def verdict_of_total(ours_micros: int, theirs_micros: int, tolerance: Tolerance) -> Verdict:
    """Beyond from `volume_bps` of the larger side's invoice, or from `volume_micros`, whichever is reached first."""
    apart = abs(ours_micros - theirs_micros)
    share = apart * 10_000 >= max(ours_micros, theirs_micros) * tolerance.volume_bps
    return Verdict.BEYOND if apart and (share or apart >= tolerance.volume_micros) else Verdict.WITHIN


def verdict_of_key(ours_micros: int, theirs_micros: int, tolerance: Tolerance) -> Verdict:
    """A key is judged by the share alone: a month's amount is no measure for a day's."""
    apart = abs(ours_micros - theirs_micros)
    beyond = apart and apart * 10_000 >= max(ours_micros, theirs_micros) * tolerance.volume_bps
    return Verdict.BEYOND if beyond else Verdict.WITHIN


def share_of_ours(ours: int, theirs: int) -> Fraction:
    """(ours - theirs) / ours, signed; 0 if both are zero, 1 if one is (C-11 of the published cases)."""
    if ours == theirs == 0:
        return Fraction(0)
    if 0 in (ours, theirs):
        return Fraction(1)
    return Fraction(ours - theirs, ours)


def madrid_limit_micros(owed_micros: int) -> Micros:
    """The tolerance of the Madrid Convention of 1932 (US Statutes 49(2), p. 535): 1 % of the first 100,000 of an
    account and 0.5 % of the rest, 25 at least; a difference within it is accepted, revision stops once inside."""
    first = min(owed_micros, MADRID_STEP_MICROS)
    rest = max(0, owed_micros - MADRID_STEP_MICROS)
    return Micros(max(MADRID_FLOOR_MICROS, first // 100 + rest // 200))


def exceeds_both(difference_micros: int, owed_micros: int, share_bps: int, least_micros: int) -> bool:
    """The rule of those who escalate only what passes a share *and* an amount."""
    apart = abs(difference_micros)
    return apart * 10_000 > owed_micros * share_bps and apart > least_micros


def _key_total(key: tuple[str, date], ours: Sum, theirs: Sum, tolerance: Tolerance) -> KeyTotal:
    verdict = Verdict.EQUAL if ours == theirs else verdict_of_key(ours.micros, theirs.micros, tolerance)
    return KeyTotal(
        *(*key, ours.count, theirs.count, ours.quantity, theirs.quantity),
        *(Micros(ours.micros), Micros(theirs.micros), verdict),
    )
