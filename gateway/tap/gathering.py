"""What do all events of a file come to? Pieces of whole events on their way to usage records and totals."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from gateway.tap.audit import Counted
from gateway.tap.ber import Bytes, walk
from gateway.tap.counting import count_charges, count_delays, count_times
from gateway.tap.events import QUARANTINE_SCHEMA, Conversion, Fields, RoamingUsage, event_starts
from gateway.tap.heads import FileName, offset_table
from gateway.tap.layouts import Layout
from gateway.tap.picking import EVENT_DEPTH, Picker, Picks, Unread
from gateway.tap.sides import Sides
from gateway.tap.tree import Element, TreeBuilder
from ledger.errors import Malformed
from ledger.service import Service

MAX_EVENT_FIELDS = 200_000
"""Fields of one event, before the file is refused."""


class Gathering:
    """Takes the events of one file; what it holds grows with the usage records only."""

    def __init__(
        self,
        data: Bytes,
        layout: Layout,
        name_of: Callable[[Element], FileName],
        sides_of: Callable[[FileName], Sides],
        *,
        room: int,
    ) -> None:
        self._data, self._layout, self._room = data, layout, room
        self._name_of, self._sides_of = name_of, sides_of
        self._picker, self._head = Picker(layout.list_number, layout.rules), TreeBuilder(data)
        self._tables: dict[Service, list[pa.Table]] = {}
        self._quarantine = [QUARANTINE_SCHEMA.empty_table()]
        self._accepted = self._not_billable = 0
        self.counted = Counted()

    def gather(self) -> Element:
        """Read every event; returns what is outside the list of events. Raises Malformed."""
        name: FileName | None = None
        sides: Sides | None = None
        offsets: Mapping[int, int] = {}
        for fields in self._whole_events():
            if name is None or sides is None:
                root = self._head.so_far()
                name, offsets = self._name_of(root), offset_table(root)
                sides = self._sides_of(name)
            start_ms = event_starts(fields, offsets)
            count_charges(fields, self.counted)
            count_times(fields, start_ms, offsets, self.counted)
            count_delays(fields, start_ms, name.available_ms, self.counted)
            self._take(Conversion(fields, self._layout, sides, start_ms).usage())
        self.counted.events = self._picker.events
        return self._head.finish()

    def usage(self) -> RoamingUsage:
        """The usage records, once gathered."""
        quarantined = pa.concat_tables(self._quarantine).combine_chunks()
        tables = {service: pa.concat_tables(parts).combine_chunks() for service, parts in self._tables.items()}
        return RoamingUsage(tables, quarantined, self._accepted, self._not_billable)

    def unread(self) -> tuple[Unread, ...]:
        """Elements of events that we do not read."""
        return self._picker.unread()

    def _take(self, usage: RoamingUsage) -> None:
        for service, table in usage.tables.items():
            self._tables.setdefault(service, []).append(table)
        self._quarantine.append(usage.quarantined)
        self._accepted += usage.accepted
        self._not_billable += usage.not_billable

    def _whole_events(self) -> Iterator[Fields]:
        """Events in pieces of whole ones; the last one of a piece waits for the next piece."""
        held, done = Picks.none(), 0
        for elements in walk(self._data, guard=EVENT_DEPTH, room=self._room):
            picks, outside = self._picker.take(elements)
            self._head.take(outside)
            held, whole = held.then(picks), self._picker.events - 1
            if whole > done:
                cut = int(np.searchsorted(held.event, whole, "right"))
                yield Fields(self._data, held.take(slice(cut)), done + 1, whole - done)
                held, done = held.take(slice(cut, None)), whole
            if len(held.event) > MAX_EVENT_FIELDS:
                raise Malformed("an event is too large", expected=f"at most {MAX_EVENT_FIELDS:,} fields", got="more")
        if self._picker.events > done:
            yield Fields(self._data, held, done + 1, self._picker.events - done)
