"""By how much do two sides' clocks disagree, on which trunk and since when?

Estimated, not configured: start differences of plausible pairs, by route, pile up at the clock's error. The densest
two minutes give whole-hour errors and odd offsets alike; their median gives the error itself. First for each route as
a whole, then for each of its days; where two days differ, the moment of change is the one that leaves fewest misfits.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from reconciliation.matching.clock_samples import Samples, plausible_pairs, shifts
from reconciliation.matching.file_order import FileOrder, file_order, is_theirs
from reconciliation.matching.side import Flags, Ints, Side, Tolerances

DAY_MS = 86_400_000
ROUNDS = 8


class ClockError(NamedTuple):
    """A stretch of one side's route whose clock is off."""

    ours: bool
    """Whose route it is."""
    route: str
    from_ms: int
    """First recorded start in it."""
    to_ms: int
    """Last recorded start in it."""
    offset_ms: int
    """Positive: this side's clock runs ahead of the other's."""
    records: int
    """How many it covers."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Corrections: milliseconds to take from each record's start, for both sides."""

    ours: Ints
    theirs: Ints
    errors: tuple[ClockError, ...]

    @property
    def offsets_ms(self) -> tuple[int, ...]:
        """By how much theirs may run ahead of ours somewhere, ascending; none without an error."""
        found = {-error.offset_ms if error.ours else error.offset_ms for error in self.errors}
        return tuple(sorted(found | {0})) if found else ()


class _Stretch(NamedTuple):
    from_ms: int
    offset_ms: int


def estimate(ours: Side, theirs: Side, tolerance: Tolerances) -> Clocks:
    """Find the clock errors of both sides' routes; columns are in record order."""
    samples = plausible_pairs(ours, theirs)
    grids = (_Grid.of(ours, samples.our_row), _Grid.of(theirs, samples.their_row))
    for cells in ((grids[0].route, grids[1].route), (grids[0].day_cell, grids[1].day_cell)):
        samples = _correct(samples, grids, cells, tolerance.window_ms)
    _blame(ours, theirs, grids, np.abs(samples.residual_ms) <= tolerance.window_ms)
    ours_ms, our_errors = _spread(ours, grids[0], -samples.residual_ms, tolerance.window_ms, is_ours=True)
    theirs_ms, their_errors = _spread(theirs, grids[1], samples.residual_ms, tolerance.window_ms, is_ours=False)
    return Clocks(ours_ms, theirs_ms, our_errors + their_errors)


@dataclass(slots=True)
class _Grid:
    """The estimate in the making for one side: an offset for each sample's (route, day)."""

    route: Ints
    day_cell: Ints
    start_ms: Ints
    offset_ms: Ints
    days: int
    first_day: int

    @staticmethod
    def of(side: Side, rows: Ints) -> "_Grid":
        day = side.start_ms // DAY_MS
        first = int(day.min()) if len(day) else 0
        days = int(day.max()) - first + 1 if len(day) else 1
        route = side.route.codes[rows]
        start_ms = side.start_ms[rows]
        cell = route * days + (start_ms // DAY_MS - first)
        return _Grid(route, cell, start_ms, np.zeros(len(rows), np.int64), days, first)


def _correct(samples: Samples, grids: tuple[_Grid, _Grid], cells: tuple[Ints, Ints], window_ms: int) -> Samples:
    """Correct the side whose cells gain most until none gains; the grids' offsets follow."""
    residual = samples.residual_ms
    for _ in range(ROUNDS):
        found = [shifts(side_cells, samples.key, residual, window_ms) for side_cells in cells]
        gains = [int(gain.sum()) for _, gain in found]
        if max(gains) == 0:
            break
        side = 1 if gains[1] >= gains[0] else 0
        shift = found[side][0]
        grids[side].offset_ms += shift if side == 1 else -shift
        residual = residual - shift
    return samples._replace(residual_ms=residual)


def _blame(ours: Side, theirs: Side, grids: tuple[_Grid, _Grid], good: Flags) -> None:
    """Where one route of theirs is one of ours and nothing else, the start differences do not say whose clock is off:
    let each side's file decide (file_order.py), and move the offset to the side it names. `good`: samples that fit."""
    our_grid, their_grid = grids
    relative = their_grid.offset_ms - our_grid.offset_ms
    off = good & (relative != 0)
    routes = set(zip(our_grid.route[off].tolist(), their_grid.route[off].tolist(), strict=True))
    for our_route, their_route in sorted(routes):
        here, there = our_grid.route == our_route, their_grid.route == their_route
        mine = off & here & there
        both = (_Stake(ours, our_grid, our_route, mine), _Stake(theirs, their_grid, their_route, mine))
        in_stretch = good & (here | there) & both[0].covers(our_grid.start_ms)
        if len(np.unique(relative[mine])) != 1 or mine.sum() * 100 < in_stretch.sum() * 99:
            continue
        offset_ms = int(relative[mine][0])
        blamed = is_theirs(both[0].order(), both[1].order(), offset_ms)
        if blamed is not None:
            both[0].set_offset(0 if blamed else -offset_ms)
            both[1].set_offset(offset_ms if blamed else 0)


@dataclass(frozen=True, slots=True)
class _Stake:
    """One side's part in a stretch whose blame is to be decided."""

    side: Side
    grid: _Grid
    route: int
    samples: Flags

    def covers(self, start_ms: Ints) -> Flags:
        """Which moments of this side's clock lie in the stretch."""
        mine = self.grid.start_ms[self.samples]
        covered: Flags = (start_ms >= mine.min()) & (start_ms <= mine.max())
        return covered

    def order(self) -> FileOrder | None:
        return file_order(self.side, (self.side.route.codes == self.route) & self.covers(self.side.start_ms))

    def set_offset(self, offset_ms: int) -> None:
        self.grid.offset_ms[(self.grid.route == self.route) & self.covers(self.grid.start_ms)] = offset_ms


def _spread(
    side: Side, grid: _Grid, residual: Ints, window_ms: int, *, is_ours: bool
) -> tuple[Ints, tuple[ClockError, ...]]:
    """From the samples' offsets to every record's correction, and the stretches that are off."""
    corrections = np.zeros(len(side), np.int64)
    errors: list[ClockError] = []
    for route in np.unique(grid.route[grid.offset_ms != 0]).tolist():
        mine = grid.route == route
        stretches = _stretches(grid, mine, residual, window_ms)
        rows = np.flatnonzero(side.route.codes == route)
        which = np.searchsorted([s.from_ms for s in stretches[1:]], side.start_ms[rows], side="right")
        corrections[rows] = np.array([s.offset_ms for s in stretches], np.int64)[which]
        for at, stretch in enumerate(stretches):
            starts = side.start_ms[rows[which == at]]
            if stretch.offset_ms and len(starts):
                name = side.route.texts[route]
                errors.append(
                    ClockError(is_ours, name, int(starts.min()), int(starts.max()), stretch.offset_ms, len(starts))
                )
    return corrections, tuple(errors)


def _stretches(grid: _Grid, mine: Flags, residual: Ints, window_ms: int) -> list[_Stretch]:
    """The route's offsets in order of time, each from the moment it begins."""
    order = np.argsort(grid.start_ms[mine], kind="stable")
    start = grid.start_ms[mine][order]
    offset = grid.offset_ms[mine][order]
    raw = residual[mine][order] + offset
    day = start // DAY_MS
    days, firsts = np.unique(day, return_index=True)
    daily = [(int(d), int(offset[f])) for d, f in zip(days, firsts, strict=True)]
    stretches = [_Stretch(int(start[0]), daily[0][1])]
    for (day_before, before), (day_after, after) in pairwise(daily):
        if after != before:
            near = (day >= day_before) & (day <= day_after)
            cut = _change(start[near], raw[near], before, after, window_ms, day_after * DAY_MS)
            stretches.append(_Stretch(max(cut, stretches[-1].from_ms), after))
    return stretches


def _change(start: Ints, raw: Ints, before: int, after: int, window_ms: int, midnight_ms: int) -> int:
    """The moment that leaves fewest samples outside both offsets; midnight if it is as good as any."""
    early = np.concatenate([[0], np.cumsum(np.abs(raw - before) <= window_ms)])
    late = np.concatenate([np.cumsum((np.abs(raw - after) <= window_ms)[::-1])[::-1], [0]])
    fits = early + late
    best = int(np.argmax(fits))
    at_midnight = int(np.searchsorted(start, midnight_ms))
    if fits[at_midnight] == fits[best]:
        return midnight_ms
    return int(start[best]) if best < len(start) else midnight_ms + DAY_MS
