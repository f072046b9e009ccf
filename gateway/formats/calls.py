"""Which calls do these rows record? One record for each trunk a call came in or went out by.

The duration column is authoritative; the times may say a second more or less, as published rows of Asterisk and Cisco
switches do. Where a file has no duration, the times are it.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from gateway.formats import fields
from gateway.formats.layout import Preset
from gateway.formats.rows import Bools, Rows, is_in
from gateway.formats.tally import Tally
from gateway.formats.times import Times, read_quantities
from gateway.formats.trunks import Named, ReadingContext, find_legs, routes_of, storable
from gateway.formats.wall import Wall
from ledger.numbers import NumberKind, Numbers, numbering_of, to_e164
from ledger.usage import USAGE_SCHEMA

DURATION_SLACK_MS = 1_000
"""By how much times and duration may differ without a word."""
_HOUR_MS = 3_600_000


class Calls:
    """Reads the calls of one file."""

    def __init__(self, preset: Preset, context: ReadingContext, tally: Tally) -> None:
        self._preset, self._context, self._tally = preset, context, tally
        self._wall = Wall(preset, context, tally)

    def take(self, rows: Rows) -> None:
        """Records of these rows."""
        if not self._preset.billable:
            rows = self._answered(rows)
        if self._preset.fields.quantity is not None:
            rows = self._begun(self._lasting(rows, self._preset.fields.quantity))
        else:
            rows = self._measured(self._begun(rows))
        start = self._wall.utc(rows, rows.read["quantity"])
        self._record(rows.having(start=start))

    def _answered(self, rows: Rows) -> Rows:
        return self._tally.leave_unbilled(rows, ~is_in(rows.raw[self._preset.fields.start[0]], ("", "0")))

    def _lasting(self, rows: Rows, column: str) -> Rows:
        """Rows with a duration; one of nothing is not billable."""
        quantity = read_quantities(rows.raw[column], self._preset.quantity)
        rows = self._tally.refuse(rows.having(quantity=quantity), quantity < 0, column, "not a duration")
        return self._tally.leave_unbilled(rows, rows.read["quantity"] > 0)

    def _begun(self, rows: Rows) -> Rows:
        rows = self._wall.begun(rows, self._preset.fields.start)
        if self._preset.fields.end and "quantity" in rows.read:
            end = self._wall.times(rows, self._preset.fields.end)
            self._count_inconsistent(rows, end)
        return rows

    def _count_inconsistent(self, rows: Rows, end: Times) -> None:
        """An hour's difference is the change of the clock, not of the call."""
        gap = np.abs(end.ms - rows.read["wall"] - rows.read["quantity"])
        off = np.minimum(gap, np.abs(gap - _HOUR_MS)) > DURATION_SLACK_MS
        self._tally.inconsistent += int(((end.kind != fields.NO_TIME) & off).sum())

    def _measured(self, rows: Rows) -> Rows:
        """Durations from start to end."""
        columns = self._preset.fields.end
        end = self._wall.times(rows, columns)
        ends = self._wall.moments(end)
        finish = np.where(ends.early >= rows.read["early"], ends.early, ends.late)
        rows = rows.having(quantity=finish - rows.read["early"])
        no_time = (end.kind == fields.NO_TIME) | ~ends.exists
        rows = self._tally.refuse(rows, no_time, columns[0], "not a time")
        rows = self._tally.refuse(rows, rows.read["quantity"] < 0, columns[0], "the end is before the start")
        return self._tally.leave_unbilled(rows, rows.read["quantity"] > 0)

    def _record(self, rows: Rows) -> None:
        """Split rows by trunk; a transit call is a record of both its trunks."""
        legs = find_legs(rows, self._preset, self._context)
        known, wrong = self._tally.known(rows, legs), np.zeros(len(rows.line), np.bool_)
        for leg in legs.found:
            for which in np.unique(leg[leg >= 0]).tolist():
                self._record_leg(rows, leg == which, legs.known[which], wrong)
        self._tally.refusals.add(rows.line[wrong], self._preset.fields.b_party or "", "not a number in E.164")
        self._tally.accept(rows.keep(known & ~wrong))

    def _record_leg(self, rows: Rows, mine: Bools, named: Named, wrong: Bools) -> None:
        part = rows.keep(mine)
        called = called_of(part, self._preset.fields.b_party or "", named, self._context)
        good = called.kind == NumberKind.VALID
        wrong[np.flatnonzero(mine)[~good]] = True
        route = routes_of(part, self._preset) if named.name is None else pa.repeat(pa.scalar(named.name), len(good))
        start, quantity = pa.array(part.read["start"]), pa.array(part.read["quantity"])
        arrays = [pa.array(part.line), self._calling(part, named), called.text, start, quantity, route]
        table = pa.Table.from_arrays(arrays, schema=USAGE_SCHEMA)
        self._tally.record(named.trunk, table if good.all() else table.filter(pa.array(good)))

    def _calling(self, part: Rows, named: Named) -> pa.Array:
        """Calling numbers: "" if withheld, as written if they are none and a leaf can hold that."""
        if self._preset.fields.a_party is None:
            return pa.repeat(pa.scalar(""), len(part.line))
        calling = calling_of(part, self._preset.fields.a_party, named, self._context)
        return storable(calling.text) if (calling.kind == NumberKind.INVALID).any() else calling.text


def called_of(part: Rows, column: str, named: Named, context: ReadingContext) -> Numbers:
    """Called numbers as their trunk, or else the switch's country, writes them. Raises Malformed."""
    return to_e164(part.raw[column], named.trunk.numbering or numbering_of(context.country))


def calling_of(part: Rows, column: str, named: Named, context: ReadingContext) -> Numbers:
    """Calling numbers likewise; technical prefixes are for routing, and stand before called numbers only."""
    numbering = named.trunk.numbering or numbering_of(context.country)
    return to_e164(part.raw[column], replace(numbering, technical_prefixes=()))
