"""What do all events of a file come to? Pieces of whole events on their way to usage records and totals."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gateway.formats.reading import Counts, Piece
from gateway.formats.tap.audit import Counted
from gateway.formats.tap.ber import Bytes, walk
from gateway.formats.tap.counting import count_charges, count_delays, count_times
from gateway.formats.tap.events import Conversion, Fields, RoamingUsage, event_starts
from gateway.formats.tap.heads import FileName, offset_table
from gateway.formats.tap.layouts import Layout
from gateway.formats.tap.picking import EVENT, EVENT_DEPTH, Picker, Picks, Unread
from gateway.formats.tap.sides import Sides
from gateway.formats.tap.tree import Element, TreeBuilder
from gateway.formats.tap.values import Spans, marks_of
from gateway.formats.trunks import Stream
from ledger.errors import Malformed

MAX_EVENT_FIELDS = 200_000
"""Fields of one event, before the file is refused."""


class Gathering:
    """Takes the events of one file; what it holds is a piece, the file's head, and a mark of 8 bytes for each event."""

    def __init__(
        self, data: Bytes, layout: Layout, sides_of: Callable[[Element], tuple[FileName, Sides]], *, room: int
    ) -> None:
        self._data, self._layout, self._sides_of, self._room = data, layout, sides_of, room
        self._picker, self._head = Picker(layout.list_number, layout.rules), TreeBuilder(data)
        self._marks: list[NDArray[np.uint64]] = []
        self._accepted = self._not_billable = self._quarantined = 0
        self.counted = Counted()
        self.position = 0
        """Bytes of the file that are done."""

    def pieces(self) -> Iterator[Piece]:
        """The usage of every event, in the order of the file. Raises Malformed."""
        known: tuple[FileName, Sides, Mapping[int, int]] | None = None
        for fields in self._whole_events():
            if known is None:
                root = self._head.so_far()
                known = (*self._sides_of(root), offset_table(root))
            usage = self._taken(fields, *known)
            stream = partial(Stream, known[1].partner, known[1].direction)
            yield Piece({stream(service): table for service, table in usage.tables.items()}, usage.quarantined)
        self.counted.events = self._picker.events

    def root(self) -> Element:
        """What is outside the list of events, once all pieces were taken. Raises Malformed."""
        return self._head.finish()

    def counts(self) -> Counts:
        """What became of the events."""
        marks = np.sort(np.concatenate([np.empty(0, np.uint64), *self._marks]))
        return Counts(
            rows=self._picker.events,
            accepted=self._accepted,
            not_billable=self._not_billable,
            quarantined=self._quarantined,
            duplicates=int((marks[1:] == marks[:-1]).sum()),
            inconsistent=0,
        )

    def unread(self) -> tuple[Unread, ...]:
        """Elements of events that we do not read."""
        return self._picker.unread()

    def _taken(self, fields: Fields, name: FileName, sides: Sides, offsets: Mapping[int, int]) -> RoamingUsage:
        start_ms = event_starts(fields, offsets)
        count_charges(fields, self.counted)
        count_times(fields, start_ms, offsets, self.counted)
        count_delays(fields, start_ms, name.available_ms, self.counted)
        events = fields.at(EVENT)
        self._marks.append(marks_of(self._data, Spans(fields.picks.begin[events], fields.picks.end[events])))
        usage = Conversion(fields, self._layout, sides, start_ms).usage()
        self._accepted += usage.accepted
        self._not_billable += usage.not_billable
        self._quarantined += len(usage.quarantined)
        return usage

    def _whole_events(self) -> Iterator[Fields]:
        """Events in pieces of whole ones; the last one of a piece waits for the next piece."""
        held, done = Picks.room(0), 0
        for elements in walk(self._data, guard=EVENT_DEPTH, room=self._room):
            picks, outside = self._picker.take(elements)
            self._head.take(outside)
            self.position = int(elements.begin[-1])
            held, whole = held.then(picks), self._picker.events - 1
            if whole > done:
                cut = int(np.searchsorted(held.event, whole, "right"))
                yield Fields(self._data, held.take(slice(cut)), done + 1, whole - done)
                held, done = held.take(slice(cut, None)), whole
            if len(held.event) > MAX_EVENT_FIELDS:
                raise Malformed("an event is too large", expected=f"at most {MAX_EVENT_FIELDS:,} fields", got="more")
        if self._picker.events > done:
            yield Fields(self._data, held, done + 1, self._picker.events - done)
