"""By how much do the totals differ, for each destination and day and in all, and is that worth a dispute?"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from ledger.agreement import Tolerance
from ledger.money import Micros
from reconciliation.matching.side import Ints, Side, exact_sum, exact_sums

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

    @property
    def difference_micros(self) -> Micros:
        """Ours minus theirs."""
        return Micros(self.ours_micros - self.theirs_micros)


def compare_totals(ours: Side, theirs: Side, zone: ZoneInfo, tolerance: Tolerance) -> Totals:
    """Sum both sides by destination and day of the accounting zone; a key that only one side has is listed too."""
    keys = sorted(_keys(ours, zone) | _keys(theirs, zone))
    index = {key: at for at, key in enumerate(keys)}
    us, them = _sums(ours, zone, index), _sums(theirs, zone, index)
    listed = tuple(_key_total(key, us[at], them[at], tolerance) for at, key in enumerate(keys))
    our_sum, their_sum = exact_sum(ours.amount), exact_sum(theirs.amount)
    equal = all(key.verdict == Verdict.EQUAL for key in listed)
    return Totals(
        ours_count=len(ours),
        theirs_count=len(theirs),
        ours_quantity=exact_sum(ours.quantity),
        theirs_quantity=exact_sum(theirs.quantity),
        ours_micros=Micros(our_sum),
        theirs_micros=Micros(their_sum),
        verdict=Verdict.EQUAL if equal else verdict_of_total(our_sum, their_sum, tolerance),
        keys=listed,
    )


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


@dataclass(frozen=True, slots=True)
class _Sum:
    count: int
    quantity: int
    micros: int


def _days(side: Side, zone: ZoneInfo) -> Ints:
    """The accounting day of each record, as an ordinal; a zone's offset is looked up once a quarter hour."""
    quarters, where = np.unique(side.start_ms // QUARTER_MS, return_inverse=True)
    days = [
        datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).date().toordinal() for quarter in quarters.tolist()
    ]
    return np.array(days, np.int64)[where] if len(days) else np.empty(0, np.int64)


def _cells(side: Side, zone: ZoneInfo) -> Ints:
    return side.destination.codes * 10_000_000 + _days(side, zone)


def _named(side: Side, cell: int) -> tuple[str, int]:
    return side.destination.texts[cell // 10_000_000], cell % 10_000_000


def _keys(side: Side, zone: ZoneInfo) -> set[tuple[str, int]]:
    return {_named(side, cell) for cell in np.unique(_cells(side, zone)).tolist()}


def _sums(side: Side, zone: ZoneInfo, index: dict[tuple[str, int], int]) -> list[_Sum]:
    cells, where = np.unique(_cells(side, zone), return_inverse=True)
    position = np.array([index[_named(side, cell)] for cell in cells.tolist()], np.int64)
    group = position[where] if len(cells) else np.empty(0, np.int64)
    count = np.bincount(group, minlength=len(index)).tolist()
    quantity, micros = (exact_sums(group, column, len(index)) for column in (side.quantity, side.amount))
    return [_Sum(*each) for each in zip(count, quantity, micros, strict=True)]


def _key_total(key: tuple[str, int], ours: _Sum, theirs: _Sum, tolerance: Tolerance) -> KeyTotal:
    verdict = Verdict.EQUAL if ours == theirs else verdict_of_key(ours.micros, theirs.micros, tolerance)
    return KeyTotal(
        *(key[0], date.fromordinal(key[1]), ours.count, theirs.count, ours.quantity, theirs.quantity),
        *(Micros(ours.micros), Micros(theirs.micros), verdict),
    )
