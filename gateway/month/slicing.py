"""How do the records of a file of any length reach the disk, each in the slice that becomes its batch?

A slice is one direction, service and period, so many days of it, and at most so many records. Records wait in memory
until they fill a row group; only so many wait, and only so many files are open, whatever the file says.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gateway.formats.trunks import Direction, Stream
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.pieces import file_options
from ledger.usage import USAGE_SCHEMA, BatchScope

DAY_MS = 86_400_000
SLICE_RECORDS = 1 << 21
"""Of one slice at most: rating and sealing hold a slice as a whole. What is more begins a further one."""
GROUP_RECORDS = 1 << 17
"""Of a row group; a slice's last one is smaller."""
WAITING_RECORDS = 1 << 20
"""Of all slices together, in memory."""
OPEN_FILES = 64


class Agreed(Protocol):
    """What slices ask of an agreement."""

    @property
    def id(self) -> AgreementId: ...

    @property
    def zone(self) -> ZoneInfo:
        """Of its months."""


class NotAgreed(NamedTuple):
    """In a dry run, instead of an agreement that is missing."""

    id: AgreementId = AgreementId(bytes(32))
    zone: ZoneInfo = ZoneInfo("UTC")


class SliceKey(NamedTuple):
    """Which slice; keys are sorted as their batches are declared."""

    partner: CarrierCode
    scope: BatchScope
    number: int
    """Of the days within the period, from 0."""
    part: int
    """From 0; another one for what is more than SLICE_RECORDS."""


@dataclass(slots=True)
class Slice:
    """What a slice holds so far."""

    count: int = 0
    quantity: int = 0
    paths: list[Path] = field(default_factory=list)
    """One file; several while it is not finished and had to be closed before."""
    _waiting: list[pa.Table] = field(default_factory=list)
    waiting: int = 0

    def add(self, table: pa.Table) -> None:
        """Records that wait to be written."""
        self.count += len(table)
        self.quantity += pc.sum(table["quantity"]).as_py()
        self._waiting.append(table)
        self.waiting += len(table)

    def take(self) -> pa.Table:
        """The records that wait."""
        table = pa.concat_tables(self._waiting)
        self._waiting, self.waiting = [], 0
        return table


class Slices:
    """Takes a file's records in their order; `finish` says which slices they came to. Without a folder it counts.

    `agreement_with` is asked once for each partner, and raises NotFound where there is none.
    """

    def __init__(
        self,
        carrier: CarrierCode,
        agreement_with: Callable[[CarrierCode], Agreed],
        batch_days: int,
        folder: Path | None,
    ) -> None:
        self._carrier, self._agreement_with = carrier, lru_cache(maxsize=None)(agreement_with)
        self._span_ms, self._folder = batch_days * DAY_MS, folder
        self._slices: dict[SliceKey, Slice] = {}
        self._last: dict[tuple[CarrierCode, BatchScope, int], int] = {}
        self._open: dict[SliceKey, pq.ParquetWriter] = {}
        self._waiting = 0

    def __enter__(self) -> "Slices":
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What is not finished leaves nothing behind."""
        for writer in self._open.values():
            writer.close()
        for path in self._folder.glob("*.part") if self._folder else ():
            path.unlink()

    def add(self, tables: Mapping[Stream, pa.Table]) -> None:
        """Records of the file's next piece. Raises NotFound for a partner without agreement."""
        for stream, table in sorted(tables.items()):
            held = self._agreement_with(stream.partner)
            creditor = self._carrier if stream.direction is Direction.IN else stream.partner
            for period, number, part in _by_days(held, table, self._span_ms):
                scope = BatchScope(held.id, self._carrier, creditor, stream.service, period)
                self._fill(stream.partner, scope, number, part)

    def finish(self) -> dict[SliceKey, Slice]:
        """Write what waits; each slice with its one file, if there is a folder."""
        for key, each in self._slices.items():
            self._write(key, each)
            self._close(key)
        for key, each in self._slices.items():
            if self._folder:
                each.paths = [_put_together(each.paths, self._folder / f"{_name(key)}.parquet")]
        return dict(sorted(self._slices.items()))

    def _fill(self, partner: CarrierCode, scope: BatchScope, number: int, table: pa.Table) -> None:
        while len(table):
            part = self._last.setdefault((partner, scope, number), 0)
            key = SliceKey(partner, scope, number, part)
            into = self._slices.setdefault(key, Slice())
            room = SLICE_RECORDS - into.count
            if room == 0:
                self._last[partner, scope, number] += 1
                continue
            into.add(table.slice(0, room))
            self._waiting += min(room, len(table))
            table = table.slice(room)
            if into.waiting >= GROUP_RECORDS:
                self._write(key, into)
        while self._waiting > WAITING_RECORDS:
            self._write(*max(self._slices.items(), key=lambda item: item[1].waiting))

    def _write(self, key: SliceKey, each: Slice) -> None:
        if not each.waiting:
            return
        self._waiting -= each.waiting
        table = each.take()
        if self._folder is None:
            return
        if key not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._close(next(iter(self._open)))
            each.paths.append(self._folder / f"{_name(key)}.{len(each.paths)}.part")
            self._open[key] = pq.ParquetWriter(each.paths[-1], USAGE_SCHEMA, **file_options(USAGE_SCHEMA))
        self._open[key].write_table(table, row_group_size=GROUP_RECORDS)

    def _close(self, key: SliceKey) -> None:
        writer = self._open.pop(key, None)
        if writer:
            writer.close()


def _name(key: SliceKey) -> str:
    scope, part = key.scope, f".{key.part}" if key.part else ""
    return f"{scope.period}-{key.partner}-{scope.creditor}-{scope.service.word}-{key.number}{part}"


def _put_together(parts: list[Path], path: Path) -> Path:
    """One file of several, row group by row group; the usual one part is it already."""
    whole = parts[0]
    if len(parts) > 1:
        whole = path.with_suffix(".whole.part")
        with pq.ParquetWriter(whole, USAGE_SCHEMA, **file_options(USAGE_SCHEMA)) as writer:
            for part in parts:
                with pq.ParquetFile(part) as file:
                    for group in range(file.num_row_groups):
                        writer.write_table(file.read_row_group(group))
                part.unlink()
    whole.replace(path)
    return path


def _by_days(held: Agreed, table: pa.Table, span_ms: int) -> Iterator[tuple[Period, int, pa.Table]]:
    """The records by accounting month of the agreement's zone, and by spans of days in it."""
    start_ms = table["start_ms"].to_numpy()
    first, last = int(start_ms.min()), int(start_ms.max())
    ordered: NDArray[np.int64] = np.array([first])
    at = 0
    while at < len(ordered):
        period = _period_at(held, int(ordered[at]))
        begin_ms, end_ms = period.bounds_ms(held.zone)
        if at == 0 and not (last < end_ms and (first - begin_ms) // span_ms == (last - begin_ms) // span_ms):
            ordered = np.unique(start_ms)
        after = int(np.searchsorted(ordered, end_ms))
        for number in np.unique((ordered[at:after] - begin_ms) // span_ms).tolist():
            low = begin_ms + number * span_ms
            inside = (start_ms >= low) & (start_ms < min(low + span_ms, end_ms))
            yield period, number, table if inside.all() else table.filter(pa.array(inside))
        at = after


def _period_at(held: Agreed, at_ms: int) -> Period:
    local = datetime.fromtimestamp(at_ms // 1000, held.zone)
    return Period(local.year, local.month)
