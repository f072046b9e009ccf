"""By how much do two sides' clocks disagree, on which trunk and since when?

Estimated, not configured: start differences of plausible pairs, by route, pile up at the clock's error. The densest
two minutes give whole-hour errors and odd offsets alike; their median gives the error itself. First for each route as
a whole, then for each of its days; where two days differ, the moment of change is the one that leaves fewest misfits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching.clock_samples import Samples, plausible_pairs, shifts
from reconciliation.matching.file_order import FileOrder, file_order, is_theirs
from reconciliation.matching.side import Flags, Ints, Side, Tolerances

DAY_MS = 86_400_000
NEVER_MS = 2**62
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


class Stretches(NamedTuple):
    """One side's corrections: for each route the moments from which so much is to be taken from a record's start."""

    first: Ints
    """(routes + 1): where each route's stretches begin, and the last's end."""
    from_ms: Ints
    """What starts before a route's first stretch belongs to it, too."""
    offset_ms: Ints

    def corrections(self, route: Ints, start_ms: Ints) -> tuple[Ints, Ints]:
        """Milliseconds to take from each start, and what was seen of each stretch."""
        corrections, seen = np.zeros(len(start_ms), np.int64), self.nothing_seen()
        if len(self.from_ms):
            _correct(route, start_ms, self, corrections, seen)
        return corrections, seen

    def nothing_seen(self) -> Ints:
        """(stretches, 3): how many records each has, its first and last start; none yet."""
        seen = np.zeros((len(self.from_ms), 3), np.int64)
        seen[:, 1:] = NEVER_MS, -NEVER_MS
        return seen

    def errors(self, seen: Ints, routes: tuple[str, ...], *, is_ours: bool) -> tuple["ClockError", ...]:
        """The stretches that are off and have records, in order of route and time."""
        place = np.searchsorted(self.first, np.arange(len(self.from_ms)), side="right") - 1
        return tuple(
            ClockError(is_ours, routes[route], first, last, offset, records)
            for route, offset, (records, first, last) in zip(
                place.tolist(), self.offset_ms.tolist(), seen.tolist(), strict=True
            )
            if offset and records
        )


class Shifts(NamedTuple):
    """What both sides' clocks ask for, route by route."""

    ours: Stretches
    theirs: Stretches


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
    shifts = shifts_of(ours, theirs, tolerance, max(len(ours), len(theirs)))
    found = [
        (side, stretches, stretches.corrections(side.route.codes, side.start_ms))
        for side, stretches in ((ours, shifts.ours), (theirs, shifts.theirs))
    ]
    errors = [stretches.errors(seen, side.route.texts, is_ours=side is ours) for side, stretches, (_, seen) in found]
    return Clocks(found[0][2][0], found[1][2][0], errors[0] + errors[1])


def no_shifts(routes: int) -> Shifts:
    """Nothing to correct."""
    none = Stretches(np.zeros(routes + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    return Shifts(none, none)


def shifts_of(ours: Side, theirs: Side, tolerance: Tolerances, records: int) -> Shifts:
    """What the clocks of both sides' routes ask for, from all records or those whose keys are in the sample.

    `records` is the number of records of the larger side, sampled or not.
    """
    samples = plausible_pairs(ours, theirs, records)
    grids = (_Grid.of(ours, samples.our_row), _Grid.of(theirs, samples.their_row))
    for cells in ((grids[0].route, grids[1].route), (grids[0].day_cell, grids[1].day_cell)):
        samples = _correct_cells(samples, grids, cells, tolerance.window_ms)
    _blame(ours, theirs, grids, np.abs(samples.residual_ms) <= tolerance.window_ms)
    return Shifts(
        _spread(grids[0], -samples.residual_ms, tolerance.window_ms, len(ours.route.texts)),
        _spread(grids[1], samples.residual_ms, tolerance.window_ms, len(theirs.route.texts)),
    )


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
        route = side.route.codes[rows]
        start_ms = side.start_ms[rows]
        day = start_ms // DAY_MS
        first = int(day.min()) if len(day) else 0
        days = int(day.max()) - first + 1 if len(day) else 1
        cell = route * days + (day - first)
        return _Grid(route, cell, start_ms, np.zeros(len(rows), np.int64), days, first)


def _correct_cells(samples: Samples, grids: tuple[_Grid, _Grid], cells: tuple[Ints, Ints], window_ms: int) -> Samples:
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
    lines = cache(ours.all_lines), cache(theirs.all_lines)
    relative = their_grid.offset_ms - our_grid.offset_ms
    off = good & (relative != 0)
    routes = set(zip(our_grid.route[off].tolist(), their_grid.route[off].tolist(), strict=True))
    for our_route, their_route in sorted(routes):
        here, there = our_grid.route == our_route, their_grid.route == their_route
        mine = off & here & there
        both = (
            _Stake(ours, our_grid, our_route, mine, lines[0]),
            _Stake(theirs, their_grid, their_route, mine, lines[1]),
        )
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
    lines: Callable[[], Ints]
    """Of the side's records: read when asked for."""

    def covers(self, start_ms: Ints) -> Flags:
        """Which moments of this side's clock lie in the stretch."""
        mine = self.grid.start_ms[self.samples]
        covered: Flags = (start_ms >= mine.min()) & (start_ms <= mine.max())
        return covered

    def order(self) -> FileOrder | None:
        mine = (self.side.route.codes == self.route) & self.covers(self.side.start_ms)
        return file_order(self.side, self.lines(), mine)

    def set_offset(self, offset_ms: int) -> None:
        self.grid.offset_ms[(self.grid.route == self.route) & self.covers(self.grid.start_ms)] = offset_ms


def _spread(grid: _Grid, residual: Ints, window_ms: int, routes: int) -> Stretches:
    """From the samples' offsets to the stretches of each route that is off somewhere."""
    found: dict[int, list[_Stretch]] = {}
    for route in np.unique(grid.route[grid.offset_ms != 0]).tolist():
        found[route] = _stretches(grid, grid.route == route, residual, window_ms)
    counts = np.array([len(found.get(route, ())) for route in range(routes)], np.int64)
    listed = [stretch for route in sorted(found) for stretch in found[route]]
    return Stretches(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([stretch.from_ms for stretch in listed], np.int64),
        np.array([stretch.offset_ms for stretch in listed], np.int64),
    )


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


@kernel
def _correct(route: Ints, start_ms: Ints, stretches: Stretches, corrections: Ints, seen: Ints) -> None:
    for k in range(len(route)):
        stretch = stretches.first[route[k]]
        end = stretches.first[route[k] + 1]
        if stretch < end:
            while stretch + 1 < end and stretches.from_ms[stretch + 1] <= start_ms[k]:
                stretch += 1
            corrections[k] = stretches.offset_ms[stretch]
            seen[stretch, 0] += 1
            seen[stretch, 1] = min(seen[stretch, 1], start_ms[k])
            seen[stretch, 2] = max(seen[stretch, 2], start_ms[k])
