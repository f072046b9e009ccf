"""When did each row's event begin, in UTC, however its switch's clock was set?

An hour that a wall shows twice is told apart by the order of rows, which switches write when calls end.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from gateway.formats import fields
from gateway.formats.layout import Preset
from gateway.formats.rows import Bools, Int64s, Rows
from gateway.formats.tally import Tally
from gateway.formats.times import Times, joined, read_quantities, read_times
from gateway.formats.trunks import ReadingContext
from gateway.formats.zones import utc_of_wall

ORDER_SLACK_MS = 600_000
"""How far rows may stand out of the order in which calls ended."""


class Moments(NamedTuple):
    """What the wall showed, and the UTC readings of it: early and late differ in an hour shown twice."""

    wall: Int64s
    early: Int64s
    late: Int64s
    exists: Bools


class Wall:
    """The clock of the switch that wrote one file."""

    def __init__(self, preset: Preset, context: ReadingContext, tally: Tally) -> None:
        self._preset, self._zone, self._tally = preset, context.zone, tally
        self._reached: dict[Hashable, int] = {}

    def begun(self, rows: Rows, columns: Sequence[str]) -> Rows:
        """Rows that begin at a time there was, with what the wall showed and what that can mean."""
        times = self._put_off(rows, self.times(rows, columns))
        rows = rows.having(ms=times.ms, kind=times.kind)
        rows = self._tally.refuse(rows, times.kind == fields.NO_TIME, columns[0], "not a time")
        moments = self.moments(Times(rows.read["ms"], rows.read["kind"]))
        rows = rows.having(wall=moments.wall, early=moments.early, late=moments.late)
        why = f"no such time in {self._zone.key}: skipped by daylight saving"
        return self._tally.refuse(rows, ~moments.exists, columns[0], why)

    def utc(self, rows: Rows, duration: Int64s, ordered_as: Hashable = None) -> Int64s:
        """When the rows of `begun` began; to be called once for each row, in the order of the file.

        `ordered_as`: which rows are in one order; a file may hold several, such as one for each port.
        """
        start = np.empty(len(rows.line), np.int64)
        early, late, reached = rows.read["early"], rows.read["late"], self._reached.get(ordered_as, 0)
        self._reached[ordered_as] = fields.end_order(early, late, duration, ORDER_SLACK_MS, reached, start)
        return start

    def times(self, rows: Rows, columns: Sequence[str]) -> Times:
        """A column's times as written."""
        return read_times(joined(rows.raw, columns), self._preset.time)

    def moments(self, times: Times) -> Moments:
        """What times can mean."""
        if not self._preset.time.local:
            return Moments(times.ms, times.ms, times.ms, np.ones(len(times.ms), np.bool_))
        found = utc_of_wall(times.ms, self._zone)
        local = times.kind == fields.WALL
        early, late = np.where(local, found.early, times.ms), np.where(local, found.late, times.ms)
        return Moments(times.ms, early, late, found.exists | ~local)

    def _put_off(self, rows: Rows, times: Times) -> Times:
        """The time written plus what passed until charging began, where a switch writes it so."""
        if self._preset.time.later is None:
            return times
        passed = read_quantities(rows.raw[self._preset.time.later], self._preset.quantity)
        kind = np.where(passed < 0, fields.NO_TIME, times.kind).astype(np.int8)
        return Times(times.ms + passed, kind)
