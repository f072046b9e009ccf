"""How do a side's records come together by key? Read once, packed, dealt to buckets, in memory or spilled to disk."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.pieces import number_part
from ledger.usage import RATED_SCHEMA
from reconciliation.matching.side import Ints, Words, party_words
from reconciliation.streaming.packing import Named, Numbers, Places, pack, scatter
from reconciliation.streaming.plan import Plan
from reconciliation.streaming.sources import NAMES, Piece, Source
from reconciliation.streaming.tallying import Tally, empty_tally, tally_piece

BATCH_ROWS = 1 << 19
"""Records that are dealt at once."""
SPILLED_ROWS = 1 << 20
"""The same where they are spilled: each bucket is read from every batch's file."""
READ = tuple(name for name in RATED_SCHEMA.names if name != "line")
OCTETS_A_WORD = 8


class Spilled(NamedTuple):
    """Records on disk: one file for a side, each batch where its rows would stand."""

    file: FileIO
    first_row: int


class Run(NamedTuple):
    """Packed records of a batch in order of bucket, and where each bucket begins and the last ends."""

    records: Words | Spilled
    ends: Ints


class TooNarrow(Exception):
    """A number does not fit a narrow record although its file says so."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """All of a side's records, packed, by bucket."""

    runs: tuple[Run, ...]
    words: int

    def bucket(self, at: int) -> Words:
        """Packed records (n, words) of one bucket, in order of row within each batch."""
        bounds = [(int(run.ends[at]), int(run.ends[at + 1])) for run in self.runs]
        records = np.empty((sum(end - begin for begin, end in bounds), self.words), np.uint64)
        done = 0
        for run, (begin, end) in zip(self.runs, bounds, strict=True):
            _read(run, begin, records[done : done + end - begin])
            done += end - begin
        return records

    def run(self, at: int) -> Words:
        """All records of one run; those on disk are mapped, not copied."""
        run = self.runs[at]
        if isinstance(run.records, np.ndarray):
            return run.records
        file, first_row = run.records
        shape = (int(run.ends[-1]), self.words)
        return np.memmap(file, np.uint64, "r", first_row * self.words * OCTETS_A_WORD, shape).view(np.ndarray)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one reading of a side leaves."""

    exchange: Exchange
    tally: Tally


def scan(source: Source, plan: Plan, zone: ZoneInfo, spill: FileIO | None = None) -> Scan:
    """Read, pack and deal all of a side's records; `spill` is an empty file for them. Raises Malformed, TooNarrow."""
    batches = list(_batches(source.pieces, BATCH_ROWS if spill is None else SPILLED_ROWS))
    workers = max(1, min(os.cpu_count() or 1, len(batches)))
    shares = [batches[at::workers] for at in range(workers)]

    def work(share: Sequence[Sequence[Piece]]) -> tuple[list[tuple[int, Run]], Tally]:
        tally = empty_tally(plan)
        runs = [(batch[0].first_row, _run(source, batch, plan, zone, tally, spill)) for batch in share]
        return runs, tally

    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(work, shares))
    whole = done[0][1]
    for _, tally in done[1:]:
        whole.add(tally)
    runs = sorted((each for made, _ in done for each in made), key=lambda each: each[0])
    return Scan(Exchange(tuple(run for _, run in runs), plan.layout.words), whole)


def _batches(pieces: Sequence[Piece], most: int) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    rows = 0
    for piece in pieces:
        if batch and rows + piece.rows > most:
            yield batch
            batch, rows = [], 0
        batch.append(piece)
        rows += piece.rows
    if batch:
        yield batch


def _run(source: Source, batch: Sequence[Piece], plan: Plan, zone: ZoneInfo, tally: Tally, spill: FileIO | None) -> Run:
    packed = np.empty((sum(piece.rows for piece in batch), plan.layout.words), np.uint64)
    done = 0
    for piece in batch:
        for first_row, table in source.read(piece, READ):
            pack_table(table, first_row, plan, packed[done : done + len(table)], tally, zone)
            done += len(table)
    run = deal(packed, plan)
    if spill is None:
        return run
    assert isinstance(run.records, np.ndarray)
    spilled = Spilled(spill, batch[0].first_row)
    _write(spilled, run.records)
    return Run(spilled, run.ends)


def deal(packed: Words, plan: Plan) -> Run:
    """Packed records in order of bucket."""
    ordered, ends = np.empty_like(packed), np.empty(plan.buckets + 1, np.int64)
    scatter(packed, plan.buckets, ordered, ends)
    return Run(ordered, ends)


def pack_table(table: pa.Table, first_row: int, plan: Plan, packed: Words, tally: Tally, zone: ZoneInfo) -> None:
    """Pack what a Source read into `packed` (rows, plan.layout.words), and count it. Raises TooNarrow."""
    named = [_named(table[name].chunk(0), texts) for name, texts in zip(NAMES, plan.vocabulary.texts, strict=True)]
    route, destination, code = named
    columns = ("start_ms", "quantity", "charged_quantity", "amount_micros")
    numbers = Numbers(*(number_part(table[name].chunk(0)) for name in columns))
    a_hash, b_hash = party_words(table, plan.service)
    if not pack(a_hash, b_hash, numbers, route, destination, code, first_row, plan.layout, packed):
        raise TooNarrow
    tally_piece(tally, numbers, route, destination, plan, zone)


def _named(column: pa.DictionaryArray, texts: Sequence[str]) -> Named:
    ids = pc.index_in(column.dictionary, value_set=pa.array(texts, pa.string()))
    return Named(_places(column.indices), _places(ids))


def _places(column: pa.Array) -> Places:
    places: Places = column.to_numpy(zero_copy_only=False).astype(np.int32, copy=False).view()
    places.flags.writeable = False
    return places


def _read(run: Run, begin: int, records: Words) -> None:
    """Fill `records` with those of a run from `begin` on."""
    if isinstance(run.records, np.ndarray):
        records[:] = run.records[begin : begin + len(records)]
    elif len(records):
        file, first_row = run.records
        at = (first_row + begin) * records.shape[1] * OCTETS_A_WORD
        read = os.preadv(file.fileno(), [records.data], at)
        assert read == records.nbytes, f"{file.name!r} has {read} of {records.nbytes} octets from {at} on"


def _write(spilled: Spilled, records: Words) -> None:
    """At its place, whatever other threads write elsewhere; a write may take a part only."""
    left, at = records.data.cast("B"), spilled.first_row * records.shape[1] * OCTETS_A_WORD
    while left:
        written = os.pwrite(spilled.file.fileno(), left, at)
        left, at = left[written:], at + written
