"""Which records of a bucket need no explanation? Those whose keys pair, one to one, with equal quantity and amount.

`match_bucket` is the step that engines share out: threads, processes, Ray, Spark. It takes two sides' packed records
of one range of keys and what all buckets have in common, and gives back the records that need explaining and counts of
the others. Both can be pickled; a different cut into buckets changes nothing in what all answers say together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching import sweep
from reconciliation.matching.clocks import Shifts, Stretches
from reconciliation.matching.columns import Columns, Reach
from reconciliation.matching.keys import row_bits, sorted_words
from reconciliation.matching.side import Flags, Ints, Words
from reconciliation.streaming.packing import Layout, frozen, unpack
from reconciliation.streaming.plan import Plan

NO_PAIRS = np.empty((0, 3), np.int64)


class Bucket(NamedTuple):
    """Packed records (n, plan.layout.words) of both sides whose keys begin alike."""

    ours: Words
    theirs: Words


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every bucket is matched under."""

    plan: Plan
    shifts: Shifts
    """The clocks of both sides' routes, by place in plan.vocabulary.routes."""
    window_ms: int
    with_pairs: bool = False
    """Whether to tell the rows of quiet pairs, too."""
    sifted: bool = True
    """False: all records are given back."""


@dataclass(frozen=True, slots=True)
class BucketAnswer:
    """What one bucket says."""

    ours: Words
    """Packed records to be explained: whole clusters of records within reach of each other."""
    theirs: Words
    quiet: int
    """Pairs that need no explanation."""
    codes: Ints
    """Of these, by our code."""
    answered_ours: Ints
    """Of these with a quantity, by our route and the UTC day of our start (plan.days)."""
    answered_theirs: Ints
    """The same by their route."""
    seen_ours: Ints
    """(stretches, 3): records in each stretch of our clocks, first and last start."""
    seen_theirs: Ints
    pairs: Ints
    """(quiet, 3): our and their row, their corrected start minus ours; empty unless asked for."""


def match_bucket(bucket: Bucket, conditions: Conditions) -> BucketAnswer:
    """Pair a bucket's records and keep back those that pair without any difference."""
    bucket = Bucket(frozen(bucket.ours), frozen(bucket.theirs))
    plan, shifts = conditions.plan, conditions.shifts
    ours, seen_ours = _prepared(bucket.ours, shifts.ours, plan)
    theirs, seen_theirs = _prepared(bucket.theirs, shifts.theirs, plan)
    mate, our_loud, their_loud = _sift(ours, theirs, conditions)
    codes = np.zeros(len(plan.vocabulary.codes), np.int64)
    answered = np.zeros((2, len(plan.vocabulary.routes), plan.days.count), np.int64)
    quiet = _count(mate, our_loud, bucket.ours, bucket.theirs, plan.layout, plan.days.first_ms, codes, answered)
    return BucketAnswer(
        ours=bucket.ours[our_loud],
        theirs=bucket.theirs[their_loud],
        quiet=quiet,
        codes=codes,
        answered_ours=answered[0],
        answered_theirs=answered[1],
        seen_ours=seen_ours,
        seen_theirs=seen_theirs,
        pairs=_pairs(mate, our_loud, bucket, plan, ours, theirs) if conditions.with_pairs else NO_PAIRS,
    )


def together(answers: Sequence[BucketAnswer]) -> BucketAnswer:
    """Some buckets' answers as one; whatever the buckets were, all say the same in the end."""
    return BucketAnswer(
        ours=np.concatenate([answer.ours for answer in answers]),
        theirs=np.concatenate([answer.theirs for answer in answers]),
        quiet=sum(answer.quiet for answer in answers),
        codes=_sum([answer.codes for answer in answers]),
        answered_ours=_sum([answer.answered_ours for answer in answers]),
        answered_theirs=_sum([answer.answered_theirs for answer in answers]),
        seen_ours=reduce(_seen_together, (answer.seen_ours for answer in answers)),
        seen_theirs=reduce(_seen_together, (answer.seen_theirs for answer in answers)),
        pairs=np.concatenate([answer.pairs for answer in answers]),
    )


def _sum(columns: Sequence[Ints]) -> Ints:
    return reduce(np.add, columns)


def _seen_together(one: Ints, other: Ints) -> Ints:
    counts = one[:, 0] + other[:, 0]
    return np.stack([counts, np.minimum(one[:, 1], other[:, 1]), np.maximum(one[:, 2], other[:, 2])], axis=1)


class _Prepared(NamedTuple):
    """What the sweep reads of one side."""

    columns: Columns
    amount: Ints


def _prepared(records: Words, stretches: Stretches, plan: Plan) -> tuple[_Prepared, Ints]:
    """Keys, corrected starts, quantities and amounts; and what was seen of each stretch of the clocks."""
    size = len(records)
    columns = Columns(np.empty(size, np.uint64), *(np.empty(size, np.int64) for _ in range(3)))
    prepared = _Prepared(columns, np.empty(size, np.int64))
    names = plan.vocabulary
    seen = stretches.nothing_seen()
    _prepare(
        records, plan.layout, stretches, (names.route_hash, names.destination_hash, names.code_hash), prepared, seen
    )
    return prepared, seen


def _sift(ours: _Prepared, theirs: _Prepared, conditions: Conditions) -> tuple[Ints, Flags, Flags]:
    us, them = ours.columns, theirs.columns
    mate = np.full(len(us.key), -1, np.int64)
    loud = np.ones(len(us.key), np.bool_), np.ones(len(them.key), np.bool_)
    if conditions.sifted and len(us.key) and len(them.key):
        bits = row_bits(len(us.key), len(them.key))
        reach = Reach(conditions.window_ms, np.full(len(us.key), -1, np.int64))
        amounts = ours.amount, theirs.amount
        sweep.sift(*sorted_words(us.key, bits), us, *sorted_words(them.key, bits), them, amounts, reach, mate, loud)
    return mate, *loud


def _pairs(mate: Ints, loud: Flags, bucket: Bucket, plan: Plan, ours: _Prepared, theirs: _Prepared) -> Ints:
    quiet = np.flatnonzero(~loud)
    others = mate[quiet]
    rows = unpack(bucket.ours[quiet], plan.layout).row, unpack(bucket.theirs[others], plan.layout).row
    return np.stack([*rows, theirs.columns.start_ms[others] - ours.columns.start_ms[quiet]], axis=1)


@kernel
def _prepare(
    records: Words,
    layout: Layout,
    stretches: Stretches,
    hashes: tuple[Words, Words, Words],
    prepared: _Prepared,
    seen: Ints,
) -> None:
    names_mask = (np.uint64(1) << np.uint64(layout.names_bits)) - np.uint64(1)
    route_at = np.uint64(layout.destination_bits + layout.code_bits)
    destination_at = np.uint64(layout.code_bits)
    destination_mask = (np.uint64(1) << np.uint64(layout.destination_bits)) - np.uint64(1)
    code_mask = (np.uint64(1) << destination_at) - np.uint64(1)
    half = np.uint64(32)
    low = np.uint64(0xFFFFFFFF)
    multiplier = np.uint64(0xBF58476D1CE4E5B9)
    for k in range(len(records)):
        if layout.words == 5:
            start = np.int64(records[k, 2] >> half) + layout.base_ms
            quantity = records[k, 2] & low
            charged = records[k, 3] >> half
            amount = records[k, 3] & low
            names = records[k, 4] & names_mask
        else:
            start = np.int64(records[k, 2])
            quantity = records[k, 3]
            charged = records[k, 4]
            amount = records[k, 5]
            names = records[k, 7]
        route = np.int64(names >> route_at)
        word = records[k, 0] * np.uint64(0x9E3779B97F4A7C15) + records[k, 1]  # as pair_hashes of matching/keys.py
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        prepared.columns.key[k] = word ^ (word >> np.uint64(31))
        prepared.columns.quantity[k] = np.int64(quantity)
        prepared.amount[k] = np.int64(amount)
        tie = quantity * np.uint64(0x9E3779B97F4A7C15)  # as tie_of of matching/ties.py
        tie = (tie ^ (tie >> np.uint64(29)) ^ charged) * np.uint64(0x9E3779B97F4A7C15)
        tie = (tie ^ (tie >> np.uint64(29)) ^ amount) * np.uint64(0x9E3779B97F4A7C15)
        tie = (tie ^ (tie >> np.uint64(29)) ^ hashes[0][route]) * multiplier
        tie = (tie ^ (tie >> half) ^ hashes[1][np.int64(names >> destination_at & destination_mask)]) * multiplier
        tie = (tie ^ (tie >> half) ^ hashes[2][np.int64(names & code_mask)]) * multiplier
        prepared.columns.tie[k] = np.int64(tie ^ (tie >> half))
        stretch = stretches.first[route]
        end = stretches.first[route + 1]
        if stretch < end:
            while stretch + 1 < end and stretches.from_ms[stretch + 1] <= start:
                stretch += 1
            seen[stretch, 0] += 1
            seen[stretch, 1] = min(seen[stretch, 1], start)
            seen[stretch, 2] = max(seen[stretch, 2], start)
            start -= stretches.offset_ms[stretch]
        prepared.columns.start_ms[k] = start


@kernel
def _count(
    mate: Ints, loud: Flags, ours: Words, theirs: Words, layout: Layout, first_ms: int, codes: Ints, answered: Ints
) -> int:
    names_mask = (np.uint64(1) << np.uint64(layout.names_bits)) - np.uint64(1)
    route_at = np.uint64(layout.destination_bits + layout.code_bits)
    code_mask = (np.uint64(1) << np.uint64(layout.code_bits)) - np.uint64(1)
    last_day = answered.shape[2] - 1
    quiet = 0
    for x in range(len(mate)):
        if not loud[x]:
            quiet += 1
            y = mate[x]
            if layout.words == 5:
                names = ours[x, 4] & names_mask
                other = theirs[y, 4] & names_mask
                start = np.int64(ours[x, 2] >> np.uint64(32)) + layout.base_ms
                lasts = (ours[x, 2] & np.uint64(0xFFFFFFFF)) != np.uint64(0)
            else:
                names = ours[x, 7]
                other = theirs[y, 7]
                start = np.int64(ours[x, 2])
                lasts = np.int64(ours[x, 3]) > 0
            codes[np.int64(names & code_mask)] += 1
            if lasts:
                day = min(max((start - first_ms) // 86_400_000, 0), last_day)
                answered[0, np.int64(names >> route_at), day] += 1
                answered[1, np.int64(other >> route_at), day] += 1
    return quiet
