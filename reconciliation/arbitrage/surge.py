"""Did a stretch of time carry more of some traffic than it should have, and whose calls are too many?

What a stretch should have carried follows from the same hours of other days, scaled by the rest of the direction's
traffic where there is enough of it: so that a weekend, a holiday or a fair moves the expectation, and only traffic that
moves alone stands out. Odds are Chernoff's bound for a compound Poisson volume, made milder by how much the other days
spread in truth (quasi-Poisson; McCullagh and Nelder, Generalized Linear Models, section 6.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from reconciliation.forgery.chance import surprise
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.side import Flags, Ints, exact_sum

LEAST_DAYS = 5
"""Other days that must show what is usual, where the rest of the traffic scales them; of weekly ones LEAST_WEEKS."""
LEAST_WEEKS = 3
LEAST_CONTROL = 50
"""Calls of the rest of the direction that scale an expectation."""
ALMOST_ALL = 0.8
"""Share of a caller's calls that lie in the stretch, if it called for that alone."""
NATS_OF_TEN = 2.302585092994046


class Stretch(NamedTuple):
    """UTC milliseconds: [begin, end)."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Surge:
    """Traffic of a stretch that should not have been there."""

    rows: Ints
    """Of those who called for that stretch alone, where they are enough to explain it; else all of it."""
    seen_ms: int
    usual_ms: int
    days: int
    """Stretches that showed what is usual."""
    named: bool
    """Whether `rows` are those of few callers."""

    @property
    def excess_ms(self) -> int:
        return self.seen_ms - self.usual_ms

    @property
    def percent(self) -> int:
        """Of what is usual."""
        return self.seen_ms * 100 // max(1, self.usual_ms)


def find_surge(table: pa.Table, mine: Flags, stretch: Stretch, within: Stretch, terms: DetectorTerms) -> Surge | None:
    """What a stretch carried too much of the rows `mine`, by the same hours of the other days of `within`.

    Volume is charged quantity. None if it is less than `surge_percent` of what is usual, or too few other days show
    what is usual, or the odds are better than one in ten to the power of `odds_power`, both of the volume and of the
    part of it that belongs to callers who called in that stretch alone.
    """
    start_ms, volume = (np.asarray(table[name].to_numpy(), np.int64) for name in ("start_ms", "charged_quantity"))
    others = [Stretch(stretch.begin + day, stretch.end + day) for day in _shifts(stretch, within)]
    days = _days(np.sort(start_ms[~mine]), stretch, others)
    if days is None:
        return None
    where = [_during(start_ms, mine, each) for each in (stretch, *days.others)]
    callers = np.unique(text_hashes(table["a_party"]), return_inverse=True)[1]
    own = [rows[_alone(callers, mine, rows)] for rows in where]
    whole, expected = _odds(volume, where, days)
    if int(volume[where[0]].sum()) * 100 < expected * terms.surge_percent:
        return None
    if max(whole, _odds(volume, own, days)[0]) < terms.odds_power * NATS_OF_TEN:
        return None
    seen = exact_sum(volume[where[0]])
    named = exact_sum(volume[own[0]]) * 2 >= seen - round(expected)
    return Surge(own[0] if named else where[0], seen, round(expected), len(days.others), named)


class _Days(NamedTuple):
    """Stretches that show what is usual, and how much the rest of the direction had in each, and in the one asked."""

    others: list[Stretch]
    weights: Ints
    weight: int


def _shifts(stretch: Stretch, within: Stretch) -> list[int]:
    """Whole days by which the stretch can move and stay inside, beside itself."""
    length = -(-(stretch.end - stretch.begin) // DAY_MS)
    days = range(-((stretch.begin - within.begin) // DAY_MS), (within.end - stretch.end) // DAY_MS + 1)
    return [day * DAY_MS for day in days if abs(day) >= length]


def _days(rest: Ints, stretch: Stretch, others: list[Stretch]) -> _Days | None:
    """By the rest of the direction, whose starts are `rest` in order, where there is enough of it; else by the week."""
    if len(others) >= LEAST_DAYS:
        control = np.diff(np.searchsorted(rest, np.array([stretch, *others])), axis=1)[:, 0]
        if int(control.min()) >= LEAST_CONTROL:
            return _Days(others, control[1:], int(control[0]))
    weekly = [each for each in others if (each.begin - stretch.begin) % (7 * DAY_MS) == 0]
    return _Days(weekly, np.ones(len(weekly), np.int64), 1) if len(weekly) >= LEAST_WEEKS else None


def _during(start_ms: Ints, mine: Flags, stretch: Stretch) -> Ints:
    return np.flatnonzero(mine & (start_ms >= stretch.begin) & (start_ms < stretch.end))


def _alone(callers: Ints, mine: Flags, rows: Ints) -> Flags:
    """Which of the rows are of callers who called several times, nearly always in these."""
    inside, every = np.bincount(callers[rows], minlength=1), np.bincount(callers[mine], minlength=1)
    inside = np.pad(inside, (0, max(0, len(every) - len(inside))))
    alone: Flags = (inside >= 2) & (inside >= ALMOST_ALL * every)
    return alone[callers[rows]]


def _odds(volume: Ints, where: Sequence[Ints], days: _Days) -> tuple[float, float]:
    """Nats against so much in the first of the parts, as the others have it, and the volume that was to be expected."""
    seen, *usual = (float(volume[rows].sum()) for rows in where)
    others, weights = np.array(usual), days.weights.astype(np.float64)
    expected = others.sum() * days.weight / weights.sum()
    as_weights = np.maximum(others.sum() * weights / weights.sum(), 1.0)
    spread = float(((others - as_weights) ** 2 / as_weights).sum() / max(1, len(others) - 1))
    lengths = volume[np.concatenate(where[1:])].astype(np.float64)
    by_chance = float((lengths**2).sum() / max(1.0, lengths.sum()))
    # an expectation below one call of the usual length is none
    least = max(by_chance, 60_000.0)
    return surprise(round(seen), max(expected, least)) / max(spread, least), expected
