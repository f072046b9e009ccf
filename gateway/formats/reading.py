"""What usage does this file hold, by partner and direction, and which of its rows cannot be read?

The file goes on whatever a row says: each bad row is quarantined with its line, column and reason. Rows that cost
nothing (not answered, or of zero duration: an Asterisk feature code is ANSWERED for 0 s) are counted as not billable.
An event belongs to the month in which it began, whatever midnight it crosses.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from gateway.formats.calls import Calls
from gateway.formats.circuits import Circuits
from gateway.formats.files import Told, cuts_of
from gateway.formats.layout import Preset
from gateway.formats.lines import raw_line as raw_line
from gateway.formats.messages import Messages
from gateway.formats.ports import Ports
from gateway.formats.rows import Rows, is_in, with_parts
from gateway.formats.tally import Counts as Counts
from gateway.formats.tally import FileValue, Tally
from gateway.formats.trunks import Direction as Direction
from gateway.formats.trunks import ReadingContext as ReadingContext
from gateway.formats.trunks import Stream as Stream
from gateway.formats.trunks import Trunk as Trunk
from gateway.formats.trunks import check_context
from ledger.service import Service


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece of a file held, in the order of the file."""

    tables: Mapping[Stream, pa.Table]
    """USAGE_SCHEMA."""
    quarantined: pa.Table
    """QUARANTINE_SCHEMA."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's usage records."""

    tables: Mapping[Stream, pa.Table]
    """USAGE_SCHEMA, in the order of the file."""
    quarantined: pa.Table
    """QUARANTINE_SCHEMA, in the order of the file."""
    counts: Counts
    value: FileValue | None = None


class _Service(Protocol):
    def take(self, rows: Rows) -> None:
        """Records of these rows."""


def read_cdr(path: Path, preset: Preset, context: ReadingContext, told: Told | None = None) -> Reading:
    """Read a usage file as a whole. Raises Malformed if it is no such file at all."""
    reader = CdrReader(preset, context)
    pieces = list(reader.pieces(path, told))
    streams = dict.fromkeys(stream for piece in pieces for stream in piece.tables)
    tables = {
        stream: pa.concat_tables(piece.tables[stream] for piece in pieces if stream in piece.tables)
        for stream in streams
    }
    quarantined = pa.concat_tables(piece.quarantined for piece in pieces).sort_by("line")
    whole = {stream: table.combine_chunks() for stream, table in tables.items()}
    return Reading(whole, quarantined, reader.counts(), reader.value())


class CdrReader:
    """Reads one file piece by piece; what it holds meanwhile is a piece, and a mark of 8 bytes for each row."""

    def __init__(self, preset: Preset, context: ReadingContext) -> None:
        check_context(preset, context)
        self._preset, self._tally = preset, Tally(preset)
        kinds: Mapping[Service, Callable[[Preset, ReadingContext, Tally], _Service]] = {
            Service.VOICE: Calls,
            Service.SMS: Messages,
            Service.DATA: Ports,
            Service.IPL: Circuits,
        }
        self._service = kinds[preset.service](preset, context, self._tally)

    def pieces(self, path: Path, told: Told | None = None) -> Iterator[Piece]:
        """The file's usage, piece by piece, the first perhaps empty. Raises Malformed."""
        for cut in cuts_of(path, self._preset, self._tally.refusals, told):
            self._tally.see(cut)
            self._service.take(self._billable(with_parts(cut.rows, self._preset.parts)))
            yield Piece(*self._tally.drain())
        yield Piece(*self._tally.drain())

    def counts(self) -> Counts:
        """What became of the rows read so far."""
        return self._tally.counts()

    def value(self) -> FileValue | None:
        """What the file itself says its accepted rows cost."""
        return self._tally.value()

    def _billable(self, rows: Rows) -> Rows:
        """Rows of the kinds that count; where a preset names all values, another one is refused."""
        for condition in self._preset.billable:
            if condition.other is not None:
                values = condition.values | condition.other
                unknown = ~is_in(rows.raw[condition.column], values)
                rows = self._tally.refuse(rows, unknown, condition.column, "unknown value")
            rows = self._tally.leave_unbilled(rows, is_in(rows.raw[condition.column], condition.values))
        return rows
