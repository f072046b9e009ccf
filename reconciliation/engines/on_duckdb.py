"""How are buckets sifted where nothing is compiled? By one question to DuckDB: which pairs stand alone and agree?

It reaches as far as exact keys do: a key's cluster in time with one record a side, equal in quantity and amount, within
the window. All other clusters are given back whole, to be explained; so the answer is the same, and takes longer.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from reconciliation.matching.clocks import Stretches
from reconciliation.matching.keys import pair_hashes
from reconciliation.matching.side import Ints, Words
from reconciliation.matching.sweep import TWIN_MS
from reconciliation.streaming.packing import Unpacked, unpack
from reconciliation.streaming.plan import Plan
from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions

if TYPE_CHECKING:
    from reconciliation.streaming.stream import Load

BUCKETS_AT_ONCE = 64
_ALONE = """
    with records as (
        select 0 side, * from ours union all select 1 side, * from theirs
    ), stepped as (
        select *, start - lag(start) over (partition by key order by start) > $apart as begins from records
    ), clustered as (
        select *, count(*) filter (begins) over (partition by key order by start) as cluster from stepped
    )
    select min(place) filter (side = 0) x, min(place) filter (side = 1) y, max(start) - min(start) apart
    from clustered group by key, cluster
    having count(*) = 2 and count(*) filter (side = 0) = 1 and apart <= $window
        and min(quantity) = max(quantity) and min(amount) = max(amount)
    order by x
"""


def by_duckdb(buckets: int, load: "Load", conditions: Conditions) -> Iterator[BucketAnswer]:
    """A runner (streaming/stream.py)."""
    for first in range(0, buckets, BUCKETS_AT_ONCE):
        loaded = [load(at) for at in range(first, min(buckets, first + BUCKETS_AT_ONCE))]
        yield _sifted(Bucket(*(np.concatenate(side) for side in zip(*loaded, strict=True))), conditions)


def _sifted(bucket: Bucket, conditions: Conditions) -> BucketAnswer:
    plan, shifts = conditions.plan, conditions.shifts
    ours, theirs = unpack(bucket.ours, plan.layout), unpack(bucket.theirs, plan.layout)
    our_start, seen_ours = _corrected(ours, shifts.ours)
    their_start, seen_theirs = _corrected(theirs, shifts.theirs)
    x, y = _quiet(_columns(ours, our_start), _columns(theirs, their_start), conditions)
    lasts = ours.quantity[x] > 0
    days = plan.days.utc_day(ours.start_ms[x])
    pairs = np.stack([ours.row[x], theirs.row[y], their_start[y] - our_start[x]], axis=1)
    return BucketAnswer(
        ours=np.delete(bucket.ours, x, axis=0),
        theirs=np.delete(bucket.theirs, y, axis=0),
        quiet=len(x),
        codes=np.bincount(ours.code[x], minlength=len(plan.vocabulary.codes)),
        answered_ours=_counted(ours.route[x][lasts], days[lasts], plan),
        answered_theirs=_counted(theirs.route[y][lasts], days[lasts], plan),
        seen_ours=seen_ours,
        seen_theirs=seen_theirs,
        pairs=pairs if conditions.with_pairs else pairs[:0],
    )


def _corrected(side: Unpacked, stretches: Stretches) -> tuple[Ints, Ints]:
    corrections, seen = stretches.corrections(side.route, side.start_ms)
    return side.start_ms - corrections, seen


def _columns(side: Unpacked, start: Ints) -> pa.Table:
    key: Words = pair_hashes(side.a_hash, side.b_hash)
    names = {"key": key, "start": start, "quantity": side.quantity, "amount": side.amount}
    return pa.table({**names, "place": np.arange(len(key))})


def _quiet(ours: pa.Table, theirs: pa.Table, conditions: Conditions) -> tuple[Ints, Ints]:
    """Places of the records of each pair, ours ascending."""
    if not conditions.sifted:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    with duckdb.connect() as connection:
        connection.register("ours", ours)
        connection.register("theirs", theirs)
        reach = {"window": conditions.window_ms, "apart": max(conditions.window_ms, TWIN_MS)}
        found = connection.execute(_ALONE, reach).fetchnumpy()
    return np.asarray(found["x"], np.int64), np.asarray(found["y"], np.int64)


def _counted(route: Ints, day: Ints, plan: Plan) -> Ints:
    """(routes, days)."""
    routes, days = len(plan.vocabulary.routes), plan.days.count
    return np.bincount(route * days + day, minlength=routes * days).reshape(routes, days)
