"""By how much do two sides' clocks disagree, on which trunk and since when?

Estimated, not configured: start differences of plausible pairs, by route, pile up at the clock's error. The densest
two minutes give whole-hour errors and odd offsets alike; their median gives the error itself. First for each route as
a whole, then for each of its days; where two days differ, the moment of change is the one that leaves fewest misfits.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from reconciliation.compiled import compiled
from reconciliation.file_order import file_order, is_theirs
from reconciliation.keys import pair_hashes, row_bits, sorted_words
from reconciliation.side import Flags, Ints, Side, Tolerances

DAY_MS = 86_400_000
SPAN_MS = 15 * 3_600_000
"""Zones differ by 14 hours at most (UTC+14 against UTC), or 26 between two wrong ones; 15 catches what happens."""
MODE_MS = 120_000
"""Two minutes: wider than any jitter, narrower than any zone step."""
LEAST_SAMPLES = 6
"""A correction must bring plausible pairs of at least so many more keys into the window."""
BUSY_KEY = 16
"""Keys with more combinations than this tell little about the clock and are left out."""
ENOUGH = 200_000
"""Records of one side that are plenty for an estimate; beyond, a share of the keys is used."""
ROUNDS = 8
LAST_KEY = 2**63 - 1


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


class Starts(NamedTuple):
    """What the compiled loop reads of one side."""

    start_ms: Ints
    quantity: Ints


class _Samples(NamedTuple):
    """Plausible pairs: one entry each; `residual_ms` = corrected start at theirs minus at ours."""

    our_row: Ints
    their_row: Ints
    key: Ints
    """Which pair of numbers it is of, from 0."""
    residual_ms: Ints


class _Stretch(NamedTuple):
    from_ms: int
    offset_ms: int


def estimate(ours: Side, theirs: Side, tolerance: Tolerances) -> Clocks:
    """Find the clock errors of both sides' routes; columns are in record order."""
    samples = _samples(ours, theirs)
    grids = (_Grid.of(ours, samples.our_row), _Grid.of(theirs, samples.their_row))
    for cells in ((grids[0].route, grids[1].route), (grids[0].day_cell, grids[1].day_cell)):
        samples = _correct(samples, grids, cells, tolerance.window_ms)
    _blame(ours, theirs, grids)
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


def _samples(ours: Side, theirs: Side) -> _Samples:
    bits = row_bits(len(ours), len(theirs))
    our_keys, our_rows = sorted_words(pair_hashes(ours.a_hash, ours.b_hash), bits)
    their_keys, their_rows = sorted_words(pair_hashes(theirs.a_hash, theirs.b_hash), bits)
    last_key = min(LAST_KEY, (1 << (64 - bits)) * ENOUGH // max(ENOUGH, len(theirs)))
    us, them = Starts(ours.start_ms, ours.quantity), Starts(theirs.start_ms, theirs.quantity)
    pairs = _plausible(our_keys, our_rows, us, their_keys, their_rows, them, last_key)
    our_row, their_row, key = pairs[:, 0], pairs[:, 1], pairs[:, 2]
    return _Samples(our_row, their_row, key, theirs.start_ms[their_row] - ours.start_ms[our_row])


def _correct(samples: _Samples, grids: tuple[_Grid, _Grid], cells: tuple[Ints, Ints], window_ms: int) -> _Samples:
    """Correct the side whose cells gain most until none gains; the grids' offsets follow."""
    residual = samples.residual_ms
    for _ in range(ROUNDS):
        shifts = [_shifts(side_cells, samples.key, residual, window_ms) for side_cells in cells]
        gains = [int(gain.sum()) for _, gain in shifts]
        if max(gains) == 0:
            break
        side = 1 if gains[1] >= gains[0] else 0
        shift = shifts[side][0]
        grids[side].offset_ms += shift if side == 1 else -shift
        residual = residual - shift
    return samples._replace(residual_ms=residual)


def _blame(ours: Side, theirs: Side, grids: tuple[_Grid, _Grid]) -> None:
    """Where one route of theirs is one of ours and nothing else, the start differences do not say whose clock is off:
    let each side's file decide (file_order.py), and move the offset to the side it names."""
    our_grid, their_grid = grids
    off = (our_grid.offset_ms != 0) | (their_grid.offset_ms != 0)
    for our_route, their_route in sorted(
        set(zip(our_grid.route[off].tolist(), their_grid.route[off].tolist(), strict=True))
    ):
        pair = (our_grid.route == our_route) & (their_grid.route == their_route)
        alone = (our_grid.route == our_route) | (their_grid.route == their_route)
        mine = pair & off
        offsets = np.unique((their_grid.offset_ms - our_grid.offset_ms)[mine])
        if len(offsets) != 1 or pair.sum() * 100 < alone.sum() * 99:
            continue
        stretches = [
            _rows_between(s, g, r, mine) for s, g, r in ((ours, our_grid, our_route), (theirs, their_grid, their_route))
        ]
        blamed = is_theirs(file_order(ours, stretches[0]), file_order(theirs, stretches[1]), int(offsets[0]))
        if blamed is not None:
            our_grid.offset_ms[mine] = 0 if blamed else -offsets[0]
            their_grid.offset_ms[mine] = offsets[0] if blamed else 0


def _rows_between(side: Side, grid: _Grid, route: int, samples: Flags) -> Flags:
    """The route's records from the first of these samples to the last."""
    first, last = grid.start_ms[samples].min(), grid.start_ms[samples].max()
    rows: Flags = (side.route.codes == route) & (side.start_ms >= first) & (side.start_ms <= last)
    return rows


def _shifts(cells: Ints, key: Ints, residual: Ints, window_ms: int) -> tuple[Ints, Ints]:
    """For each sample the shift its cell asks for (0 if it does not pay), and 1 where it was counted as gain."""
    shift = np.zeros(len(cells), np.int64)
    gain = np.zeros(len(cells), np.int64)
    order = np.lexsort((residual, cells))
    _shift_cells(cells[order], key[order], residual[order], order, window_ms, shift, gain)
    return shift, gain


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


@compiled
def _plausible(
    our_keys: Ints,
    our_rows: Ints,
    ours: Starts,
    their_keys: Ints,
    their_rows: Ints,
    theirs: Starts,
    last_key: int,
) -> Ints:
    """(our row, their row, key) of each combination with one key, starts within SPAN_MS and similar quantities."""
    found = np.empty((len(our_keys) + 2 * len(their_keys) + BUSY_KEY, 3), np.int64)
    count = 0
    key = 0
    i = 0
    j = 0
    while i < len(our_keys) and j < len(their_keys) and our_keys[i] <= last_key and count + BUSY_KEY <= len(found):
        if our_keys[i] < their_keys[j]:
            i += 1
        elif our_keys[i] > their_keys[j]:
            j += 1
        else:
            i_end = i + 1
            while i_end < len(our_keys) and our_keys[i_end] == our_keys[i]:
                i_end += 1
            j_end = j + 1
            while j_end < len(their_keys) and their_keys[j_end] == their_keys[j]:
                j_end += 1
            if (i_end - i) * (j_end - j) <= BUSY_KEY:
                for x in our_rows[i:i_end]:
                    for y in their_rows[j:j_end]:
                        apart = abs(ours.quantity[x] - theirs.quantity[y])
                        alike = apart <= max(15_000, ours.quantity[x] // 10)
                        if alike and abs(ours.start_ms[x] - theirs.start_ms[y]) <= SPAN_MS:
                            found[count, 0] = x
                            found[count, 1] = y
                            found[count, 2] = key
                            count += 1
            key += 1
            i = i_end
            j = j_end
    return found[:count]


@compiled
def _shift_cells(cells: Ints, key: Ints, residual: Ints, order: Ints, window_ms: int, shift: Ints, gain: Ints) -> None:
    """Cells in order, residuals ascending in each: set `shift` and `gain` of the samples `order` names.

    Keys are counted, not samples: one call that the other side holds six times says no more than once.
    """
    keys = np.int64(0) if len(key) == 0 else key.max() + 1
    seen_with = np.full(keys, -1, np.int64)
    seen_without = np.full(keys, -1, np.int64)
    first = 0
    while first < len(cells):
        end = first + 1
        while end < len(cells) and cells[end] == cells[first]:
            end += 1
        mode = _mode(residual[first:end])
        better = 0
        for k in range(first, end):
            if abs(residual[k] - mode) <= window_ms and seen_with[key[k]] != first:
                seen_with[key[k]] = first
                better += 1
            if abs(residual[k]) <= window_ms and seen_without[key[k]] != first:
                seen_without[key[k]] = first
                better -= 1
        if better >= LEAST_SAMPLES:
            for k in range(first, end):
                shift[order[k]] = mode
            gain[order[first]] = better
        first = end


@compiled
def _mode(residual: Ints) -> int:
    """Median of the densest two minutes of ascending values."""
    low = 0
    best_low = 0
    best_high = 0
    for high in range(len(residual)):
        while residual[high] - residual[low] > MODE_MS:
            low += 1
        if high - low > best_high - best_low:
            best_low = low
            best_high = high
    return int(residual[(best_low + best_high) // 2])
