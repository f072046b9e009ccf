"""What do a file's events come to, counted whether or not they can be read as usage? Charges, moments, delays."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gateway.formats.tap.audit import Counted
from gateway.formats.tap.ber import Bytes, Int64s
from gateway.formats.tap.events import Fields, by_code
from gateway.formats.tap.layouts import Slot
from gateway.formats.tap.picking import Picks
from gateway.formats.tap.values import NO_INTEGER, NO_TIME, Spans, integers, stamps
from ledger.errors import Malformed

MAX_CHARGE = 10**13
"""In the file's smallest unit, for one charge of one event: ten million SDR at six places."""
_CHARGED_TYPE = np.frombuffer(b"00", np.uint8)


def count_charges(fields: Fields, counted: Counted) -> None:
    """Add charges of type 00, and fees. Raises Malformed for a charge that is none: the file's total is in doubt."""
    picks = fields.picks
    charge, fee = fields.at(Slot.CHARGE), fields.at(Slot.FEE)
    charge = charge[_is_charged(fields, charge)]
    codes = _rate_codes(fields, charge)
    which = np.concatenate([charge, fee])
    codes = np.concatenate([codes, _fee_codes(fields, fee)])
    units = _amounts(fields.data, picks, which)
    refunding = np.unique(picks.event[fields.at(Slot.REFUND)])
    counted.take_charges(codes, units, np.isin(picks.event[which], refunding), NO_INTEGER)


def count_times(fields: Fields, start_ms: Int64s, offsets: Mapping[int, int], counted: Counted) -> None:
    """Add starts of events and the moments they say they were charged at."""
    counted.take_times(start_ms[start_ms != NO_TIME])
    charged = stamps(fields.data, _spans(fields, Slot.CHARGED))
    codes = integers(fields.data, _spans(fields, Slot.CHARGED_CODE))
    if len(charged) == len(codes):
        east = by_code(codes, offsets)
        known = (charged != NO_TIME) & (east != NO_TIME)
        counted.take_times(charged[known] - east[known])


def count_delays(fields: Fields, start_ms: Int64s, available_ms: int | None, counted: Counted) -> None:
    """Add what passed from the end of each event until its file was there."""
    seconds = fields.integers(Slot.DURATION)
    known = (start_ms != NO_TIME) & (seconds >= 0) & (seconds < MAX_CHARGE)
    if available_ms is not None:
        counted.take_delays(available_ms - start_ms[known] - seconds[known] * 1000)


def _is_charged(fields: Fields, charge: Int64s) -> NDArray[np.bool_]:
    """Whether each charge is of type 00, or of none: other types repeat it for information."""
    picks, details, types = fields.picks, fields.at(Slot.CHARGE_DETAIL), fields.at(Slot.CHARGE_TYPE)
    begin, wide = picks.begin[types], picks.end[types] - picks.begin[types] == 2
    zero = wide.copy()
    for place, letter in enumerate(_CHARGED_TYPE.tolist()):
        zero[wide] &= fields.data[begin[wide] + place] == letter
    other = np.zeros(len(details) + 1, np.bool_)
    other[np.searchsorted(details, types[~zero])] = True
    return ~other[np.searchsorted(details, charge)]


def _rate_codes(fields: Fields, charge: Int64s) -> Int64s:
    """Exchange rate code of each charge's group, NO_INTEGER if it names none."""
    picks, groups, named = fields.picks, fields.at(Slot.CHARGE_GROUP), fields.at(Slot.RATE_CODE)
    codes = np.full(len(groups) + 1, NO_INTEGER)
    codes[np.searchsorted(groups, named)] = integers(fields.data, Spans(picks.begin[named], picks.end[named]))
    return codes[np.searchsorted(groups, charge)]


def _fee_codes(fields: Fields, fee: Int64s) -> Int64s:
    """Exchange rate code that stands last before each fee in its event, NO_INTEGER if none does."""
    picks, named = fields.picks, fields.at(Slot.FEE_RATE_CODE)
    if not len(named):
        return np.full(len(fee), NO_INTEGER)
    codes = integers(fields.data, Spans(picks.begin[named], picks.end[named]))
    before = np.maximum(np.searchsorted(named, fee) - 1, 0)
    told = (named[before] < fee) & (picks.event[named[before]] == picks.event[fee])
    return np.where(told, codes[before], NO_INTEGER)


def _amounts(data: Bytes, picks: Picks, which: Int64s) -> Int64s:
    units = integers(data, Spans(picks.begin[which], picks.end[which]))
    wrong = np.flatnonzero((units < 0) | (units > MAX_CHARGE))
    if len(wrong):
        raise Malformed(
            f"a charge of event {picks.event[which[wrong[0]]]} is no amount",
            expected=f"0 to {MAX_CHARGE:,}",
            got=data[picks.begin[which[wrong[0]]] : picks.end[which[wrong[0]]]][:16].tobytes().hex(),
            todo="Ask the sender for the file again; a file whose charges are in doubt cannot be audited.",
        )
    return units


def _spans(fields: Fields, slot: Slot) -> Spans:
    """All of a field's places, however many an event has."""
    places = fields.at(slot)
    return Spans(fields.picks.begin[places], fields.picks.end[places])
