"""Did a stretch of time carry more of some traffic than it should have, and whose calls are too many?

What a stretch should have carried follows from the same hours of other days, scaled by the rest of the direction's
traffic where there is enough of it: so that a weekend, a holiday or a fair moves the expectation, and only traffic that
moves alone stands out. Odds are Chernoff's bound for a compound Poisson volume, made milder by how much the other days
spread in truth (quasi-Poisson; McCullagh and Nelder, Generalized Linear Models, section 6.2).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from reconciliation.forgery.marks import surprise
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

    Volume is charged quantity. None if it is less than `surge_percent` of what is usual, or its odds are better than
    one in ten to the power of `odds_power`, or too few other days show what is usual.
    """
    start_ms, volume = (np.asarray(table[name].to_numpy(), np.int64) for name in ("start_ms", "charged_quantity"))
    others = [Stretch(stretch.begin + day, stretch.end + day) for day in _shifts(stretch, within)]
    usual = _usual(start_ms, volume, mine, stretch, others)
    if usual is None:
        return None
    now = mine & (start_ms >= stretch.begin) & (start_ms < stretch.end)
    seen, (expected, spread, days) = exact_sum(volume[now]), usual
    nats = surprise(seen, max(expected, 1.0)) / max(spread, _call_spread(volume[mine]))
    if seen * 100 < expected * terms.surge_percent or nats < terms.odds_power * NATS_OF_TEN:
        return None
    rows, named = _whose(table, mine, now, seen - round(expected), volume)
    return Surge(rows, seen, round(expected), days, named)


def _shifts(stretch: Stretch, within: Stretch) -> list[int]:
    """Whole days by which the stretch can move and stay inside, beside itself."""
    length = -(-(stretch.end - stretch.begin) // DAY_MS)
    days = range(-((stretch.begin - within.begin) // DAY_MS), (within.end - stretch.end) // DAY_MS + 1)
    return [day * DAY_MS for day in days if abs(day) >= length]


def _usual(
    start_ms: Ints, volume: Ints, mine: Flags, stretch: Stretch, others: list[Stretch]
) -> tuple[float, float, int] | None:
    """Expected volume of the stretch, how the others spread about theirs (variance over mean), and their number."""
    if not others:
        return None
    rest = np.sort(start_ms[~mine])
    order = np.argsort(start_ms[mine], kind="stable")
    starts, sums = start_ms[mine][order], np.concatenate([[0], np.cumsum(volume[mine][order])])
    control, now = _counts(rest, others), int(_counts(rest, [stretch])[0])
    seen = np.diff(sums[np.searchsorted(starts, np.array(others)).reshape(-1, 2)], axis=1)[:, 0].astype(np.float64)
    if now >= LEAST_CONTROL and int(control.min()) > 0 and len(others) >= LEAST_DAYS:
        share = control / control.sum()
        expected_others, expected = seen.sum() * share, seen.sum() * now / control.sum()
    else:
        weekly = np.array([(each.begin - stretch.begin) % (7 * DAY_MS) == 0 for each in others])
        if weekly.sum() < LEAST_WEEKS:
            return None
        seen = seen[weekly]
        expected_others, expected = np.full(len(seen), seen.mean()), float(seen.mean())
    apart = (seen - expected_others) ** 2 / np.maximum(expected_others, 1.0)
    return float(expected), float(apart.sum() / max(1, len(seen) - 1)), len(seen)


def _counts(ordered: Ints, stretches: list[Stretch]) -> Ints:
    found: Ints = np.diff(np.searchsorted(ordered, np.array(stretches)).reshape(-1, 2), axis=1)[:, 0]
    return found


def _call_spread(volume: Ints) -> float:
    """Variance over mean of a sum of so many calls of these lengths, if nothing but chance makes their number."""
    lengths = volume.astype(np.float64)
    return float((lengths**2).sum() / max(1.0, lengths.sum()))


def _whose(table: pa.Table, mine: Flags, now: Flags, excess: int, volume: Ints) -> tuple[Ints, bool]:
    """The stretch's rows of callers who called for it alone, if they make half of what is too much; else all."""
    callers = text_hashes(table["a_party"])
    values, place = np.unique(callers, return_inverse=True)
    inside = np.bincount(place[now], minlength=len(values))
    alone = inside >= np.maximum(1, ALMOST_ALL * np.bincount(place[mine], minlength=len(values)))
    busy = alone & (inside >= 2)
    rows = np.flatnonzero(now & busy[place])
    if len(rows) and exact_sum(volume[rows]) * 2 >= excess:
        return rows, True
    return np.flatnonzero(now), False
