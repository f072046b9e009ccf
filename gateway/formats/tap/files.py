"""Which kind of roaming file is it, and what does it hold? The way in: `read_tap`, or `TapReader` piece by piece."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from gateway.formats.files import Told
from gateway.formats.reading import Counts, Piece, Reading
from gateway.formats.rows import QUARANTINE_SCHEMA
from gateway.formats.tally import FileValue
from gateway.formats.tap.audit import Audited, AuditLine, Delivery, audit_nrtrde, audit_tap
from gateway.formats.tap.ber import ROOM, Bytes, bytes_of, walk
from gateway.formats.tap.gathering import Gathering
from gateway.formats.tap.heads import FileName, Money, nrtrde_name, tap_money, tap_name
from gateway.formats.tap.layouts import NRTRDE, TAP, Layout
from gateway.formats.tap.picking import EVENT, EVENT_DEPTH, Picker, Unread
from gateway.formats.tap.rap import Returned, declared_returns, rap_name, returns_of
from gateway.formats.tap.sides import Sides, TapContext, sides_of
from gateway.formats.tap.tree import Element, tree_of
from ledger.errors import Malformed

SNIFFED_BYTES = 64
MAX_SHOWN_BYTES = 256
"""Of an event, kept with the reason it was left out."""


class FileKind(StrEnum):
    """What a file's first bytes say it is."""

    TAP = "tap"
    """Priced events."""
    NOTIFICATION = "notification"
    """Word that there are none."""
    NRTRDE = "nrtrde"
    """Events within hours, against fraud."""
    RAP = "rap"
    """Events and files returned as wrong."""
    RECEIPT = "receipt"
    """Word that a RAP file came."""


@dataclass(frozen=True, slots=True)
class TapFile:
    """What a file says of itself, and what became of that."""

    kind: FileKind
    name: FileName
    audit: tuple[AuditLine, ...] = ()
    money: Money | None = None
    """TAP only."""
    charges: Mapping[int | None, int] = field(default_factory=dict)
    """TAP only: charges in the file's smallest unit by the code of their exchange rate."""
    delivery: Delivery | None = None
    """NRTRDE only."""
    returned: tuple[Returned, ...] = ()
    """RAP only."""
    unread: tuple[Unread, ...] = ()
    """Elements of events that we do not read, by path."""


@dataclass(frozen=True, slots=True)
class TapReading:
    """A file as a whole. A line of its tables is the number of an event, from 1."""

    file: TapFile
    reading: Reading


def kind_of(head: bytes) -> FileKind | None:
    """What a file is by its first SNIFFED_BYTES; None if it is no roaming file."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    inside = head[2 + (head[1] & 0x7F if head[1] > 0x80 else 0) :] if len(head) > 2 else b""
    if head[:1] == b"\x62":
        return FileKind.NOTIFICATION if inside.startswith(_TAP_SENDER) else None
    if head[:1] != b"\x61":
        return None
    if inside[:1] == b"\x64":
        return FileKind.TAP if _TAP_SENDER in inside[:14] else None
    return FileKind.NRTRDE if inside[:2] in _NRTRDE_FIRST else None


_STARTS = {b"\x7f\x84\x16": FileKind.RAP, b"\x7f\x84\x17": FileKind.RECEIPT}
_TAP_SENDER = b"\x5f\x81\x44"
"""Stands first in a batch's control information: text that begins with "add" is no TAP file."""
_NRTRDE_FIRST = (b"\x5f\x29", b"\x5f\x25", b"\x5f\x26", b"\x5f\x24")
"""Versions, sender or recipient: what may stand first in an NRTRDE file."""


def read_tap(path: Path, context: TapContext, *, room: int = ROOM) -> TapReading:
    """Read a TAP, NRTRDE or RAP file as a whole. Raises Malformed as TapReader does."""
    reader = TapReader(path, context, room=room)
    pieces = list(reader.pieces())
    streams = dict.fromkeys(stream for piece in pieces for stream in piece.tables)
    tables = {
        stream: pa.concat_tables(piece.tables[stream] for piece in pieces if stream in piece.tables).combine_chunks()
        for stream in streams
    }
    quarantined = pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *(piece.quarantined for piece in pieces)])
    return TapReading(reader.file(), Reading(tables, quarantined.combine_chunks(), reader.counts(), reader.value()))


def raw_events(path: Path, wanted: Iterable[int]) -> Iterator[str]:
    """Events in hexadecimal, by their numbers in ascending order; what is long is cut. Raises Malformed."""
    data, events = bytes_of(path), None
    for number in wanted:
        events = events or _spans_of(data)
        begin, end = next(((begin, end) for event, begin, end in events if event == number), (0, 0))
        yield data[begin : min(end, begin + MAX_SHOWN_BYTES) if end >= 0 else begin + MAX_SHOWN_BYTES].tobytes().hex()


def _spans_of(data: Bytes) -> Iterator[tuple[int, int, int]]:
    """Number of each event, and where its content begins and ends."""
    layout = TAP if kind_of(data[:SNIFFED_BYTES].tobytes()) is FileKind.TAP else NRTRDE
    picker = Picker(layout.list_number, {})
    for elements in walk(data, guard=EVENT_DEPTH):
        picks, _ = picker.take(elements)
        events = picks.take(np.flatnonzero(picks.slot == EVENT))
        yield from zip(events.event.tolist(), events.begin.tolist(), events.end.tolist(), strict=True)


class TapReader:
    """Reads one file; once its pieces were taken it can say what the file says of itself.

    Raises Malformed for what is no such file, is cut off or damaged outside its events, carries test data or is about
    others.
    """

    def __init__(self, path: Path, context: TapContext, *, room: int = ROOM) -> None:
        self._data, self._context, self._room = bytes_of(path), context, room
        kind = kind_of(self._data[:SNIFFED_BYTES].tobytes())
        if kind is None:
            raise Malformed(
                "not a TAP, NRTRDE or RAP file",
                expected="BER that begins with one of their tags",
                got=self._data[:8].tobytes().hex(" "),
                todo="Name the preset the file was written for.",
            )
        self.kind: FileKind = kind
        self._file: TapFile | None = None
        self._counts = Counts(0, 0, 0, 0, 0, 0)

    def pieces(self, told: Told | None = None) -> Iterator[Piece]:
        """The file's usage, piece by piece, the first perhaps empty."""
        yield Piece({}, QUARANTINE_SCHEMA.empty_table())
        match self.kind:
            case FileKind.TAP:
                yield from self._gathered(TAP, tap_name, _tap_file, told)
            case FileKind.NRTRDE:
                yield from self._gathered(NRTRDE, nrtrde_name, _nrtrde_file, told)
            case FileKind.NOTIFICATION:
                self._file = TapFile(self.kind, tap_name(tree_of(self._data)))
            case FileKind.RAP:
                self._file = _rap_file(self._data)
            case FileKind.RECEIPT:
                self._file = TapFile(self.kind, rap_name(tree_of(self._data)))
        sides_of(self.file().name, self._context)
        if told:
            told(len(self._data))

    def counts(self) -> Counts:
        """What became of the events."""
        return self._counts

    def file(self) -> TapFile:
        """What the file says of itself, once its pieces were taken."""
        assert self._file is not None, "the pieces come first"
        return self._file

    def value(self) -> FileValue | None:
        """What all its events cost, as the file itself says."""
        file = self.file()
        if file.money is None:
            return None
        amount = Decimal(sum(file.charges.values())).scaleb(-file.money.places)
        return FileValue(amount.normalize(), file.money.currency)

    def _gathered(
        self,
        layout: Layout,
        name_of: Callable[[Element], FileName],
        file_of: Callable[[Element, Gathering], TapFile],
        told: Told | None,
    ) -> Iterator[Piece]:
        def named(root: Element) -> tuple[FileName, Sides]:
            name = name_of(root)
            if name.is_test:
                raise Malformed("the file carries test data", expected="chargeable data", got=f"file {name}")
            return name, sides_of(name, self._context)

        gathering = Gathering(self._data, layout, named, room=self._room)
        for piece in gathering.pieces():
            yield piece
            if told:
                told(gathering.position)
        named(gathering.root())
        self._counts, self._file = gathering.counts(), file_of(gathering.root(), gathering)


def _tap_file(root: Element, gathering: Gathering) -> TapFile:
    return TapFile(
        FileKind.TAP,
        tap_name(root),
        audit=audit_tap(root, gathering.counted),
        money=tap_money(root),
        charges=dict(gathering.counted.charges),
        unread=gathering.unread(),
    )


def _nrtrde_file(root: Element, gathering: Gathering) -> TapFile:
    return TapFile(
        FileKind.NRTRDE,
        nrtrde_name(root),
        audit=audit_nrtrde(root, gathering.counted),
        delivery=gathering.counted.delivery,
        unread=gathering.unread(),
    )


def _rap_file(data: Bytes) -> TapFile:
    root = tree_of(data)
    name = rap_name(root)
    returned = returns_of(root, name)
    audit = AuditLine(Audited.EVENTS, declared_returns(root), len(returned))
    return TapFile(FileKind.RAP, name, audit=(audit,), returned=returned)
