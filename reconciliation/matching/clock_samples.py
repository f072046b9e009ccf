"""What do two sides' records say about their clocks? Start differences of plausible pairs, and where they pile up."""

from typing import NamedTuple

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching.keys import pair_hashes, row_bits, sorted_words
from reconciliation.matching.side import Ints, Side

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
LAST_KEY = 2**64 - 1


class Starts(NamedTuple):
    """What the compiled loop reads of one side."""

    start_ms: Ints
    quantity: Ints


class Samples(NamedTuple):
    """Plausible pairs: one entry each; `residual_ms` = corrected start at theirs minus at ours."""

    our_row: Ints
    their_row: Ints
    key: Ints
    """Which pair of numbers it is of, from 0."""
    residual_ms: Ints


def sample_bound(records: int) -> int:
    """Keys up to this one are the sample of two sides of which the larger has so many records."""
    return (LAST_KEY + 1) * ENOUGH // max(ENOUGH, records) - 1


def plausible_pairs(ours: Side, theirs: Side, records: int) -> Samples:
    """Pairs among the records of the sample's keys; `records` as in `sample_bound`."""
    bits = row_bits(len(ours), len(theirs))
    our_keys, our_rows = _first_keys(ours, bits, sample_bound(records))
    their_keys, their_rows = _first_keys(theirs, bits, sample_bound(records))
    us, them = Starts(ours.start_ms, ours.quantity), Starts(theirs.start_ms, theirs.quantity)
    pairs = _plausible(our_keys, our_rows, us, their_keys, their_rows, them)
    our_row, their_row, key = pairs[:, 0], pairs[:, 1], pairs[:, 2]
    return Samples(our_row, their_row, key, theirs.start_ms[their_row] - ours.start_ms[our_row])


def _first_keys(side: Side, bits: int, bound: int) -> tuple[Ints, Ints]:
    """Keys up to the bound, ascending, and the rows they belong to."""
    keys = pair_hashes(side.a_hash, side.b_hash)
    rows = np.flatnonzero(keys <= np.uint64(bound))
    first, order = sorted_words(keys[rows], bits)
    return first, rows[order]


def shifts(cells: Ints, key: Ints, residual: Ints, window_ms: int) -> tuple[Ints, Ints]:
    """For each sample the shift its cell asks for (0 if it does not pay), and 1 where it was counted as gain."""
    shift = np.zeros(len(cells), np.int64)
    gain = np.zeros(len(cells), np.int64)
    order = np.argsort((cells << 32) + residual)  # one word: residuals are of hours
    _shift_cells(cells[order], key[order], residual[order], order, window_ms, shift, gain)
    return shift, gain


@kernel
def _plausible(
    our_keys: Ints,
    our_rows: Ints,
    ours: Starts,
    their_keys: Ints,
    their_rows: Ints,
    theirs: Starts,
) -> Ints:
    """(our row, their row, key) of each combination with one key, starts within SPAN_MS and similar quantities."""
    found = np.empty((2 * (len(our_keys) + len(their_keys)) + BUSY_KEY, 3), np.int64)
    count = 0
    key = 0
    i = 0
    j = 0
    while i < len(our_keys) and j < len(their_keys) and count + BUSY_KEY <= len(found):
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


@kernel
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


@kernel
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
