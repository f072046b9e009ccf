"""How do two sides of any size become what the exact engine takes? Packed, dealt, sifted; the few left are columns.

One code path for a thousand records and for a hundred million: nothing of a column's size is held, but the packed
records, forty bytes each, and these are spilled to disk where they would pass `memory_bytes`.

`Runner` is the place where another engine takes part: it is given the number of buckets, how to load one, and the
conditions, and returns what `match_bucket` says of each bucket, in any order, folded together or not.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import FileIO
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from ledger.agreement import Tolerance
from ledger.kernel import IS_COMPILED
from ledger.service import Service
from reconciliation.matching.clock_samples import sample_bound
from reconciliation.matching.clocks import Clocks, Shifts, no_shifts, shifts_of
from reconciliation.matching.keys import pair_hashes
from reconciliation.matching.services import TRAITS
from reconciliation.matching.side import Ints, Names, Side, Words
from reconciliation.matching.ties import tie_of
from reconciliation.matching.whole import Whole
from reconciliation.streaming.census import Census
from reconciliation.streaming.exchange import OCTETS_A_WORD, Exchange, Scan, TooNarrow, scan
from reconciliation.streaming.packing import unpack
from reconciliation.streaming.plan import BUCKET_ROWS, Plan, plan_of, wide
from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions, match_bucket, together
from reconciliation.streaming.sources import Source
from reconciliation.streaming.tallying import sums_of
from reconciliation.totals import Sums

SHARE = 32
"""Buckets whose answers are put together before the next are matched."""

Load = Callable[[int], Bucket]
Runner = Callable[[int, Load, Conditions], Iterable[BucketAnswer]]
Spill = Callable[[str], FileIO]
"""A new file of this name, closed and removed in the end."""
Told = Callable[[Ints], None]
"""Hears of some quiet pairs: (pairs, 3), row of the creditor, row of the debtor, offset as in Pairing.delta_ms."""


class Way(NamedTuple):
    """How the work is done; the answer is the same for all."""

    bucket_rows: int = BUCKET_ROWS
    memory_bytes: int = 2 << 30
    """Packed records beyond are spilled."""
    spill: Path | None = None
    """Where to; None: the system's folder for temporary files."""
    runner: "Runner | None" = None
    """None: threads of this process; DuckDB where nothing is compiled."""
    sifted: bool = True
    """False: every record goes to the exact engine, as a reference for tests."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Two sides, sifted: columns of what needs explaining, and counts of the whole."""

    creditor: Side
    debtor: Side
    clocks: Clocks
    whole: Whole
    creditor_sums: Sums
    debtor_sums: Sums


USUAL_WAY = Way()


class Month(NamedTuple):
    """What is compared."""

    service: Service
    bounds_ms: tuple[int, int]
    zone: ZoneInfo
    tolerance: Tolerance
    asks_debtor: bool = True
    """Whether all of the debtor's records, too, must be there when differences are explained."""


def in_threads(buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
    """Match all buckets with the threads of this process."""

    def share(first: int) -> BucketAnswer:
        places = range(first, min(buckets, first + SHARE))
        return together([match_bucket(load(at), conditions) for at in places])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(share, range(0, buckets, SHARE))


def _usual_runner() -> Runner:
    if IS_COMPILED:
        return in_threads
    from reconciliation.engines.on_duckdb import by_duckdb

    return by_duckdb


@contextmanager
def streamed(creditor: Source, debtor: Source, month: Month, way: Way, told: Told | None = None) -> Iterator[Streamed]:
    """Sift two sides; what was spilled is there as long as the context is. `told` hears of quiet pairs.

    Raises Malformed.
    """
    plan = plan_of(creditor, debtor, month.service, month.bounds_ms, month.zone, way.bucket_rows)
    size = (creditor.rows + debtor.rows) * plan.layout.words * OCTETS_A_WORD
    if size <= way.memory_bytes:
        yield _streamed(creditor, debtor, month, way, plan, None, told)
    else:
        with tempfile.TemporaryDirectory(prefix="gsc-", dir=way.spill) as folder, ExitStack() as files:

            def spill(name: str) -> FileIO:
                return files.enter_context(FileIO(Path(folder) / name, "x+"))

            yield _streamed(creditor, debtor, month, way, plan, spill, told)


def _streamed(
    creditor: Source, debtor: Source, month: Month, way: Way, plan: Plan, spill: Spill | None, told: Told | None
) -> Streamed:
    try:
        owed, counted = (_scan(side, plan, month, spill, name) for side, name in ((creditor, "c"), (debtor, "d")))
    except TooNarrow:
        return _streamed(creditor, debtor, month, way, wide(plan), spill, told)
    pa.default_memory_pool().release_unused()
    shifts = _shifts(creditor, debtor, owed.exchange, counted.exchange, plan, month)
    conditions = Conditions(plan, shifts, month.tolerance.window_ms, told is not None, way.sifted)
    load = partial(_bucket, owed.exchange, counted.exchange)
    answer = _heard((way.runner or _usual_runner())(plan.buckets, load, conditions), told)
    us, them = _side(creditor, answer.ours, plan), _side(debtor, answer.theirs, plan)
    routes = plan.vocabulary.routes
    errors = (
        *shifts.ours.errors(answer.seen_ours, routes, is_ours=True),
        *shifts.theirs.errors(answer.seen_theirs, routes, is_ours=False),
    )
    our_corrections, _ = shifts.ours.corrections(us.route.codes, us.start_ms)
    their_corrections, _ = shifts.theirs.corrections(them.route.codes, them.start_ms)
    return Streamed(
        us,
        them,
        Clocks(our_corrections, their_corrections, errors),
        Whole(
            plan.days.first_ms,
            owed.tally.route_days,
            counted.tally.route_days,
            answer.quiet,
            answer.codes,
            answer.answered_ours,
            answer.answered_theirs,
            Census(owed.exchange, plan.layout),
            Census(counted.exchange, plan.layout) if month.asks_debtor else None,
        ),
        sums_of(owed.tally, plan),
        sums_of(counted.tally, plan),
    )


def _heard(answers: Iterable[BucketAnswer], told: Told | None) -> BucketAnswer:
    """All answers as one; pairs are passed on as they come."""
    kept: list[BucketAnswer] = []
    for answer in answers:
        if told is not None and len(answer.pairs):
            told(answer.pairs)
        kept.append(replace(answer, pairs=answer.pairs[:0]))
    return together(kept)


def _scan(source: Source, plan: Plan, month: Month, spill: Spill | None, name: str) -> Scan:
    return scan(source, plan, month.zone, spill and spill(f"{name}{plan.layout.words}.records"))


def _bucket(ours: Exchange, theirs: Exchange, at: int) -> Bucket:
    return Bucket(ours.bucket(at), theirs.bucket(at))


def _shifts(creditor: Source, debtor: Source, owed: Exchange, counted: Exchange, plan: Plan, month: Month) -> Shifts:
    """The clocks, from the records whose keys are in the sample: they fill the first buckets."""
    if not TRAITS[month.service].has_clock:
        return no_shifts(len(plan.vocabulary.routes))
    records = max(creditor.rows, debtor.rows)
    us = _side(creditor, _sample(owed, plan, records), plan)
    them = _side(debtor, _sample(counted, plan, records), plan)
    return shifts_of(us, them, month.tolerance, records)


def _sample(exchange: Exchange, plan: Plan, records: int) -> Words:
    bound = sample_bound(records)
    last = (bound >> 32) * plan.buckets >> 32
    found = np.concatenate([exchange.bucket(at) for at in range(last + 1)])
    chosen: Words = found[pair_hashes(found[:, 0], found[:, 1]) <= np.uint64(bound)]
    return chosen


def _side(source: Source, records: Words, plan: Plan) -> Side:
    """Packed records as the exact engine takes them, in order of row."""
    said = unpack(records, plan.layout)
    said = said.take(np.argsort(said.row))
    names = plan.vocabulary
    return Side(
        source=source,
        row=said.row,
        a_hash=said.a_hash,
        b_hash=said.b_hash,
        start_ms=said.start_ms,
        quantity=said.quantity,
        charged=said.charged,
        amount=said.amount,
        route=Names(said.route, names.routes),
        destination=Names(said.destination, names.destinations),
        code=Names(said.code, names.codes),
        tie=tie_of(
            *(said.quantity, said.charged, said.amount, said.route, said.destination, said.code),
            *(names.route_hash, names.destination_hash, names.code_hash),
        ),
    )
