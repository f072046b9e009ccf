"""What calls does this CDR file hold, by partner and direction, and which of its rows cannot be read?

The file goes on whatever a row says: each bad row is quarantined with its line, column and reason. Rows that cost
nothing (not answered, or of zero duration: an Asterisk feature code is ANSWERED for 0 s) are counted as not billable.
The duration column is authoritative; the times may say a second more or less, as published rows of Asterisk and Cisco
switches do. Local time is read in the switch's zone; an hour the wall shows twice is told apart by the order of rows,
which a switch writes when calls end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gateway import fields
from gateway.lines import raw_line as raw_line
from gateway.lines import whole_lines
from gateway.preset import Preset, TimeFormat, TrunkRule
from gateway.zones import utc_of_wall
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.numbers import Numbering, NumberKind, Numbers, numbering_of, to_e164
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA

CHUNK_BYTES = 4 << 20
"""What is read at a time; a reading holds this, and the records."""
ORDER_SLACK_MS = 600_000
"""How far rows may stand out of the order in which calls ended."""
DURATION_SLACK_MS = 1_000
"""By how much times and duration may differ without a word."""
MAX_ROUTE = 32

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),  # 1-based line of the raw file
        pa.field("column", pa.string(), nullable=False),  # its name, "" if the whole line is meant
        pa.field("reason", pa.string(), nullable=False),
    ]
)


class Direction(StrEnum):
    """Which way a trunk's calls go, seen from the carrier that wrote the file."""

    IN = "in"
    """From the partner to us: we terminate, and are the creditor."""
    OUT = "out"
    """From us to the partner: it terminates, and is the creditor."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """What a trunk's name means."""

    partner: CarrierCode
    direction: Direction
    numbering: Numbering | None = None
    """How numbers are written on it; None: as in the switch's country."""


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What the file does not say of the switch that wrote it."""

    zone: ZoneInfo
    country: str
    """ISO 3166, for numbers written nationally: "CN"."""
    trunks: Mapping[str, Trunk]


class Stream(NamedTuple):
    """Whose traffic a table holds."""

    partner: CarrierCode
    direction: Direction
    service: Service


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
class Reading:
    """A file's usage records."""

    tables: Mapping[Stream, pa.Table]
    """USAGE_SCHEMA, in the order of the file."""
    quarantined: pa.Table
    """QUARANTINE_SCHEMA, in the order of the file."""
    counts: Counts


def read_cdr(path: Path, preset: Preset, context: ReadingContext) -> Reading:
    """Read a CDR file. Raises Malformed if it is no such file at all."""
    reader = _Reader(preset, context)
    try:
        with path.open("rb") as file:
            for lines in whole_lines(file, CHUNK_BYTES, reader.skip_line):
                reader.take(lines)
    except OSError as error:
        raise Malformed("the CDR file cannot be read", expected="a readable file", got=str(error)) from None
    return reader.finish()


class _Columns(NamedTuple):
    """The rows of one piece that have all their fields: raw fields by name, and the rows' lines."""

    line: NDArray[np.int64]
    raw: Mapping[str, pa.Array]

    def keep(self, mask: NDArray[np.bool_]) -> "_Columns":
        if mask.all():
            return self
        chosen = pa.array(mask)
        return _Columns(self.line[mask], {name: array.filter(chosen) for name, array in self.raw.items()})


class _Reader:
    """Takes a file piece by piece; what it holds grows with the records only."""

    def __init__(self, preset: Preset, context: ReadingContext) -> None:
        self._preset, self._context = preset, context
        self._names = list(context.trunks)
        _check_routes(self._names)
        self._order = list(preset.columns)
        self._header_due = preset.header
        self._lines = 0
        self._clock = 0
        self._parts: dict[Stream, list[pa.Table]] = {}
        self._quarantine: list[pa.Table] = []
        self._marks: list[NDArray[np.uint64]] = []
        self._rows = self._accepted = self._not_billable = self._inconsistent = 0

    def take(self, piece: bytes) -> None:
        """Read whole lines."""
        if self._header_due:
            piece = self._read_header(piece)
        columns = self._split(piece)
        columns, quantity = self._billable(columns)
        columns, quantity, start = self._timed(columns, quantity)
        self._record(columns, quantity, start)

    def skip_line(self) -> None:
        """Count a line too long to be looked at."""
        self._lines += 1
        self._rows += 1
        self._refuse(np.array([self._lines], np.int64), "", fields.PROBLEMS[fields.LONG_LINE])

    def finish(self) -> Reading:
        """Everything that was read."""
        quarantined = pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *self._quarantine]).sort_by("line")
        marks = np.sort(np.concatenate(self._marks)) if self._marks else np.empty(0, np.uint64)
        counts = Counts(
            rows=self._rows,
            accepted=self._accepted,
            not_billable=self._not_billable,
            quarantined=len(quarantined),
            duplicates=int((marks[1:] == marks[:-1]).sum()),
            inconsistent=self._inconsistent,
        )
        return Reading({stream: _in_order(parts) for stream, parts in self._parts.items()}, quarantined, counts)

    def _read_header(self, piece: bytes) -> bytes:
        line, _, rest = piece.partition(b"\n")
        names = [
            name.strip().strip('"').lower() for name in line.decode("utf-8", "replace").split(self._preset.delimiter)
        ]
        missing = [column for column in self._preset.columns if column not in names]
        if missing:
            raise Malformed(
                "the file's header line lacks columns",
                expected=", ".join(self._preset.columns),
                got=", ".join(names)[:200],
                todo="Name the preset the file was written for.",
            )
        self._order, self._header_due = names, False
        self._lines += 1
        return rest

    def _split(self, piece: bytes) -> _Columns:
        preset = self._preset
        wanted = dict.fromkeys([preset.a_party, preset.b_party, preset.start, preset.quantity])
        wanted |= dict.fromkeys(name for name in (preset.end, preset.trunk_in, preset.trunk_out) if name)
        if preset.answered:
            wanted[preset.answered[0]] = None
        slots = np.full(len(self._order), -1, np.int32)
        for slot, name in enumerate(wanted):
            slots[self._order.index(name)] = slot
        text = np.frombuffer(piece, np.uint8)
        rows = piece.count(b"\n")
        begins, ends = np.zeros((rows, len(wanted)), np.int32), np.zeros((rows, len(wanted)), np.int32)
        status, column, marks = np.zeros(rows, np.int8), np.zeros(rows, np.int32), np.zeros(rows, np.uint64)
        fields.split_lines(
            text, len(piece), ord(preset.delimiter), slots, not preset.header, begins, ends, status, column, marks
        )
        line = np.arange(self._lines + 1, self._lines + rows + 1)
        self._lines += rows
        self._rows += int((status != fields.EMPTY).sum())
        self._marks.append(marks[status != fields.EMPTY])
        for problem, reason in fields.PROBLEMS.items():
            where = status == problem
            if where.any():
                self._refuse_at(line[where], column[where], reason)
        good = status == fields.OK
        raw = {name: fields.gather(text, begins[good, slot], ends[good, slot]) for slot, name in enumerate(wanted)}
        return _Columns(line[good], raw)

    def _billable(self, columns: _Columns) -> tuple[_Columns, NDArray[np.int64]]:
        """Answered rows with a duration."""
        preset = self._preset
        start = columns.raw[preset.start]
        if preset.answered:
            name, values = preset.answered
            answered = pc.is_in(columns.raw[name], pa.array([value.encode() for value in sorted(values)]))
        else:
            answered = pc.invert(pc.is_in(start, pa.array([b"", b"0"])))
        mask = answered.to_numpy(zero_copy_only=False)
        self._not_billable += int((~mask).sum())
        columns = columns.keep(mask)
        quantity = np.empty(len(columns.line), np.int64)
        fields.read_quantities(*fields.buffers_of(columns.raw[preset.quantity]), preset.quantity_scale, quantity)
        self._refuse(columns.line[quantity < 0], preset.quantity, "not a duration")
        self._not_billable += int((quantity == 0).sum())
        return columns.keep(quantity > 0), quantity[quantity > 0]

    def _timed(
        self, columns: _Columns, quantity: NDArray[np.int64]
    ) -> tuple[_Columns, NDArray[np.int64], NDArray[np.int64]]:
        """Start times in UTC."""
        preset = self._preset
        wall, kind = self._times(columns, preset.start)
        self._refuse(columns.line[kind == fields.NO_TIME], preset.start, "not a time")
        known = kind != fields.NO_TIME
        columns, quantity, wall, kind = columns.keep(known), quantity[known], wall[known], kind[known]
        early, late, exists = wall, wall, np.ones(len(wall), np.bool_)
        if preset.local_time:
            moments = utc_of_wall(wall, self._context.zone)
            local = kind == fields.WALL
            early, late = np.where(local, moments.early, wall), np.where(local, moments.late, wall)
            exists = moments.exists | ~local
        self._refuse(
            columns.line[~exists], preset.start, f"no such time in {self._context.zone.key}: skipped by daylight saving"
        )
        columns, quantity, wall, early, late = (
            columns.keep(exists),
            quantity[exists],
            wall[exists],
            early[exists],
            late[exists],
        )
        start = np.empty(len(early), np.int64)
        self._clock = fields.end_order(early, late, quantity, ORDER_SLACK_MS, self._clock, start)
        self._count_inconsistent(columns, wall, quantity)
        return columns, quantity, start

    def _times(self, columns: _Columns, name: str) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        style = self._preset.time_format
        wall, kind = np.empty(len(columns.line), np.int64), np.empty(len(columns.line), np.int8)
        epoch, offset_allowed = style is TimeFormat.EPOCH_MS, style is TimeFormat.ISO
        fields.read_times(*fields.buffers_of(columns.raw[name]), epoch, offset_allowed, wall, kind)
        return wall, kind

    def _count_inconsistent(self, columns: _Columns, wall: NDArray[np.int64], quantity: NDArray[np.int64]) -> None:
        """An hour's difference is the change of the clock, not of the call."""
        if self._preset.end is None:
            return
        end, kind = self._times(columns, self._preset.end)
        gap = np.abs(end - wall - quantity)
        hour = np.abs(gap - 3_600_000)
        self._inconsistent += int(((kind != fields.NO_TIME) & (np.minimum(gap, hour) > DURATION_SLACK_MS)).sum())

    def _record(self, columns: _Columns, quantity: NDArray[np.int64], start: NDArray[np.int64]) -> None:
        """Split rows by trunk; a transit call is a record of both its trunks."""
        legs = [(Direction.IN, self._preset.trunk_in), (Direction.OUT, self._preset.trunk_out)]
        trunks = [(direction, self._trunks(columns, column, direction)) for direction, column in legs if column]
        unknown = np.logical_and.reduce([trunk < 0 for _, trunk in trunks])
        column = self._preset.trunk_in or self._preset.trunk_out or ""
        self._refuse(columns.line[unknown], column, "unknown trunk")
        wrong = np.zeros(len(columns.line), np.bool_)
        parts = [
            self._leg(columns, quantity, start, trunk == which, self._names[which], wrong)
            for _, trunk in trunks
            for which in np.unique(trunk[trunk >= 0]).tolist()
        ]
        self._refuse(columns.line[wrong], self._preset.b_party, "not a number in E.164")
        self._accepted += int((~unknown & ~wrong).sum())
        for stream, table in parts:
            self._parts.setdefault(stream, []).append(table)

    def _trunks(self, columns: _Columns, column: str, direction: Direction) -> NDArray[np.int32]:
        """Position of each row's trunk among the names, if it is one of that direction, or -1."""
        usable = [self._context.trunks[name].direction is direction for name in self._names]
        known = pa.array([name.encode() for name in self._names], pa.binary())
        found = np.empty(len(columns.line), np.int32)
        channel = self._preset.trunk_rule is TrunkRule.CHANNEL
        if not self._names:
            return np.full(len(columns.line), -1, np.int32)
        fields.read_trunks(*fields.buffers_of(columns.raw[column]), channel, *fields.buffers_of(known), found)
        return np.where(np.append(usable, False)[found], found, -1).astype(np.int32)

    def _leg(
        self,
        columns: _Columns,
        quantity: NDArray[np.int64],
        start: NDArray[np.int64],
        mine: NDArray[np.bool_],
        name: str,
        wrong: NDArray[np.bool_],
    ) -> tuple[Stream, pa.Table]:
        trunk = self._context.trunks[name]
        numbering = trunk.numbering or numbering_of(self._context.country)
        part = columns.keep(mine)
        called = to_e164(part.raw[self._preset.b_party], numbering)
        calling = to_e164(part.raw[self._preset.a_party], numbering)
        good = called.kind == NumberKind.VALID
        wrong[np.flatnonzero(mine)[~good]] = True
        arrays = [
            pa.array(part.line),
            _storable(calling),
            called.text,
            pa.array(start[mine]),
            pa.array(quantity[mine]),
            pa.repeat(pa.scalar(name), len(good)),
        ]
        table = pa.Table.from_arrays(arrays, schema=USAGE_SCHEMA)
        stream = Stream(trunk.partner, trunk.direction, self._preset.service)
        return stream, table if good.all() else table.filter(pa.array(good))

    def _refuse(self, lines: NDArray[np.int64], column: str, reason: str) -> None:
        if len(lines):
            texts = [pa.repeat(pa.scalar(column), len(lines)), pa.repeat(pa.scalar(reason), len(lines))]
            self._quarantine.append(pa.Table.from_arrays([pa.array(lines), *texts], schema=QUARANTINE_SCHEMA))

    def _refuse_at(self, lines: NDArray[np.int64], columns: NDArray[np.int32], reason: str) -> None:
        for column in np.unique(columns).tolist():
            self._refuse(lines[columns == column], self._order[column], reason)


def _storable(calling: Numbers) -> pa.Array:
    """Calling numbers as a leaf can hold them: what is not 32 printable ASCII characters is as good as withheld."""
    if not (calling.kind == NumberKind.INVALID).any():
        return calling.text
    fits = pc.match_substring_regex(calling.text, r"^[ -~]{0,32}$")
    return pc.if_else(fits, calling.text, "")


def _check_routes(names: list[str]) -> None:
    for name in names:
        if not name or not name.isascii() or not name.isprintable() or len(name) > MAX_ROUTE:
            raise Malformed("not a trunk name", expected=f"1 to {MAX_ROUTE} ASCII characters", got=repr(name[:60]))


def _in_order(parts: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(parts).combine_chunks()
    line = table["line"].to_numpy()
    return table if (line[1:] >= line[:-1]).all() else table.take(pa.array(np.argsort(line, kind="stable")))
