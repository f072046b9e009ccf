"""Which private lines were in service in a month, and for how many of its days?

An inventory says since when a circuit has been there and, if it has gone, from which day on it was not. A month's
record begins with its first day of service in the agreement's zone; its quantity is the days.
"""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from gateway.formats.layout import Preset
from gateway.formats.rows import Rows, texts_of
from gateway.formats.tally import Tally
from gateway.formats.trunks import Direction, Named, ReadingContext, find_legs, routes_of, storable
from ledger.errors import Malformed, RowMalformed
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.usage import USAGE_SCHEMA


class InService(NamedTuple):
    """A circuit's part of a month."""

    start_ms: int
    first: date
    end: date
    """The first day after."""

    @property
    def circuit_days(self) -> int:
        return (self.end - self.first).days


class Circuits:
    """Reads the circuits of one inventory, for one month."""

    def __init__(self, preset: Preset, context: ReadingContext, tally: Tally) -> None:
        self._preset, self._context, self._tally = preset, context, tally
        self._period = _known(context.period)
        self._taken: dict[tuple[CarrierCode, Direction, str], list[tuple[InService, int]]] = {}

    def take(self, rows: Rows) -> None:
        """Records of these rows. An inventory is short: each row is looked at by itself."""
        legs = find_legs(rows, self._preset, self._context)
        self._tally.known(rows, legs)
        circuits, which = texts_of(routes_of(rows, self._preset)).to_pylist(), legs.first.tolist()
        for at, circuit in enumerate(circuits):
            if which[at] >= 0:
                self._take_one(rows.row(at), circuit, legs.known[which[at]])

    def _take_one(self, row: Rows, circuit: str, named: Named) -> None:
        fields = self._preset.fields
        try:
            found = in_service(
                _cell(row, fields.start[0]),
                _cell(row, fields.end[0]) if fields.end else "",
                self._period,
                named.trunk.zone or self._context.zone,
            )
        except RowMalformed as error:
            self._tally.refusals.add(row.line, fields.start[0], error.message)
            return
        ends = [storable(row.raw[column or ""]) for column in (fields.a_party, fields.b_party)]
        if not circuit or "" in (ends[0][0].as_py(), ends[1][0].as_py()):
            self._tally.refusals.add(row.line, self._preset.trunk.came or "", "a circuit needs a name and two ends")
        elif found is None:
            self._tally.not_billable += 1
        elif other := self._sharing(named, circuit, found, int(row.line[0])):
            reason = f"{circuit} is in service on the same days in line {other}: each day is charged once"
            self._tally.refusals.add(row.line, self._preset.trunk.came or fields.start[0], reason)
        else:
            arrays = [pa.array(row.line), *ends, pa.array([found.start_ms]), pa.array([found.circuit_days])]
            table = pa.Table.from_arrays([*arrays, pa.array([circuit])], schema=USAGE_SCHEMA)
            self._tally.record(named.trunk, table)
            self._tally.accept(row)

    def _sharing(self, named: Named, circuit: str, found: InService, line: int) -> int | None:
        """The line whose days of the circuit these share; None: they are taken from now on."""
        taken = self._taken.setdefault((named.trunk.partner, named.trunk.direction, circuit), [])
        for other, at in taken:
            if found.first < other.end and other.first < found.end:
                return at
        taken.append((found, line))
        return None


def in_service(written_start: str, written_end: str, period: Period, zone: ZoneInfo) -> InService | None:
    """The part of a month that a circuit is in service, or None. Raises RowMalformed."""
    first, gone = _day(written_start), _day(written_end) if written_end else None
    if gone is not None and gone < first:
        raise RowMalformed("the service ends before it begins", expected=f"a day from {first} on", got=written_end)
    month, after = (date(each.year, each.month, 1) for each in (period, period.after))
    begin, end = max(first, month), after if gone is None else min(gone, after)
    if begin >= end:
        return None
    midnight = datetime(begin.year, begin.month, begin.day, tzinfo=zone).astimezone(UTC)
    return InService((midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1), begin, end)


def _known(period: Period | None) -> Period:
    if period is None:
        raise Malformed(
            "an inventory of circuits is read for a month",
            expected="--period YYYY-MM",
            got="none",
            todo="Name the month.",
        )
    return period


def _cell(row: Rows, column: str) -> str:
    written: bytes = row.raw[column][0].as_py()
    return written.decode("utf-8", "replace").strip()


def _day(written: str) -> date:
    if not written.isascii():
        raise RowMalformed("not a date", expected="2026-10-01", got=repr(written[:20]))
    try:
        return datetime.fromisoformat(written).date()
    except ValueError:
        raise RowMalformed("not a date", expected="2026-10-01", got=repr(written[:20])) from None
