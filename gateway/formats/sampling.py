"""Which octets went through a port in which 5 minutes, each way, as its interface's counters say?

A sample is two records, one each way, so that both carriers name the same parties (decision 4). It begins on
the border of its 5 minutes, which pollers miss by seconds. Where the reading before is missing, or the counter was set
back, the octets cannot be placed: the row is quarantined, and the agreement says what stands for a missing sample.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gateway.formats.layout import Counters, SampleLayout
from gateway.formats.rows import Bools, Int64s, Refusals
from ledger.usage import USAGE_SCHEMA

Octets: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int32]

_WRAPS_BELOW = np.uint64(1 << 31)
"""A 32-bit counter that seems to have counted more in one sample was set back rather than wrapped."""
_LARGEST = 2**63 - 1


class Readings(NamedTuple):
    """Rows of interface counters, of ports by number."""

    line: Int64s
    port: Numbers
    at_ms: Int64s
    came: Octets
    went: Octets

    def keep(self, mask: Bools) -> "Readings":
        """The rows of a mask."""
        return self.at(np.flatnonzero(mask))

    def at(self, rows: Int64s) -> "Readings":
        """The rows at these places."""
        return Readings(self.line[rows], self.port[rows], self.at_ms[rows], self.came[rows], self.went[rows])


class Samples(NamedTuple):
    """What went through, begun on a border."""

    line: Int64s
    port: Numbers
    begin_ms: Int64s
    came: Int64s
    went: Int64s


class _Last(NamedTuple):
    slot: int
    came: int
    went: int


class Sampler:
    """Turns readings into samples; remembers each port's last reading."""

    def __init__(self, layout: SampleLayout, columns: tuple[str, str, str], refusals: Refusals) -> None:
        self._layout, self._refusals = layout, refusals
        self._time, self._came, self._went = columns
        self._last: dict[int, _Last] = {}
        self.first_readings = 0
        """Readings before which there is none: they begin a sample and end none."""

    def samples(self, readings: Readings, sample_ms: Int64s) -> Samples:
        """The samples that these readings end; `sample_ms` is their length, row by row."""
        slot = (readings.at_ms + sample_ms // 2) // sample_ms
        off = np.abs(readings.at_ms - slot * sample_ms) * 4 > sample_ms
        self._refusals.add(readings.line[off], self._time, "not near the border of a sample")
        readings, slot, sample_ms = readings.keep(~off), slot[~off], sample_ms[~off]
        if self._layout.counters is Counters.CUMULATIVE:
            return self._differences(readings, slot, sample_ms)
        begin = (slot - self._layout.at_end) * sample_ms
        return self._placed(readings, begin, readings.came, readings.went)

    def _differences(self, readings: Readings, slot: Int64s, sample_ms: Int64s) -> Samples:
        order = np.argsort(readings.port, kind="stable")
        readings, slot, sample_ms = readings.at(order), slot[order], sample_ms[order]
        before = self._before(readings, slot)
        gap = slot - before.at_ms
        first = before.line < 0
        self.first_readings += int(first.sum())
        back = ~first & (gap <= 0)
        self._refusals.add(readings.line[back], self._time, "not after the reading before it")
        far = ~first & (gap > 1)
        self._refusals.add(readings.line[far], self._time, "the reading before it is missing")
        good = ~(first | back | far)
        deltas = []
        for column, now, then in ((self._came, readings.came, before.came), (self._went, readings.went, before.went)):
            delta, counted = self._counted(now, then)
            self._refusals.add(readings.line[good & ~counted], column, "the counter was set back")
            good &= counted
            deltas.append(delta)
        begin = (slot - 1) * sample_ms
        return self._placed(readings.keep(good), begin[good], *(delta[good] for delta in deltas))

    def _before(self, readings: Readings, slot: Int64s) -> Readings:
        """For each row its port's reading before, its slot as `at_ms`; line is -1 where there is none."""
        count = len(slot)
        before = readings.at(np.arange(count) - 1)._replace(at_ms=np.roll(slot, 1))
        turns = np.flatnonzero(np.append(True, readings.port[1:] != readings.port[:-1])[:count]).tolist()
        for at in turns:
            last = self._last.get(int(readings.port[at]))
            before.line[at] = -1 if last is None else 0
            if last is not None:
                before.at_ms[at], before.came[at], before.went[at] = last
        for at in [(turn - 1) % count for turn in turns]:
            self._last[int(readings.port[at])] = _Last(int(slot[at]), int(readings.came[at]), int(readings.went[at]))
        return before

    def _counted(
        self,
        now: Octets,
        then: Octets,
    ) -> tuple[Octets, Bools]:
        """What was counted, and where that is known."""
        if self._layout.bits == 64:
            return now - then, now >= then
        delta = (now - then) & np.uint64(0xFFFF_FFFF)
        return delta, (now <= 0xFFFF_FFFF) & ((now >= then) | (delta < _WRAPS_BELOW))

    def _placed(
        self,
        readings: Readings,
        begin: Int64s,
        came: Octets,
        went: Octets,
    ) -> Samples:
        good = np.ones(len(begin), np.bool_)
        for column, octets in ((self._came, came), (self._went, went)):
            fits = octets <= _LARGEST
            self._refusals.add(readings.line[good & ~fits], column, "more octets than any port carries")
            good &= fits
        kept = readings.keep(good)
        return Samples(kept.line, kept.port, begin[good], came[good].astype(np.int64), went[good].astype(np.int64))


def read_octets(text: pa.Array, scale: int) -> tuple[Octets, Bools]:
    """Unsigned 64-bit counts, and where there is one."""
    plain = pc.match_substring_regex(text, r"^[0-9]{1,20}$")
    padded = pc.ascii_lpad(pc.if_else(plain, text, pa.scalar(b"0")).cast(pa.string()), 20, "0")
    fits = pc.less_equal(padded, str((2**64 - 1) // scale).rjust(20, "0"))
    counts = np.asarray(pc.if_else(fits, padded, "0").cast(pa.uint64()))
    return counts * np.uint64(scale), np.asarray(pc.and_(plain, fits).to_numpy(zero_copy_only=False), np.bool_)


def records_of(samples: Samples, mine: Bools, us: str, partner: str, port: str) -> pa.Table:
    """Two records for each sample of a port: what the partner sent, then what we sent."""
    count = int(mine.sum())
    twice = np.repeat(np.arange(len(mine))[mine], 2)
    senders = pa.array([partner, us] * count, pa.string())
    receivers = pa.array([us, partner] * count, pa.string())
    octets = np.stack([samples.came[mine], samples.went[mine]], axis=1).ravel()
    arrays = [pa.array(samples.line[twice]), senders, receivers, pa.array(samples.begin_ms[twice]), pa.array(octets)]
    return pa.Table.from_arrays([*arrays, pa.repeat(pa.scalar(port), 2 * count)], schema=USAGE_SCHEMA)
