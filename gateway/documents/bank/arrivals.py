"""Which of our payables did money arrive for? Bookings matched by what they refer to, and what to confirm of each.

Pure. A booking refers to a payable by the end-to-end id of our payment order, or by the payable's id in its text. It is
never matched by amount alone. Where a bank's minor units are too coarse for what is outstanding, an amount that is the
outstanding one rounded pays it in full.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.documents.bank.camt import Booking
from gateway.documents.minor_units import from_minor, to_minor
from ledger.identity import CarrierCode
from ledger.money import Micros

_NAMED = re.compile(r"GSC([0-9a-f]{32})\b|0x([0-9a-f]{32})[0-9a-f]{32}\b", re.IGNORECASE)


class Arrival(StrEnum):
    """What a booking is to us."""

    PAYS = "pays"
    """All that is outstanding, to the minor unit."""
    PAYS_PART = "pays part"
    """Less than is outstanding."""
    PAYS_MORE = "pays more"
    """More than is outstanding: what is outstanding is confirmed, the rest is the payer's."""
    NOTHING_OPEN = "nothing open"
    """Its payable is paid already."""
    CONFIRMED_BEFORE = "confirmed before"
    """This booking was confirmed already: the same file again, or another that tells of it."""
    TWICE = "twice in the file"
    """A booking with the same reference stands before it."""
    UNKNOWN = "refers to no payable"
    """Neither an end-to-end id nor a text names a payable that we know."""
    NOT_OURS = "not owed to us"
    """It names a payable of which we are not the creditor."""
    OTHER_CURRENCY = "another currency"
    """Than its payable's."""
    NOT_BOOKED = "not booked yet"
    """Announced, which is no payment."""
    REVERSAL = "taken back"
    """The bank takes a booking back: nothing is confirmed, a person must look."""
    PAID_OUT = "money out"
    """A debit."""
    NO_REFERENCE = "without a reference of the bank"
    """It could be confirmed twice, so it is not confirmed at all by file."""


CONFIRMABLE = frozenset({Arrival.PAYS, Arrival.PAYS_PART, Arrival.PAYS_MORE})
"""What `gsc bank` confirms."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A payable as it stands: micros outstanding now, interest included; what was confirmed by which bank reference."""

    payable_id: bytes
    debtor: CarrierCode
    creditor: CarrierCode
    currency: str
    outstanding_micros: int
    confirmed: frozenset[str]
    """Hashes of references, 0x-hex."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a booking is, and what of it is to be confirmed."""

    booking: Booking
    arrival: Arrival
    owed: Owed | None
    confirm_micros: Micros
    left_micros: Micros
    """Outstanding after it; for `PAYS_MORE` what was paid too much, below zero."""


def match_bookings(
    bookings: Iterable[Booking], payables: Sequence[Owed], us: CarrierCode, hashed: Mapping[str, str]
) -> list[Proposal]:
    """One proposal for each booking, in their order; `hashed` gives each reference as the chain holds it."""
    by_name = {owed.payable_id.hex()[:32]: owed for owed in payables}
    left = {owed.payable_id: owed.outstanding_micros for owed in payables}
    seen: set[str] = set()
    proposals = []
    for booking in bookings:
        owed = _named_by(booking, by_name)
        arrival = _refusal(booking, owed, us, hashed, seen)
        if booking.reference is not None and booking.credit and booking.booked:
            seen.add(booking.reference)
        if arrival is not None or owed is None:
            rest = Micros(left[owed.payable_id]) if owed else Micros(0)
            proposals.append(Proposal(booking, arrival or Arrival.UNKNOWN, owed, Micros(0), rest))
            continue
        proposal = _payment(booking, owed, left[owed.payable_id])
        left[owed.payable_id] -= proposal.confirm_micros
        proposals.append(proposal)
    return proposals


def _named_by(booking: Booking, by_name: Mapping[str, Owed]) -> Owed | None:
    """By the end-to-end id first; then by its texts, unless they name several."""
    for texts in ([booking.end_to_end_id or ""], booking.texts):
        names = {(short or long).lower() for text in texts for short, long in _NAMED.findall(text)}
        known = [by_name[name] for name in sorted(names) if name in by_name]
        if len(known) == 1:
            return known[0]
    return None


def _refusal(
    booking: Booking, owed: Owed | None, us: CarrierCode, hashed: Mapping[str, str], seen: set[str]
) -> Arrival | None:
    """Why nothing of it is confirmed; None if there is no reason."""
    reference = booking.reference
    reasons = (
        (not booking.credit, Arrival.PAID_OUT),
        (booking.reversal, Arrival.REVERSAL),
        (not booking.booked, Arrival.NOT_BOOKED),
        (owed is None, Arrival.UNKNOWN),
        (owed is not None and owed.creditor != us, Arrival.NOT_OURS),
        (owed is not None and owed.currency != booking.currency, Arrival.OTHER_CURRENCY),
        (reference is None, Arrival.NO_REFERENCE),
        (owed is not None and reference is not None and hashed[reference] in owed.confirmed, Arrival.CONFIRMED_BEFORE),
        (reference in seen, Arrival.TWICE),
    )
    return next((arrival for holds, arrival in reasons if holds), None)


def _payment(booking: Booking, owed: Owed, outstanding: int) -> Proposal:
    came, due = booking.amount_micros, to_minor(outstanding, owed.currency)
    in_full = from_minor(due, owed.currency)
    if outstanding <= 0:
        return Proposal(booking, Arrival.NOTHING_OPEN, owed, Micros(0), Micros(-came))
    if came == in_full:
        return Proposal(booking, Arrival.PAYS, owed, Micros(outstanding), Micros(0))
    if came < outstanding:
        return Proposal(booking, Arrival.PAYS_PART, owed, came, Micros(outstanding - came))
    return Proposal(booking, Arrival.PAYS_MORE, owed, Micros(outstanding), Micros(outstanding - came))
