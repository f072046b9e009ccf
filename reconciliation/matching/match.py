"""Which record of theirs is which record of ours?

One to one within a key (calling and called number) and a window of time. Records that can reach each other through
such edges form a component; where a component has one record a side the pair is plain, elsewhere an exact assignment
gives the most pairs and, among those, the least total |start difference| + |quantity difference|. What is left is
matched once more under the other clock offsets found, and then on the called number alone, for calling numbers withheld
or rewritten on the way. Duplicates are decided last, among what has no partner.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ledger.agreement import Tolerance
from ledger.cores import in_parallel
from reconciliation.matching.buckets import Bucket, buckets_of, with_key_of
from reconciliation.matching.clocks import Clocks
from reconciliation.matching.columns import Columns, Reach
from reconciliation.matching.keys import among, mixed, pair_hashes, row_bits, sorted_words
from reconciliation.matching.side import Flags, Ints, Side, Tolerances, Words, allowed_ms
from reconciliation.matching.sweep import mark_twins, sweep


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

    BIASED_ROUTE = 3
    """Called number equal, starts within the window, quantities within tolerance once the bias that all of the route
    have is taken off; the calling number differs (explaining/lost_callers.py)."""

    @property
    def words(self) -> str:
        return (
            "both numbers, start within the window",
            "called number, start and quantity within tolerance",
            "both numbers, start within the window under another clock offset",
            "called number, start within the window, quantity off by as much as on all of the route",
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


def match(ours: Side, theirs: Side, tolerance: Tolerance, clocks: Clocks | None = None) -> Pairing:
    """Pair the records of two sides; `clocks` are the corrections to apply first (`clocks.estimate`)."""
    corrected = (clocks.ours, clocks.theirs) if clocks else (0, 0)
    attempt = _Attempt(
        _columns(ours, ours.start_ms - corrected[0]),
        _columns(theirs, theirs.start_ms - corrected[1]),
        np.full(len(ours), -1, np.int64),
        np.full(len(ours), int(Rule.BOTH_NUMBERS), np.int64),
        np.zeros(len(theirs), np.bool_),
    )
    attempt.add(Rule.BOTH_NUMBERS, tolerance, np.arange(len(ours)), np.arange(len(theirs)))
    if clocks and clocks.errors:
        attempt.add_under(clocks.offsets_ms, ours.start_ms, theirs.start_ms, tolerance)
    numbers = mixed(ours.b_hash), mixed(theirs.b_hash)
    attempt.add(Rule.CALLED_NUMBER, tolerance, *attempt.left(), numbers)
    return _pairing(attempt, tolerance)


@dataclass(slots=True)
class _Attempt:
    """A match in the making."""

    ours: Columns
    theirs: Columns
    mate: Ints
    """Their row for each of ours, or -1."""
    rule: Ints
    taken: Flags
    """Which of theirs have a partner."""

    def left(self) -> tuple[Ints, Ints]:
        """Rows of both sides without a partner."""
        return np.flatnonzero(self.mate < 0), np.flatnonzero(~self.taken)

    def add(
        self, rule: Rule, tolerance: Tolerances, rows: Ints, others: Ints, keys: tuple[Words, Words] | None = None
    ) -> None:
        """Match these rows, under other keys if given."""
        our_key, their_key = keys or (self.ours.key, self.theirs.key)
        found = _sweep_columns(
            self.ours.take(rows, our_key[rows]),
            self.theirs.take(others, their_key[others]),
            hard=rule == Rule.CALLED_NUMBER,
            tolerance=tolerance,
        )
        paired = rows[found >= 0]
        self.mate[paired] = others[found[found >= 0]]
        self.taken[self.mate[paired]] = True
        self.rule[paired] = int(rule)

    def add_under(self, offsets_ms: tuple[int, ...], ours_ms: Ints, theirs_ms: Ints, tolerance: Tolerances) -> None:
        """Match what is left with their clocks ahead by each offset found elsewhere on the route: an hour that a clock
        set back tells twice, or a day with too few calls to show its error. A pair keeps the starts it was found by."""
        rows, others = self.left()
        our_key, their_key = self.ours.key[rows], self.theirs.key[others]
        rows, others = rows[among(our_key, np.sort(their_key))], others[among(their_key, np.sort(our_key))]
        for offset_ms in offsets_ms:
            rows, others = rows[self.mate[rows] < 0], others[~self.taken[others]]
            before = self.ours.start_ms[rows], self.theirs.start_ms[others]
            self.ours.start_ms[rows], self.theirs.start_ms[others] = ours_ms[rows], theirs_ms[others] - offset_ms
            self.add(Rule.OTHER_OFFSET, tolerance, rows, others)
            still, others_still = self.mate[rows] < 0, ~self.taken[others]
            self.ours.start_ms[rows[still]] = before[0][still]
            self.theirs.start_ms[others[others_still]] = before[1][others_still]


def _columns(side: Side, start_ms: Ints) -> Columns:
    return Columns(pair_hashes(side.a_hash, side.b_hash), start_ms, side.quantity, side.tie)


def _sweep_columns(ours: Columns, theirs: Columns, *, hard: bool, tolerance: Tolerances) -> Ints:
    """Their row for each of ours, or -1; `hard` asks quantities to agree within tolerance."""
    mate = np.full(len(ours.key), -1, np.int64)

    def sweep_bucket(bucket: Bucket) -> None:
        found = _sweep_bucket(
            ours.take(bucket.ours, ours.key[bucket.ours]),
            theirs.take(bucket.theirs, theirs.key[bucket.theirs]),
            hard=hard,
            tolerance=tolerance,
        )
        paired = found >= 0
        mate[bucket.ours[paired]] = bucket.theirs[found[paired]]

    in_parallel(sweep_bucket, buckets_of(ours.key, theirs.key))
    return mate


def _sweep_bucket(ours: Columns, theirs: Columns, *, hard: bool, tolerance: Tolerances) -> Ints:
    mate = np.full(len(ours.key), -1, np.int64)
    if len(ours.key) == 0 or len(theirs.key) == 0:
        return mate
    bits = row_bits(len(ours.key), len(theirs.key))
    our_keys, our_rows = sorted_words(ours.key, bits)
    their_keys, their_rows = sorted_words(theirs.key, bits)
    limits = allowed_ms(ours.quantity, tolerance) if hard else np.full(len(ours.key), -1, np.int64)
    sweep(our_keys, our_rows, ours, their_keys, their_rows, theirs, Reach(tolerance.window_ms, limits), mate)
    return mate


def _pairing(attempt: _Attempt, tolerance: Tolerances) -> Pairing:
    ours, theirs, mate, taken = attempt.ours, attempt.theirs, attempt.mate, attempt.taken
    our_twins, their_twins = _twins(ours, mate >= 0), _twins(theirs, taken)
    our_rows = np.flatnonzero(mate >= 0)
    their_rows = mate[our_rows]
    return Pairing(
        ours=our_rows,
        theirs=their_rows,
        classes=classify(ours.quantity[our_rows], theirs.quantity[their_rows], tolerance),
        rules=attempt.rule[our_rows],
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
    alone = np.flatnonzero(~matched)
    if len(alone):
        rows = with_key_of(side.key, alone)
        near = side.take(rows, side.key[rows])
        keys, order = sorted_words(near.key, row_bits(len(rows)))
        found = np.zeros(len(rows), np.bool_)
        mark_twins(keys, order, near, matched[rows], found)
        twins[rows[found]] = True
    return twins
