"""Which usage records do the events of a file become, and which cannot be read?

Events come in pieces, whole ones only, as columns of fields. A broken event is quarantined by its number in the file.
What a record's fields hold stands in docs/decisions/0004-one-record-for-four-services.md; a roamer who is known by IMSI
only is "imsi:" and its digits as calling party, and cannot be a called one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats.rows import Bools, Refusals
from gateway.formats.tap.ber import APPLICATION, PROBLEMS, Bytes, Int64s
from gateway.formats.tap.layouts import Kind, Layout, Slot
from gateway.formats.tap.picking import BROKEN, EVENT, Picks
from gateway.formats.tap.sides import Sides
from gateway.formats.tap.values import NO_INTEGER, NO_TIME, Spans, integers, offsets_of, packed_digits, stamps, texts
from ledger.numbers import Numbering, NumberKind, to_e164
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA

MAX_DURATION_S = 10**7
MAX_OCTETS = 2**53
INTERNATIONAL = Numbering(country_code="", national_prefix="")
"""Files carry numbers with their country code; "00" before it is tolerated."""


@dataclass(frozen=True, slots=True)
class RoamingUsage:
    """What events became: accepted, not billable or quarantined. An event of data is up to two records."""

    tables: Mapping[Service, pa.Table]
    """USAGE_SCHEMA, in the order of the file; a line is the number of an event, from 1."""
    quarantined: pa.Table
    """QUARANTINE_SCHEMA, likewise."""
    accepted: int
    not_billable: int


class Fields:
    """The fields of consecutive whole events, by slot."""

    def __init__(self, data: Bytes, picks: Picks, first: int, count: int) -> None:
        self.data, self.picks, self.first, self.count = data, picks, first, count
        self._order = np.argsort(picks.slot, kind="stable")
        self._ends = np.searchsorted(picks.slot[self._order], np.arange(BROKEN, max(Slot) + 1), "right")

    @property
    def lines(self) -> Int64s:
        """Event numbers."""
        return np.arange(self.first, self.first + self.count, dtype=np.int64)

    def at(self, slot: int) -> Int64s:
        """Places of a field's picks, in the order of the file."""
        place = slot - BROKEN
        return self._order[self._ends[place - 1] if place else 0 : self._ends[place]]

    def spans(self, slot: Slot) -> Spans:
        """Where the first such field of each event stands."""
        found = self.picks.take(self.at(slot))
        rows = (found.event - self.first)[::-1]
        begin, end = np.full(self.count, -1, np.int64), np.full(self.count, -1, np.int64)
        begin[rows], end[rows] = found.begin[::-1], found.end[::-1]
        return Spans(begin, end)

    def tags(self, slot: int) -> Int64s:
        """The tag of each event's first element of a slot, 0 if there is none."""
        found = self.picks.take(self.at(slot))
        tags = np.zeros(self.count, np.int64)
        tags[(found.event - self.first)[::-1]] = found.tag[::-1]
        return tags

    def integers(self, slot: Slot) -> Int64s:
        return integers(self.data, self.spans(slot))


def event_starts(fields: Fields, offsets: Mapping[int, int]) -> Int64s:
    """UTC milliseconds at which each event starts, NO_TIME where that cannot be told."""
    east = np.where(
        fields.spans(Slot.OFFSET).present,
        offsets_of(fields.data, fields.spans(Slot.OFFSET)),
        by_code(fields.integers(Slot.START_CODE), offsets),
    )
    wall = stamps(fields.data, fields.spans(Slot.START))
    known = (wall != NO_TIME) & (east != NO_TIME)
    return np.where(known, wall - np.where(known, east, 0), NO_TIME)


def by_code(codes: Int64s, table: Mapping[int, int]) -> Int64s:
    """The table's value for each code, NO_TIME for a code it lacks."""
    values = np.full(len(codes), NO_TIME, np.int64)
    for code in np.unique(codes).tolist():
        if code in table:
            values[codes == code] = table[code]
    return values


class Conversion:
    """One piece of events on its way to usage records; each check takes what it refuses out."""

    def __init__(self, fields: Fields, layout: Layout, sides: Sides, start_ms: Int64s) -> None:
        self.fields, self.layout, self.sides, self.start_ms = fields, layout, sides, start_ms
        self.good = np.ones(fields.count, np.bool_)
        self.not_billable = 0
        self._refusals = Refusals()

    def usage(self) -> RoamingUsage:
        """Everything in its order."""
        kinds = self._kinds()
        self._refuse(self.fields.spans(Slot.START).begin < 0, "start", "no time")
        self._refuse(self.start_ms == NO_TIME, "start", "not a time with a known offset from UTC")
        self._refuse(self.start_ms < 0, "start", "a time before 1970")
        message = pc.starts_with(texts(self.fields.data, self.fields.spans(Slot.TELESERVICE)), "2").to_numpy(
            zero_copy_only=False
        )
        packets = kinds == Kind.PACKETS.value
        data = self._octets(packets)
        quantity = np.where(message, 1, self._durations(~packets & ~message))
        tables = self._spoken(kinds, ~packets, message, quantity) | data
        return RoamingUsage(tables, self._refusals.drain(), int(self.good.sum()), self.not_billable)

    def _kinds(self) -> Int64s:
        """Kind of each event; damaged and unknown ones are refused."""
        damage = self.fields.tags(BROKEN)
        for problem, text in PROBLEMS.items():
            self._refuse(damage == -problem, "", text)
        tags, kinds = self.fields.tags(EVENT), np.zeros(self.fields.count, np.int64)
        for number, kind in self.layout.kinds.items():
            kinds[tags == APPLICATION | number] = kind.value
        for tag in np.unique(tags[kinds == 0]).tolist():
            number = tag & (APPLICATION - 1)
            self._refuse(tags == tag, "", f"event of kind {number}, which is no call, message or data session")
        return kinds

    def _durations(self, calls: Bools) -> Int64s:
        """Milliseconds of each call."""
        seconds = self.fields.integers(Slot.DURATION)
        self._refuse(calls & (seconds == NO_INTEGER), "duration", "not a duration")
        self._refuse(calls & (seconds < 0), "duration", "a negative duration")
        self._refuse(calls & (seconds > MAX_DURATION_S), "duration", f"longer than {MAX_DURATION_S:,} s")
        self._leave(calls & (seconds == 0))
        return np.where(self.good, seconds, 0) * 1000

    def _octets(self, packets: Bools) -> dict[Service, pa.Table]:
        """Two records of an event: what was sent to the roamer, and what the roamer sent."""
        to_roamer, from_roamer = (self._volume(packets, slot) for slot in (Slot.OCTETS_IN, Slot.OCTETS_OUT))
        self._leave(packets & (to_roamer + from_roamer == 0))
        home, served = str(self.sides.home), str(self.sides.served)
        parts = [
            self._table(packets & self.good & (octets > 0), sender, receiver, octets)
            for octets, sender, receiver in ((to_roamer, home, served), (from_roamer, served, home))
        ]
        table = pa.concat_tables(parts).combine_chunks()
        order = pa.array(np.argsort(table["line"].to_numpy(), kind="stable"))
        return {Service.DATA: table.take(order)} if len(table) else {}

    def _volume(self, packets: Bools, slot: Slot) -> Int64s:
        octets, present = self.fields.integers(slot), self.fields.spans(slot).present
        self._refuse(packets & present & (octets == NO_INTEGER), "volume", "not a number of octets")
        self._refuse(packets & present & (octets < 0), "volume", "a negative volume")
        self._refuse(packets & (octets > MAX_OCTETS), "volume", f"more than {MAX_OCTETS:,} octets")
        return np.where(present & self.good, octets, 0)

    def _spoken(self, kinds: Int64s, calls: Bools, message: Bools, quantity: Int64s) -> dict[Service, pa.Table]:
        """Calls and messages with both parties."""
        a_party, b_party = self._parties(kinds, message)
        read = to_e164(b_party, INTERNATIONAL)
        absent = pc.equal(b_party, "").to_numpy(zero_copy_only=False)
        to_roamer = kinds == Kind.TO_ROAMER.value
        self._refuse(calls & absent & to_roamer, "called", "the roamer's number is not told")
        self._refuse(calls & (read.kind != NumberKind.VALID), "called", "not a number in E.164")
        tables = {}
        for service, mask in ((Service.VOICE, ~message), (Service.SMS, message)):
            table = self._table(
                calls & mask & self.good, a_party, read.text, quantity, with_route=service is not Service.SMS
            )
            if len(table):
                tables[service] = table
        return tables

    def _parties(self, kinds: Int64s, message: Bools) -> tuple[pa.Array, pa.Array]:
        """Calling and called party of each event, as far as it tells."""
        numbers = packed_digits if self.layout.packed_numbers else texts
        data, spans = self.fields.data, self.fields.spans
        roamer, imsi = (packed_digits(data, spans(slot)) for slot in (Slot.MSISDN, Slot.IMSI))
        by_imsi = pc.if_else(pc.equal(imsi, ""), "", pc.binary_join_element_wise("imsi:", imsi, ""))
        roamer_calls = pc.if_else(pc.equal(roamer, ""), by_imsi, roamer)
        sent_to = _first_told(
            pc.if_else(pa.array(message), texts(data, spans(Slot.MESSAGE_TO)), ""),
            numbers(data, spans(Slot.CALLED)),
            numbers(data, spans(Slot.DIALLED)),
        )
        sent_by = _first_told(
            pc.if_else(pa.array(message), texts(data, spans(Slot.MESSAGE_FROM)), ""), numbers(data, spans(Slot.CALLING))
        )
        to_roamer = pa.array(kinds == Kind.TO_ROAMER.value)
        caller = to_e164(sent_by, INTERNATIONAL)
        named_sender = pa.array(message & (caller.kind != NumberKind.VALID))
        calling = pc.if_else(to_roamer, pc.if_else(named_sender, sent_by, caller.text), roamer_calls)
        storable = pc.match_substring_regex(calling, r"^[ -~]{0,32}$")
        return pc.if_else(storable, calling, ""), pc.if_else(to_roamer, roamer, sent_to)

    def _table(
        self,
        mask: Bools,
        a_party: pa.Array | str,
        b_party: pa.Array | str,
        quantity: Int64s,
        *,
        with_route: bool = True,
    ) -> pa.Table:
        chosen, size = pa.array(mask), int(mask.sum())
        a_column, b_column = (
            pa.repeat(pa.scalar(party), size) if isinstance(party, str) else party.filter(chosen)
            for party in (a_party, b_party)
        )
        route = pa.repeat(pa.scalar(self.sides.route if with_route else ""), size)
        columns = [pa.array(self.fields.lines[mask]), a_column, b_column]
        columns += [pa.array(self.start_ms[mask]), pa.array(quantity[mask]), route]
        return pa.Table.from_arrays(columns, schema=USAGE_SCHEMA)

    def _refuse(self, wrong: Bools, column: str, reason: str) -> None:
        self._refusals.add(self.fields.lines[wrong & self.good], column, reason)
        self.good &= ~wrong

    def _leave(self, unbillable: Bools) -> None:
        self.not_billable += int((unbillable & self.good).sum())
        self.good &= ~unbillable


def _first_told(*columns: pa.Array) -> pa.Array:
    """In each row the first that is not empty."""
    told = columns[-1]
    for column in reversed(columns[:-1]):
        told = pc.if_else(pc.equal(column, ""), told, column)
    return told
