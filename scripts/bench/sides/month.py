"""Where is a month with two sides and a known truth? In a cache folder, written once: two Parquet files and two keys.

`ours.parquet` is the creditor's, `theirs.parquet` the debtor's: RATED_SCHEMA (ledger/usage.py) in the order of each
side's own clock, and `right_ms`, the start by a right clock, which only the peers read: they estimate none. The truth
is one number a record, its call's, in `ours.events` and `theirs.events`: a pair is right if both have one number.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deploy.node import ROOT
from ledger.pieces import file_options
from ledger.usage import RATED_SCHEMA
from scripts.bench.sides.calls import COUNTRIES, MONTH_BEGIN_MS, MONTH_MS, ROUTES, calls_between
from scripts.bench.sides.faults import Written, write_side

CACHE = ROOT / ".bench"
VERSION = 2
"""Of what is made: a month of another version is made again."""
SLICE_CALLS = 500_000
SCHEMA = pa.schema([*RATED_SCHEMA, pa.field("right_ms", pa.int64(), nullable=False)])
SIDES = ("ours", "theirs")


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """Which month: two with one plan are the same to the byte."""

    calls: int
    busy_share: float = 0.0
    """Of all calls, those of one pair of numbers."""
    seed: int = 5

    @property
    def name(self) -> str:
        busy = f"-busy{round(self.busy_share * 100)}" if self.busy_share else ""
        return f"calls{self.calls}{busy}-seed{self.seed}"


@dataclass(frozen=True, slots=True)
class MadeMonth:
    """A month on disk."""

    folder: Path
    plan: MonthPlan

    def records(self, side: str) -> Path:
        return self.folder / f"{side}.parquet"

    def events(self, side: str) -> npt.NDArray[np.int64]:
        """The call of each row, mapped from disk."""
        return np.memmap(self.folder / f"{side}.events", np.int64, "r")


def made_month(plan: MonthPlan, cache: Path = CACHE) -> MadeMonth:
    """The month of this plan, made now or before."""
    month = MadeMonth(cache / plan.name, plan)
    done = month.folder / "made.json"
    told = {"version": VERSION, **asdict(plan)}
    if done.exists() and json.loads(done.read_text(encoding="utf-8")) == told:
        return month
    month.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        sinks = [_Sink(month, side, open_files) for side in SIDES]
        for slice_ in _slices(plan):
            for sink, written in zip(sinks, slice_, strict=True):
                sink.write(written)
    done.write_text(json.dumps(told), encoding="utf-8")
    return month


def _slices(plan: MonthPlan) -> Iterator[tuple[Written, Written]]:
    """Both sides' records, slice after slice of the month; each slice has its own generator of numbers."""
    for first in range(0, plan.calls, SLICE_CALLS):
        rng = np.random.default_rng([plan.seed, first])
        count = min(SLICE_CALLS, plan.calls - first)
        begin, end = (MONTH_BEGIN_MS + MONTH_MS * at // plan.calls for at in (first, first + count))
        calls = calls_between(rng, first, count, (begin, end), plan.calls, plan.busy_share)
        yield write_side(rng, calls, creditor=True), write_side(rng, calls, creditor=False)


class _Sink:
    """Two files of one side."""

    def __init__(self, month: MadeMonth, side: str, open_files: ExitStack) -> None:
        self.side = side
        self.rows = 0
        path = month.records(side)
        self.records = open_files.enter_context(pq.ParquetWriter(path, SCHEMA, **file_options(SCHEMA)))
        self.events: Any = open_files.enter_context((month.folder / f"{side}.events").open("wb"))

    def write(self, written: Written) -> None:
        self.records.write_table(_table(written, self.side, self.rows))
        self.events.write(written.calls.event.tobytes())
        self.rows += len(written.calls.event)


def _table(written: Written, side: str, before: int) -> pa.Table:
    calls = written.calls
    routes = pa.array([f"{side}-trunk-{at}" for at in range(ROUTES)])
    columns = [
        pa.array(before + 1 + np.arange(len(calls.event))),
        _digits(calls.a_party),
        _digits(calls.b_party),
        pa.array(calls.start_ms),
        pa.array(calls.duration_ms),
        routes.take(pa.array(calls.route)),
        pa.array([f"Country {code}" for code in COUNTRIES]).take(pa.array(calls.country)),
        pa.array([str(code) for code in COUNTRIES]).take(pa.array(calls.country)),
        pa.array(calls.duration_ms),
        pa.array(written.amount_micros),
        pa.array(written.right_ms),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _digits(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """As text; 0 is a number withheld."""
    texts = pa.array(numbers).cast(pa.string())
    return pc.if_else(pa.array(numbers == 0), "", texts)
