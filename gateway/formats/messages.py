"""Which messages do these rows record, and what counts of each: as submitted or delivered, whole or by segment?

What the agreement with a bind's partner says of SMS decides; rows of several partners may be mixed in one file.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats.calls import called_of, calling_of
from gateway.formats.layout import Preset
from gateway.formats.rows import Rows, as_mask, is_in
from gateway.formats.tally import Tally
from gateway.formats.times import read_quantities
from gateway.formats.trunks import Named, ReadingContext, find_legs, storable
from gateway.formats.wall import Wall
from ledger.numbers import NumberKind
from ledger.prices.service_terms import SmsBasis, SmsUnit
from ledger.usage import USAGE_SCHEMA

_ROUTE = "the recipient's network"
"""Beside the file's columns: MCC and MNC in digits."""


class Messages:
    """Reads the messages of one file."""

    def __init__(self, preset: Preset, context: ReadingContext, tally: Tally) -> None:
        self._preset, self._context, self._tally = preset, context, tally
        self._wall = Wall(preset, context, tally)

    def take(self, rows: Rows) -> None:
        """Records of these rows."""
        legs = find_legs(rows, self._preset, self._context)
        known = self._tally.known(rows, legs)
        rows = self._counted(rows.having(trunk=legs.first).keep(known), [named.trunk.sms.basis for named in legs.known])
        rows = self._networks(self._measured(rows, [named.trunk.sms.unit for named in legs.known]))
        for which in np.unique(rows.read["trunk"]).tolist():
            self._record(rows.keep(rows.read["trunk"] == which), legs.known[which])

    def _counted(self, rows: Rows, bases: list[SmsBasis]) -> Rows:
        """The messages that are charged, from when on."""
        fields, delivered = self._preset.fields, self._preset.delivered
        on_delivery = np.array([basis is SmsBasis.DELIVERY for basis in bases], np.bool_)[rows.read["trunk"]]
        if delivered is not None:
            rows = rows.having(on_delivery=on_delivery)
            rows = self._tally.leave_unbilled(rows, ~on_delivery | is_in(rows.raw[delivered.column], delivered.values))
            on_delivery = rows.read["on_delivery"]
        if not fields.delivered or not on_delivery.any():
            return self._begun(rows, fields.start)
        if on_delivery.all():
            return self._begun(rows, fields.delivered)
        return self._either(rows, on_delivery)

    def _either(self, rows: Rows, on_delivery: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rows:
        """Rows of partners with different agreements: two passes, put together again in the order of the file."""
        submitted = self._begun(rows.keep(~on_delivery), self._preset.fields.start)
        delivered = self._begun(rows.keep(on_delivery), self._preset.fields.delivered)
        raw = {name: pa.concat_arrays([submitted.raw[name], delivered.raw[name]]) for name in rows.raw}
        read = {name: np.concatenate([submitted.read[name], delivered.read[name]]) for name in ("trunk", "start")}
        return Rows(np.concatenate([submitted.line, delivered.line]), raw, read)

    def _begun(self, rows: Rows, columns: tuple[str, ...]) -> Rows:
        rows = self._wall.begun(rows, columns)
        return rows.having(start=self._wall.utc(rows, np.zeros(len(rows.line), np.int64), columns))

    def _measured(self, rows: Rows, units: list[SmsUnit]) -> Rows:
        """Messages count as one, or as their segments; a file without segments has a row for each."""
        column = self._preset.fields.quantity
        if column is None:
            return rows.having(quantity=np.ones(len(rows.line), np.int64))
        by_segment = np.array([unit is SmsUnit.SEGMENT for unit in units], np.bool_)[rows.read["trunk"]]
        segments = read_quantities(rows.raw[column], self._preset.quantity)
        rows = rows.having(quantity=np.where(by_segment, segments, 1))
        return self._tally.refuse(rows, by_segment & (segments < 1), column, "not a number of segments")

    def _networks(self, rows: Rows) -> Rows:
        """Rows whose recipient's network is known: MCC and MNC in digits."""
        fields = self._preset.fields
        column = fields.network or fields.mcc or ""
        written = rows.raw[column]
        if fields.network is None:
            mnc = pc.replace_substring_regex(rows.raw[fields.mnc or ""], pattern=r"^([0-9])$", replacement=r"0\1")
            written = pc.binary_join_element_wise(written, mnc, pa.scalar(b"-", pa.binary()))
        plain = pc.replace_substring_regex(written, pattern=r"^([0-9]{3})[-/. ]?([0-9]{2,3})$", replacement=r"\1\2")
        wrong = ~as_mask(pc.match_substring_regex(plain, r"^[0-9]{5,6}$"))
        rows = rows._replace(raw={**rows.raw, _ROUTE: plain})
        return self._tally.refuse(rows, wrong, column, "not a network's MCC and MNC")

    def _record(self, rows: Rows, named: Named) -> None:
        recipient = called_of(rows, self._preset.fields.b_party or "", named, self._context)
        good = recipient.kind == NumberKind.VALID
        arrays = [
            pa.array(rows.line),
            self._sender(rows, named),
            recipient.text,
            pa.array(rows.read["start"]),
            pa.array(rows.read["quantity"]),
            rows.raw[_ROUTE].cast(pa.string()),
        ]
        table = pa.Table.from_arrays(arrays, schema=USAGE_SCHEMA)
        self._tally.record(named.trunk, table if good.all() else table.filter(pa.array(good)))
        self._tally.accept(self._tally.refuse(rows, ~good, self._preset.fields.b_party or "", "not a number in E.164"))

    def _sender(self, rows: Rows, named: Named) -> pa.Array:
        """A number in E.164 digits, or a short code or a word as written."""
        column = self._preset.fields.a_party
        if column is None:
            return pa.repeat(pa.scalar(""), len(rows.line))
        sender = calling_of(rows, column, named, self._context)
        number = pa.array(sender.kind == NumberKind.VALID)
        return pc.if_else(number, sender.text, pc.ascii_trim_whitespace(storable(rows.raw[column])))
