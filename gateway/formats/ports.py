"""Which samples do these rows of interface counters record? Two records for each row, one each way."""

import numpy as np

from gateway.formats.layout import Preset
from gateway.formats.rows import Rows
from gateway.formats.sampling import Readings, Sampler, read_octets, records_of
from gateway.formats.tally import Tally
from gateway.formats.trunks import ReadingContext, find_legs
from gateway.formats.wall import Wall
from ledger.errors import Malformed
from ledger.identity import CarrierCode


class Ports:
    """Reads the samples of one file's ports."""

    def __init__(self, preset: Preset, context: ReadingContext, tally: Tally) -> None:
        self._preset, self._context, self._tally = preset, context, tally
        self._carrier = _known(context.carrier)
        self._wall = Wall(preset, context, tally)
        self._octets = (preset.fields.octets_in or "", preset.fields.octets_out or "")
        self._sampler = Sampler(preset.samples, (preset.fields.start[0], *self._octets), tally.refusals)

    def take(self, rows: Rows) -> None:
        """Records of these rows."""
        legs = find_legs(rows, self._preset, self._context)
        known = self._tally.known(rows, legs)
        rows = self._wall.begun(rows.having(port=legs.first).keep(known), self._preset.fields.start)
        rows = self._begun(rows)
        for name, column in zip(("came", "went"), self._octets, strict=True):
            counts, plain = read_octets(rows.raw[column], self._preset.quantity.scale)
            rows = self._tally.refuse(rows.having(**{name: counts}), ~plain, column, "not a number of octets")
        lengths = np.array([named.trunk.sample_seconds * 1000 for named in legs.known], np.int64)
        read = rows.read
        readings = Readings(rows.line, read["port"], read["start"], read["came"], read["went"])
        first = self._sampler.first_readings
        samples = self._sampler.samples(readings, lengths[read["port"]])
        self._tally.not_billable += self._sampler.first_readings - first
        self._tally.accept(rows.keep(np.isin(rows.line, samples.line)))
        for which in np.unique(samples.port).tolist():
            name, trunk = legs.known[which]
            self._tally.record(
                trunk, records_of(samples, samples.port == which, self._carrier, trunk.partner, name or "")
            )

    def _begun(self, rows: Rows) -> Rows:
        """When the readings were taken: a file may hold one port after the other."""
        start = np.zeros(len(rows.line), np.int64)
        for port in np.unique(rows.read["port"]).tolist():
            mine = rows.read["port"] == port
            start[mine] = self._wall.utc(rows.keep(mine), np.zeros(int(mine.sum()), np.int64), port)
        return rows.having(start=start)


def _known(carrier: CarrierCode | None) -> CarrierCode:
    if carrier is None:
        raise Malformed("a sample needs both carriers", expected="our carrier's code", got="none")
    return carrier
