"""Which record of theirs is which record of ours?

One to one within a key (calling and called number) and a window of time. Records that can reach each other through
such edges form a component; where a component has one record a side the pair is plain, elsewhere an exact assignment
gives the most pairs and, among those, the least total |start difference| + |quantity difference|. What is left is
matched once more under the other clock offsets found, and then on the called number alone, for calling numbers withheld
or rewritten on the way. Duplicates are decided last, among what has no partner.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from ledger.agreement import Tolerance
from reconciliation.assignment import EXACT_LIMIT, NEVER, assign, deviation
from reconciliation.clocks import Clocks
from reconciliation.compiled import compiled
from reconciliation.keys import mixed, pair_hashes, row_bits, sorted_words
from reconciliation.side import Flags, Ints, Side, Tolerances, Words, allowed_ms

TWIN_MS = 1_000
"""Two records of one side and key that start and last the same within this are one event written twice."""


class PairClass(IntEnum):
    """How well the quantities of a pair agree (three classes are the trade's: exact, partial, mismatch)."""

    EXACT = 0
    """The same quantity."""
    PARTIAL = 1
    """Within tolerance."""
    MISMATCH = 2
    """Beyond tolerance."""


class Rule(IntEnum):
    """What made a pair."""

    BOTH_NUMBERS = 0
    """Calling and called number equal, starts within the window."""
    CALLED_NUMBER = 1
    """Called number equal, starts within the window, quantities within tolerance; the calling number differs."""

    OTHER_OFFSET = 2
    """Both numbers equal, starts within the window under another clock offset of the same two sides."""

    @property
    def words(self) -> str:
        return (
            "both numbers, start within the window",
            "called number, start and quantity within tolerance",
            "both numbers, start within the window under another clock offset",
        )[self]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The outcome of a match; every record of either side is in exactly one of these arrays (row numbers)."""

    ours: Ints
    """Our row of each pair, ascending."""
    theirs: Ints
    """Their row of each pair."""
    classes: Ints
    """PairClass of each pair."""
    rules: Ints
    """Rule of each pair."""
    delta_ms: Ints
    """Their corrected start minus our corrected start, of each pair."""
    missing_at_theirs: Ints
    """Our rows without a partner."""
    missing_at_ours: Ints
    """Their rows without a partner."""
    duplicates_at_ours: Ints
    """Our rows that repeat another row of ours."""
    duplicates_at_theirs: Ints
    """Their rows that repeat another row of theirs."""

    def mirrored(self) -> "Pairing":
        """The same outcome seen from the other side."""
        order = np.argsort(self.theirs, kind="stable")
        return Pairing(
            ours=self.theirs[order],
            theirs=self.ours[order],
            classes=self.classes[order],
            rules=self.rules[order],
            delta_ms=-self.delta_ms[order],
            missing_at_theirs=self.missing_at_ours,
            missing_at_ours=self.missing_at_theirs,
            duplicates_at_ours=self.duplicates_at_theirs,
            duplicates_at_theirs=self.duplicates_at_ours,
        )


class Columns(NamedTuple):
    """What the compiled loops read of one side (numba takes named tuples of arrays)."""

    key: Words
    start_ms: Ints
    quantity: Ints
    tie: Ints

    def take(self, rows: Ints, key: Words) -> "Columns":
        """Only these rows, under another key."""
        return Columns(key[rows], self.start_ms[rows], self.quantity[rows], self.tie[rows])


class Reach(NamedTuple):
    """How far apart two records of a pair may be."""

    window_ms: int
    limits: Ints
    """Largest quantity difference for each row of ours; -1: any."""


def match(ours: Side, theirs: Side, tolerance: Tolerance, clocks: Clocks | None = None) -> Pairing:
    """Pair the records of two sides; `clocks` are the corrections to apply first (`clocks.estimate`)."""
    corrected = (clocks.ours, clocks.theirs) if clocks else (0, 0)
    attempt = _Attempt(
        _columns(ours, ours.start_ms - corrected[0]),
        _columns(theirs, theirs.start_ms - corrected[1]),
        np.full(len(ours), -1, np.int64),
        np.full(len(ours), int(Rule.BOTH_NUMBERS), np.int64),
    )
    attempt.add(Rule.BOTH_NUMBERS, tolerance)
    for offset_ms in clocks.offsets_ms if clocks else ():
        attempt.add_under(offset_ms, ours.start_ms, theirs.start_ms, tolerance)
    numbers = mixed(ours.b_hash), mixed(theirs.b_hash)
    attempt.add(Rule.CALLED_NUMBER, tolerance, numbers)
    return _pairing(attempt.ours, attempt.theirs, attempt.mate, attempt.rule, tolerance)


@dataclass(slots=True)
class _Attempt:
    """A match in the making."""

    ours: Columns
    theirs: Columns
    mate: Ints
    """Their row for each of ours, or -1."""
    rule: Ints

    def left(self) -> tuple[Ints, Ints]:
        """Rows of both sides without a partner."""
        taken = np.zeros(len(self.theirs.key), np.bool_)
        taken[self.mate[self.mate >= 0]] = True
        return np.flatnonzero(self.mate < 0), np.flatnonzero(~taken)

    def add(self, rule: Rule, tolerance: Tolerances, keys: tuple[Words, Words] | None = None) -> None:
        """Match what is left, under other keys if given."""
        our_key, their_key = keys or (self.ours.key, self.theirs.key)
        rows, others = self.left()
        found = _sweep_columns(
            self.ours.take(rows, our_key),
            self.theirs.take(others, their_key),
            hard=rule == Rule.CALLED_NUMBER,
            tolerance=tolerance,
        )
        self.mate[rows[found >= 0]] = others[found[found >= 0]]
        self.rule[rows[found >= 0]] = int(rule)

    def add_under(self, offset_ms: int, ours_ms: Ints, theirs_ms: Ints, tolerance: Tolerances) -> None:
        """Match what is left with their clocks ahead by an offset found elsewhere on the route: an hour that a clock
        set back tells twice, or a day with too few calls to show its error."""
        rows, others = self.left()
        if len(rows) == 0 or len(others) == 0:
            return
        before = self.ours.start_ms[rows], self.theirs.start_ms[others]
        self.ours.start_ms[rows], self.theirs.start_ms[others] = ours_ms[rows], theirs_ms[others] - offset_ms
        self.add(Rule.OTHER_OFFSET, tolerance)
        still, others_still = self.left()
        self.ours.start_ms[still] = before[0][np.isin(rows, still)]
        self.theirs.start_ms[others_still] = before[1][np.isin(others, others_still)]


def _columns(side: Side, start_ms: Ints) -> Columns:
    return Columns(pair_hashes(side.a_hash, side.b_hash), start_ms, side.quantity, side.tie)


def _sweep_columns(ours: Columns, theirs: Columns, *, hard: bool, tolerance: Tolerances) -> Ints:
    """Their row for each of ours, or -1; `hard` asks quantities to agree within tolerance."""
    mate = np.full(len(ours.key), -1, np.int64)
    if len(ours.key) == 0 or len(theirs.key) == 0:
        return mate
    bits = row_bits(len(ours.key), len(theirs.key))
    our_keys, our_rows = sorted_words(ours.key, bits)
    their_keys, their_rows = sorted_words(theirs.key, bits)
    limits = allowed_ms(ours.quantity, tolerance) if hard else np.full(len(ours.key), -1, np.int64)
    _sweep(our_keys, our_rows, ours, their_keys, their_rows, theirs, Reach(tolerance.window_ms, limits), mate)
    return mate


def _pairing(ours: Columns, theirs: Columns, mate: Ints, rule: Ints, tolerance: Tolerances) -> Pairing:
    taken = np.zeros(len(theirs.key), np.bool_)
    taken[mate[mate >= 0]] = True
    our_twins, their_twins = _twins(ours, mate >= 0), _twins(theirs, taken)
    our_rows = np.flatnonzero(mate >= 0)
    their_rows = mate[our_rows]
    return Pairing(
        ours=our_rows,
        theirs=their_rows,
        classes=classify(ours.quantity[our_rows], theirs.quantity[their_rows], tolerance),
        rules=rule[our_rows],
        delta_ms=theirs.start_ms[their_rows] - ours.start_ms[our_rows],
        missing_at_theirs=np.flatnonzero((mate < 0) & ~our_twins),
        missing_at_ours=np.flatnonzero(~taken & ~their_twins),
        duplicates_at_ours=np.flatnonzero(our_twins),
        duplicates_at_theirs=np.flatnonzero(their_twins),
    )


def classify(ours: Ints, theirs: Ints, tolerance: Tolerances) -> Ints:
    """PairClass of each pair of quantities; the allowance is that of the larger, so that swapping changes nothing."""
    apart = np.abs(ours - theirs)
    partial = apart <= allowed_ms(np.maximum(ours, theirs), tolerance)
    within = np.where(partial, int(PairClass.PARTIAL), int(PairClass.MISMATCH))
    return np.where(apart == 0, int(PairClass.EXACT), within).astype(np.int64)


def _twins(side: Columns, matched: Flags) -> Flags:
    """Records without a partner that repeat another record of their own side."""
    twins = np.zeros(len(side.key), np.bool_)
    if not matched.all():
        keys, rows = sorted_words(side.key, row_bits(len(side.key)))
        _mark_twins(keys, rows, side, matched, twins)
    return twins


@compiled
def _sweep(
    our_keys: Ints,
    our_rows: Ints,
    ours: Columns,
    their_keys: Ints,
    their_rows: Ints,
    theirs: Columns,
    reach: Reach,
    mate: Ints,
) -> None:
    """Walk the groups of equal keys of both sides in step and match each."""
    i = 0
    j = 0
    while i < len(our_keys) and j < len(their_keys):
        if our_keys[i] < their_keys[j]:
            i += 1
        elif our_keys[i] > their_keys[j]:
            j += 1
        else:
            i_end = _group_end(our_keys, i)
            j_end = _group_end(their_keys, j)
            _match_group(our_rows[i:i_end], ours, their_rows[j:j_end], theirs, reach, mate)
            i = i_end
            j = j_end


@compiled
def _group_end(keys: Ints, first: int) -> int:
    end = first + 1
    while end < len(keys) and keys[end] == keys[first]:
        end += 1
    return end


@compiled
def _match_group(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    """Cut the records of one key into components and match each."""
    _by_start(xs, ours)
    _by_start(ys, theirs)
    x = 0
    y = 0
    while x < len(xs) and y < len(ys):
        delta = ours.start_ms[xs[x]] - theirs.start_ms[ys[y]]
        if delta < -reach.window_ms:
            x += 1
        elif delta > reach.window_ms:
            y += 1
        else:
            x_end, y_end = _component(xs, ours, x, ys, theirs, y, reach.window_ms)
            _match_component(xs[x:x_end], ours, ys[y:y_end], theirs, reach, mate)
            x = x_end
            y = y_end


@compiled
def _by_start(rows: Ints, side: Columns) -> None:
    """Order the rows of one key by start, then by what else they say (Shell 1959, gaps of Knuth).

    Our own few lines, because numba needs seconds to compile a library sort and most keys have one or two rows.
    """
    gap = 1
    while gap * 3 + 1 < len(rows):
        gap = gap * 3 + 1
    while gap > 0:
        for k in range(gap, len(rows)):
            row = rows[k]
            at = k
            while at >= gap:
                before = rows[at - gap]
                later = side.start_ms[before] - side.start_ms[row]
                if later < 0 or (later == 0 and side.tie[before] <= side.tie[row]):
                    break
                rows[at] = before
                at -= gap
            rows[at] = row
        gap //= 3


@compiled
def _component(xs: Ints, ours: Columns, x: int, ys: Ints, theirs: Columns, y: int, window_ms: int) -> tuple[int, int]:
    """Ends of the component that begins with the edge (x, y): nothing beyond is within the window of what is inside."""
    last = max(ours.start_ms[xs[x]], theirs.start_ms[ys[y]])
    x += 1
    y += 1
    while True:
        ours_follow = x < len(xs) and ours.start_ms[xs[x]] <= last + window_ms
        theirs_follow = y < len(ys) and theirs.start_ms[ys[y]] <= last + window_ms
        if ours_follow and (not theirs_follow or ours.start_ms[xs[x]] <= theirs.start_ms[ys[y]]):
            last = max(last, ours.start_ms[xs[x]])
            x += 1
        elif theirs_follow:
            last = max(last, theirs.start_ms[ys[y]])
            y += 1
        else:
            return x, y


@compiled
def _edge(row: int, ours: Columns, other: int, theirs: Columns, reach: Reach) -> int:
    """Cost of pairing two rows, or NEVER. The sort word holds part of the key only, so the whole is compared here."""
    delta = ours.start_ms[row] - theirs.start_ms[other]
    if abs(delta) > reach.window_ms or ours.key[row] != theirs.key[other]:
        return NEVER
    return deviation(delta, ours.quantity[row] - theirs.quantity[other], reach.limits[row])


@compiled
def _match_component(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    if max(len(xs), len(ys)) > EXACT_LIMIT:
        _match_in_order(xs, ours, ys, theirs, reach, mate)
    elif len(xs) == 1 and len(ys) == 1:
        if _edge(xs[0], ours, ys[0], theirs, reach) >= 0:
            mate[xs[0]] = ys[0]
    else:
        _match_exactly(xs, ours, ys, theirs, reach, mate)


@compiled
def _match_exactly(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    turned = len(xs) > len(ys)
    few = min(len(xs), len(ys))
    costs = np.empty((few, max(len(xs), len(ys))), np.int64)
    for r in range(costs.shape[0]):
        for c in range(costs.shape[1]):
            x = c if turned else r
            y = r if turned else c
            costs[r, c] = _edge(xs[x], ours, ys[y], theirs, reach)
    chosen = np.full(few, -1, np.int64)
    assign(costs, chosen)
    for r in range(few):
        c = chosen[r]
        if c >= 0:
            x = c if turned else r
            y = r if turned else c
            mate[xs[x]] = ys[y]


@compiled
def _match_in_order(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    """Pair a crowd in order of time: as many pairs as the window allows, in one pass, but not always the nearest."""
    x = 0
    y = 0
    while x < len(xs) and y < len(ys):
        if _edge(xs[x], ours, ys[y], theirs, reach) >= 0:
            mate[xs[x]] = ys[y]
            x += 1
            y += 1
        elif ours.start_ms[xs[x]] <= theirs.start_ms[ys[y]]:
            x += 1
        else:
            y += 1


@compiled
def _mark_twins(keys: Ints, rows: Ints, side: Columns, matched: Flags, twins: Flags) -> None:
    first = 0
    while first < len(keys):
        end = _group_end(keys, first)
        group = rows[first:end]
        if len(group) > 1:
            _by_start(group, side)
            for at in range(len(group)):
                if not matched[group[at]]:
                    twins[group[at]] = _has_twin(group, at, side, matched)
        first = end


@compiled
def _has_twin(group: Ints, at: int, side: Columns, matched: Flags) -> bool:
    """An earlier twin of any kind, or a later one with a partner: so the first of a lonely pair stays missing."""
    for k in range(len(group)):
        row = group[at]
        other = group[k]
        near = abs(side.start_ms[row] - side.start_ms[other]) <= TWIN_MS
        alike = side.key[row] == side.key[other] and abs(side.quantity[row] - side.quantity[other]) <= TWIN_MS
        if k != at and near and alike and (k < at or matched[other]):
            return True
    return False
