"""Which records stand on this page of the list? The same work wherever in a list of any length it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.records.layout import (
    BATCH_ROWS,
    FORMAT,
    LIST_SCHEMA,
    NO_RULE,
    NOBODY,
    Match,
    causes_of,
    fields_of,
)
from gateway.records.wanted import EVERY, Codes, Wanted, codes_of
from ledger.errors import Malformed
from reconciliation.finding import Cause
from reconciliation.matching.match import Rule

Ints = npt.NDArray[np.int64]
PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class ListedSide:
    """What one side's record says, as far as a list shows it."""

    row: int
    """In that side's book."""
    start_ms: int
    quantity: int
    micros: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A record or pair of the list."""

    number: int
    """From 1, in order of the start."""
    match: Match
    causes: tuple[Cause, ...]
    differing: frozenset[str]
    rule: Rule | None
    offset_ms: int | None
    """Their start minus ours after the clocks are set alike; None without a pair."""
    start_ms: int
    a_party: str
    b_party: str
    destination: str
    route: str
    ours: ListedSide | None
    theirs: ListedSide | None

    @property
    def difference_micros(self) -> int:
        """Ours minus theirs."""
        return (self.ours.micros if self.ours else 0) - (self.theirs.micros if self.theirs else 0)


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some records in the order of the list, and where to go on."""

    records: tuple[Listed, ...]
    after: int | None
    """Give it as `after` for what follows; None: nothing follows."""
    before: int | None
    """Give it as `before` for what comes earlier; None: nothing does."""


class RecordList:
    """A list of records, mapped into memory. Raises Malformed for a file that is none."""

    def __init__(self, path: Path) -> None:
        try:
            self._map = pa.memory_map(str(path))
            self._file = pa.ipc.open_file(self._map)
            metadata = self._file.schema.metadata or {}
            if metadata.get(b"format") != FORMAT or self._file.schema.remove_metadata() != LIST_SCHEMA:
                raise pa.ArrowInvalid("another format")
        except (OSError, pa.ArrowException) as error:
            todo = "Reconcile again: `gsc reconcile`."
            raise Malformed("not a list of records", expected=FORMAT.decode(), got=str(error), todo=todo) from None
        self.destinations: list[str] = json.loads(metadata[b"destinations"])
        self.routes: list[str] = json.loads(metadata[b"routes"])

    @cached_property
    def total(self) -> int:
        """How many rows it has."""
        batches = self._file.num_record_batches
        return (batches - 1) * BATCH_ROWS + self._file.get_batch(batches - 1).num_rows if batches else 0

    def page(
        self, wanted: Wanted = EVERY, *, after: int = 0, before: int | None = None, limit: int = PAGE_ROWS
    ) -> ListPage:
        """At most `limit` wanted records with a number above `after`; or, with `before`, the last ones below it."""
        codes = codes_of(wanted, self.destinations, self.routes)
        first, end = self._between(wanted)
        if before is None:
            found = self._take(self._forwards(codes, max(first, after), end), limit + 1)
            rows, more = found[:limit], len(found) > limit
            earlier = after > first and bool(self._take(self._backwards(codes, first, min(after, end)), 1))
        else:
            found = self._take(self._backwards(codes, first, min(before - 1, end)), limit + 1)
            rows, earlier = found[:limit][::-1], len(found) > limit
            more = bool(self._take(self._forwards(codes, max(first, before - 1), end), 1))
        records = tuple(self._listed(row) for row in rows)
        return ListPage(
            records=records,
            after=records[-1].number if records and more else None,
            before=records[0].number if records and earlier else None,
        )

    def count(self, wanted: Wanted) -> int:
        """How many records are wanted. Looks at every row's integers, unless all rows of a time are."""
        first, end = self._between(wanted)
        if not wanted.columns:
            return max(0, end - first)
        return sum(1 for _ in self._forwards(codes_of(wanted, self.destinations, self.routes), first, end))

    def record(self, number: int) -> Listed | None:
        """The record of a number, None if there is none."""
        return self._listed(number - 1) if 1 <= number <= self.total else None

    def tables(self, wanted: Wanted) -> Iterator[pa.Table]:
        """The wanted rows as the file has them (LIST_SCHEMA), piece by piece, each with their numbers before."""
        codes = codes_of(wanted, self.destinations, self.routes)
        first, end = self._between(wanted)
        for at, batch, rows in self._batches(codes, first, end):
            numbers = pa.array(rows + at * BATCH_ROWS + 1)
            yield pa.Table.from_batches([batch.take(pa.array(rows))]).add_column(0, "number", numbers)

    def _between(self, wanted: Wanted) -> tuple[int, int]:
        """The rows of a time."""
        first = 0 if wanted.from_ms is None else self._first_from(wanted.from_ms)
        return first, self.total if wanted.to_ms is None else self._first_from(wanted.to_ms)

    def _first_from(self, start_ms: int) -> int:
        """The first row that starts then or later: the batch by bisection, the row likewise."""
        low, high = 0, self._file.num_record_batches
        while low < high:
            middle = (low + high) // 2
            if self._column(middle, "start_ms")[-1] < start_ms:
                low = middle + 1
            else:
                high = middle
        if low == self._file.num_record_batches:
            return self.total
        return low * BATCH_ROWS + int(np.searchsorted(self._column(low, "start_ms"), start_ms))

    def _forwards(self, codes: Codes, first: int, end: int) -> Iterator[int]:
        for at, batch, rows in self._batches(codes, first, end):
            yield from self._sure(codes, at, batch, rows)

    def _backwards(self, codes: Codes, first: int, end: int) -> Iterator[int]:
        for at, batch, rows in self._batches(codes, first, end, backwards=True):
            yield from self._sure(codes, at, batch, rows[::-1])

    def _sure(self, codes: Codes, at: int, batch: pa.RecordBatch, rows: Ints) -> Iterator[int]:
        """Row numbers in the list; two numbers may have one hash."""
        number = codes.wanted.number
        for row in rows.tolist():
            if number is None or self._has(batch, row, number):
                yield at * BATCH_ROWS + row

    @staticmethod
    def _has(batch: pa.RecordBatch, row: int, number: str) -> bool:
        """The other side's number is not in the list: its hash must do."""
        mine = batch.column("a_party")[row].as_py(), batch.column("b_party")[row].as_py()
        return number in mine or batch.column("other_hash")[row].as_py() != 0

    def _batches(
        self, codes: Codes, first: int, end: int, *, backwards: bool = False
    ) -> Iterator[tuple[int, pa.RecordBatch, Ints]]:
        """Each batch with what is wanted between two rows of the list: (its place, it, rows in it)."""
        if first >= end or codes.nothing:
            return
        places = range(first // BATCH_ROWS, (end - 1) // BATCH_ROWS + 1)
        for at in reversed(places) if backwards else places:
            batch = self._file.get_batch(at)
            low, high = max(first - at * BATCH_ROWS, 0), min(end - at * BATCH_ROWS, batch.num_rows)
            rows = self._fitting(codes, batch, low, high)
            if len(rows):
                yield at, batch, rows

    @staticmethod
    def _fitting(codes: Codes, batch: pa.RecordBatch, low: int, high: int) -> Ints:
        if not codes.wanted.columns:
            return np.arange(low, high)
        part = batch.slice(low, high - low)
        found: Ints = np.flatnonzero(codes.fits(lambda name: part.column(name).to_numpy(), high - low)) + low
        return found

    @staticmethod
    def _take(rows: Iterator[int], limit: int) -> list[int]:
        return [row for row, _ in zip(rows, range(limit), strict=False)]

    def _column(self, at: int, name: str) -> Ints:
        column: Ints = self._file.get_batch(at).column(name).to_numpy()
        return column

    def _listed(self, row: int) -> Listed:
        batch = self._file.get_batch(row // BATCH_ROWS)
        values: dict[str, Any] = batch.slice(row % BATCH_ROWS, 1).to_pylist()[0]
        paired = values["ours_row"] != NOBODY and values["theirs_row"] != NOBODY
        return Listed(
            number=row + 1,
            match=Match(values["match"]),
            causes=causes_of(values["causes"]),
            differing=fields_of(values["differing"]),
            rule=None if values["rule"] == NO_RULE else Rule(values["rule"]),
            offset_ms=values["offset_ms"] if paired else None,
            start_ms=values["start_ms"],
            a_party=values["a_party"],
            b_party=values["b_party"],
            destination=self.destinations[values["destination"]],
            route=self.routes[values["route"]],
            ours=_side(values, "ours"),
            theirs=_side(values, "theirs"),
        )


def _side(values: dict[str, Any], side: str) -> ListedSide | None:
    if values[f"{side}_row"] == NOBODY:
        return None
    return ListedSide(*(values[f"{side}_{name}"] for name in ("row", "start_ms", "quantity", "micros")))
