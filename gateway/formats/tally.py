"""What became of a file's rows so far: records by stream, rows left out and why, and what the file says they cost?"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats.layout import Preset
from gateway.formats.rows import Bools, Cut, Marks, Refusals, Rows
from gateway.formats.trunks import Legs, Stream, Trunk

_VALUE = r"^-?[0-9]{1,12}(\.[0-9]{0,12})?$"
_PLACES = pa.decimal128(38, 12)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows: rows = accepted + not_billable + quarantined."""

    rows: int
    """Lines that are not blank and not a header."""
    accepted: int
    not_billable: int
    quarantined: int
    duplicates: int
    """Rows that repeat an earlier line byte for byte; they are kept, for the engine to find."""
    inconsistent: int
    """Accepted rows whose times say another duration by more than a second."""


@dataclass(frozen=True, slots=True)
class FileValue:
    """What the file itself says its accepted rows cost; shown, never settled on."""

    amount: Decimal
    currency: str


class Tally:
    """Counts and collects, for one file."""

    def __init__(self, preset: Preset) -> None:
        self.refusals = Refusals()
        self.not_billable = self.inconsistent = 0
        self._preset = preset
        self._rows = self._accepted = 0
        self._cost = Decimal(0)
        self._marks: list[Marks] = []
        self._tables: dict[Stream, list[pa.Table]] = {}

    def see(self, cut: Cut) -> None:
        """A piece of the file was cut into rows."""
        self._rows += cut.seen
        self.not_billable += cut.passed_over
        self._marks.append(cut.marks)

    def leave_unbilled(self, rows: Rows, billable: Bools) -> Rows:
        """The billable rows; the others are counted."""
        self.not_billable += int((~billable).sum())
        return rows.keep(billable)

    def refuse(self, rows: Rows, wrong: Bools, column: str, reason: str) -> Rows:
        """The rows that are not wrong; those that are go to quarantine."""
        self.refusals.add(rows.line[wrong], column, reason)
        return rows.keep(~wrong)

    def known(self, rows: Rows, legs: Legs) -> Bools:
        """Rows whose trunk is known; the others are refused."""
        trunk = self._preset.trunk
        self.refusals.add(rows.line[legs.unknown], trunk.came or trunk.went or "", "unknown trunk")
        return ~legs.unknown

    def accept(self, rows: Rows) -> None:
        """These rows are records."""
        self._accepted += len(rows.line)
        if self._preset.value is not None:
            written = rows.raw[self._preset.value.column]
            plain = pc.match_substring_regex(written, _VALUE)
            amounts = pc.if_else(plain, written, pa.scalar(b"0")).cast(pa.string()).cast(_PLACES)
            self._cost += pc.sum(amounts).as_py() or 0

    def record(self, trunk: Trunk, table: pa.Table) -> None:
        """Records of one trunk."""
        stream = Stream(trunk.partner, trunk.direction, self._preset.service)
        if len(table):
            self._tables.setdefault(stream, []).append(table)

    def drain(self) -> tuple[Mapping[Stream, pa.Table], pa.Table]:
        """Records and quarantine since the last call, in the order of the file."""
        tables, self._tables = self._tables, {}
        return {stream: _in_order(parts) for stream, parts in tables.items()}, self.refusals.drain()

    def counts(self) -> Counts:
        """What became of the rows seen so far."""
        marks = np.sort(np.concatenate(self._marks)) if self._marks else np.empty(0, np.uint64)
        return Counts(
            rows=self._rows,
            accepted=self._accepted,
            not_billable=self.not_billable,
            quarantined=self.refusals.count,
            duplicates=int((marks[1:] == marks[:-1]).sum()),
            inconsistent=self.inconsistent,
        )

    def value(self) -> FileValue | None:
        """What the file says the accepted rows cost, if it says so."""
        return None if self._preset.value is None else FileValue(self._cost.normalize(), self._preset.value.currency)


def _in_order(parts: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(parts).combine_chunks()
    line = table["line"].to_numpy()
    return table if (line[1:] >= line[:-1]).all() else table.take(pa.array(np.argsort(line, kind="stable")))
