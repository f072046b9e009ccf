"""Which kind of roaming file is it, and what does it hold? The way in: `read_tap`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

from gateway.tap.audit import Audited, AuditLine, Delivery, audit_nrtrde, audit_tap
from gateway.tap.ber import ROOM, Bytes, bytes_of
from gateway.tap.events import QUARANTINE_SCHEMA, RoamingUsage
from gateway.tap.gathering import Gathering
from gateway.tap.heads import FileName, Money, nrtrde_name, tap_money, tap_name
from gateway.tap.layouts import NRTRDE, TAP
from gateway.tap.picking import Unread
from gateway.tap.rap import Returned, declared_returns, rap_name, returns_of
from gateway.tap.sides import Sides, TapContext, sides_of
from gateway.tap.tree import tree_of
from ledger.errors import Malformed

SNIFFED_BYTES = 64


_NOTHING = RoamingUsage({}, QUARANTINE_SCHEMA.empty_table(), 0, 0)


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
class TapReading:
    """A file's usage, and what became of what it says of itself."""

    kind: FileKind
    name: FileName
    sides: Sides | None = None
    """None for what carries no traffic of ours."""
    usage: RoamingUsage = _NOTHING
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


def kind_of(head: bytes) -> FileKind | None:
    """What a file is by its first SNIFFED_BYTES; None if it is no roaming file."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    inside = head[2 + (head[1] & 0x7F if head[1] > 0x80 else 0) :] if len(head) > 2 else b""
    if head[:1] == b"\x62":
        return FileKind.NOTIFICATION if inside.startswith(b"\x5f\x81\x44") else None
    if head[:1] != b"\x61":
        return None
    if inside[:1] == b"\x64":
        return FileKind.TAP
    return FileKind.NRTRDE if inside[:2] in _NRTRDE_FIRST else None


_STARTS = {
    b"\x7f\x84\x16": FileKind.RAP,
    b"\x7f\x84\x17": FileKind.RECEIPT,
}
_NRTRDE_FIRST = (b"\x5f\x29", b"\x5f\x25", b"\x5f\x26", b"\x5f\x24")
"""Versions, sender or recipient: what may stand first in an NRTRDE file."""


def read_tap(path: Path, context: TapContext, *, room: int = ROOM) -> TapReading:
    """Read a TAP, NRTRDE or RAP file; `room` elements at a time.

    Raises Malformed for what is none, is cut off or damaged outside its events, carries test data or is about others.
    """
    data = bytes_of(path)
    kind = kind_of(data[:SNIFFED_BYTES].tobytes())
    match kind:
        case FileKind.TAP:
            return _tap(data, context, room)
        case FileKind.NRTRDE:
            return _nrtrde(data, context, room)
        case FileKind.NOTIFICATION:
            name = tap_name(tree_of(data))
            return TapReading(kind, name, sides_of(name, context))
        case FileKind.RAP:
            return _rap(data)
        case FileKind.RECEIPT:
            return TapReading(kind, rap_name(tree_of(data)))
    raise Malformed(
        "not a TAP, NRTRDE or RAP file",
        expected="BER that begins with one of their tags",
        got=data[:8].tobytes().hex(" "),
        todo="Name the preset the file was written for.",
    )


def _tap(data: Bytes, context: TapContext, room: int) -> TapReading:
    gathering = Gathering(data, TAP, tap_name, partial(sides_of, context=context), room=room)
    root = gathering.gather()
    name = tap_name(root)
    if name.is_test:
        raise Malformed("the file carries test data", expected="chargeable data", got=f"file {name}")
    return TapReading(
        FileKind.TAP,
        name,
        sides_of(name, context),
        gathering.usage(),
        audit=audit_tap(root, gathering.counted),
        money=tap_money(root),
        charges=dict(gathering.counted.charges),
        unread=gathering.unread(),
    )


def _nrtrde(data: Bytes, context: TapContext, room: int) -> TapReading:
    gathering = Gathering(data, NRTRDE, nrtrde_name, partial(sides_of, context=context), room=room)
    root = gathering.gather()
    name = nrtrde_name(root)
    return TapReading(
        FileKind.NRTRDE,
        name,
        sides_of(name, context),
        gathering.usage(),
        audit=audit_nrtrde(root, gathering.counted),
        delivery=gathering.counted.delivery,
        unread=gathering.unread(),
    )


def _rap(data: Bytes) -> TapReading:
    root = tree_of(data)
    name = rap_name(root)
    returned = returns_of(root, name)
    audit = AuditLine(Audited.EVENTS, declared_returns(root), len(returned))
    return TapReading(FileKind.RAP, name, audit=(audit,), returned=returned)
