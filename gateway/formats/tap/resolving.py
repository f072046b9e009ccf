"""Which file is it among those we hold, and which event of which TAP file did a return mean?

Files are told apart by what stands in them, events by their content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gateway.formats.tap.ber import APPLICATION, Bytes, Elements, bytes_of, walk
from gateway.formats.tap.files import SNIFFED_BYTES, FileKind, kind_of
from gateway.formats.tap.heads import nrtrde_name, tap_name
from gateway.formats.tap.layouts import NRTRDE, TAP
from gateway.formats.tap.picking import EVENT_DEPTH
from gateway.formats.tap.rap import Returned
from gateway.formats.tap.tree import Element, TreeBuilder
from ledger.errors import Malformed

HEAD_PIECES = 64
"""Of 64 elements, in which a file's name has to stand."""


class FileKey(NamedTuple):
    """What no two files share."""

    kind: FileKind
    sender: str
    recipient: str
    sequence: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A return, and what it is about as far as we hold it."""

    returned: Returned
    path: Path | None
    """The TAP file, if it is among ours."""
    events: tuple[int, ...]
    """Numbers of the events that hold just what was returned, from 1; several if the file repeats one."""


def resolve_returns(returned: Iterable[Returned], paths: Iterable[Path]) -> tuple[Resolved, ...]:
    """Find each return's TAP file among some, and its event in it. Raises Malformed for a damaged file of that name."""
    ours = {key: path for path in paths if (key := file_key(path))}
    return tuple(_resolved(each, ours) for each in returned)


def file_key(path: Path) -> FileKey | None:
    """Which file it is, by its head; None if it is no file of events."""
    try:
        data = bytes_of(path)
        kind = kind_of(data[:SNIFFED_BYTES].tobytes())
        if kind not in (FileKind.TAP, FileKind.NRTRDE):
            return None
        head = TreeBuilder(data)
        for elements in islice(walk(data, room=64), HEAD_PIECES):
            head.take(elements)
            if head.so_far().one_of(5 if kind is FileKind.TAP else NRTRDE.list_number):
                break
        name = (tap_name if kind is FileKind.TAP else nrtrde_name)(head.so_far())
    except Malformed:
        return None
    return FileKey(kind, name.sender, name.recipient, name.sequence)


def missing_before(key: FileKey, held: Iterable[FileKey]) -> tuple[int, int] | None:
    """First and last number between the latest file of the same two before this one and it; None if none is missing."""
    numbers = [int(each.sequence) for each in held if each[:3] == key[:3] and each.sequence.isdigit()]
    earlier = [number for number in numbers if key.sequence.isdigit() and number < int(key.sequence)]
    if not earlier or max(earlier) + 1 == int(key.sequence):
        return None
    return max(earlier) + 1, int(key.sequence) - 1


def events_like(path: Path, event: Element) -> tuple[int, ...]:
    """Numbers of the events of a TAP file that hold just what this one does. Raises Malformed."""
    data, size = bytes_of(path), _size(event)
    return tuple(
        number
        for number, rows in enumerate(_events(data), start=1)
        if len(rows.tag) == size and rows.tag[0] == event.tag and _tree(data, rows) == event
    )


def _resolved(returned: Returned, ours: dict[FileKey, Path]) -> Resolved:
    path = ours.get(FileKey(FileKind.TAP, returned.tap_sender, returned.tap_recipient, returned.first_sequence))
    return Resolved(returned, path, events_like(path, returned.event) if path and returned.event else ())


def _events(data: Bytes) -> Iterator[Elements]:
    """The elements of each event."""
    held: Elements | None = None
    inside = False
    for elements in walk(data, guard=EVENT_DEPTH):
        above = np.flatnonzero(elements.depth < EVENT_DEPTH)
        for begin, end in zip([-1, *above.tolist()], [*above.tolist(), len(elements.tag)], strict=True):
            inside = elements.tag[begin] == APPLICATION | TAP.list_number if begin >= 0 else inside
            if begin >= 0 and held is not None:
                yield held
                held = None
            rows = elements.take(np.arange(begin + 1, end)) if inside else None
            if rows is None:
                continue
            whole = rows if held is None else held.then(rows)
            starts = np.flatnonzero(whole.depth == EVENT_DEPTH).tolist()
            for first, after in pairwise(starts):
                yield whole.take(np.arange(first, after))
            held = whole.take(np.arange(starts[-1], len(whole.tag))) if starts else None
    if held is not None:
        yield held


def _tree(data: Bytes, rows: Elements) -> Element:
    builder = TreeBuilder(data)
    builder.take(rows._replace(depth=rows.depth - EVENT_DEPTH))
    return builder.finish()


def _size(element: Element) -> int:
    return 1 + sum(map(_size, element.elements))
