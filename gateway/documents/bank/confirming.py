"""Verb *bank*: what does the bank's file confirm? Each booking told, and those that pay us confirmed on the chain.

The same file again confirms nothing again: a bank reference that was confirmed stands on the chain, and one that is
about to be stands in the outbox.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, partnership_of_id
from gateway.documents.bank.arrivals import CONFIRMABLE, Owed, Proposal, match_bookings
from gateway.documents.bank.camt import Booking, read_camt
from gateway.documents.parties import load_parties
from gateway.month.parts import Submission
from gateway.month.paying import confirm, outstanding_of
from ledger.chain.abi import decode_all
from ledger.chain.bindings import PAYMENT_BOOK_CONFIRM_PAYMENT
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.keccak import keccak256
from ledger.money import Micros
from ledger.store.engine import reading
from ledger.store.outbox import list_submissions
from ledger.store.settlement import PayableRow, list_payables, list_payments
from ledger.store.states import SubmissionState


@dataclass(frozen=True, slots=True)
class BookingAnswer:
    """One booking and what became of it."""

    line: int
    amount: Money
    day: str | None
    payer: str | None
    reference: str | None
    what: str
    """A word of `Arrival`."""
    payable_id: bytes | None
    debtor: CarrierCode | None
    confirmed: Money
    left: Money
    """Outstanding after it; below zero: paid too much."""
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """A bank's file: its bookings in order."""

    file_name: str
    bookings: tuple[BookingAnswer, ...]
    notes: tuple[str, ...]
    dry_run: bool

    @property
    def confirmed(self) -> tuple[BookingAnswer, ...]:
        return tuple(each for each in self.bookings if each.confirmed.micros)


def confirm_from_bank(gateway: Gateway, path: Path, *, name: str | None = None, dry_run: bool = False) -> BankAnswer:
    """Read a camt.053 or camt.054 file and confirm what arrived for our payables; what did not match is told.

    Raises Malformed for another file, Unavailable.
    """
    bookings = read_camt(path)
    gateway.catch_up()
    hashed = {each.reference: _hash_of(each.reference) for each in bookings if each.reference is not None}
    proposals = match_bookings(bookings, _payables(gateway), gateway.carrier, hashed)
    answers = tuple(_answer(gateway, each, dry_run) for each in proposals)
    return BankAnswer(name or path.name, answers, _notes(gateway, bookings), dry_run)


def _answer(gateway: Gateway, proposal: Proposal, dry_run: bool) -> BookingAnswer:
    booking, owed, submission = proposal.booking, proposal.owed, None
    if proposal.arrival in CONFIRMABLE and owed is not None and booking.reference is not None:
        made = confirm(gateway, owed.payable_id, proposal.confirm_micros, booking.reference, dry_run=dry_run)
        submission = made.submission
    unit = owed.currency if owed else booking.currency
    return BookingAnswer(
        line=booking.line,
        amount=Money(booking.currency, booking.amount_micros),
        day=booking.day,
        payer=booking.payer,
        reference=booking.reference,
        what=proposal.arrival.value,
        payable_id=owed.payable_id if owed else None,
        debtor=owed.debtor if owed else None,
        confirmed=Money(unit, proposal.confirm_micros),
        left=Money(unit, proposal.left_micros),
        submission=submission,
    )


def _payables(gateway: Gateway) -> list[Owed]:
    """Every payable under our agreements; what is on its way to be confirmed is not outstanding any more."""
    with reading(gateway.engine) as connection:
        rows = list_payables(connection)
        told = {row.payable_id: _references(connection, row.payable_id) for row in rows}
        waiting = _waiting(connection)
    found = []
    for row in rows:
        try:
            currency = partnership_of_id(gateway.settings, row.agreement_id).currency
        except NotFound:
            continue
        on_way = waiting.get(row.payable_id, {})
        outstanding = _outstanding(gateway, row) - sum(on_way.values())
        confirmed = frozenset(told[row.payable_id] | on_way.keys())
        found.append(Owed(row.payable_id, row.debtor, row.creditor, currency, outstanding, confirmed))
    return found


def _outstanding(gateway: Gateway, row: PayableRow) -> int:
    """Principal and interest now; nothing accrues on what is paid."""
    return sum(outstanding_of(gateway, row.payable_id)) if row.outstanding_micros else 0


def _references(connection: Connection, payable_id: bytes) -> set[str]:
    return {f"0x{each.bank_reference.hex()}" for each in list_payments(connection, payable_id)}


def _waiting(connection: Connection) -> dict[bytes, dict[str, int]]:
    """Confirmations that the outbox has and the chain may not have yet: amounts by payable and reference."""
    found: dict[bytes, dict[str, int]] = {}
    for row in list_submissions(connection, kind="confirmation"):
        if row.calldata and row.state not in (SubmissionState.FINAL, SubmissionState.REVERTED):
            kinds = [kind for _, kind in PAYMENT_BOOK_CONFIRM_PAYMENT.inputs]
            struct = decode_all(kinds, row.calldata[4:])[0]
            found.setdefault(struct.payable_id, {})[f"0x{struct.bank_reference.hex()}"] = struct.amount_micros
    return found


def _hash_of(reference: str) -> str:
    """As `confirm` puts it on the chain."""
    return f"0x{keccak256(reference.encode('utf-8')).hex()}"


def _notes(gateway: Gateway, bookings: list[Booking]) -> tuple[str, ...]:
    ours = load_parties(gateway.settings.home).get(gateway.carrier)
    known = {each for each in (ours.iban, ours.bank_number) if each} if ours else set()
    others = sorted({each.booked_on for each in bookings if each.booked_on} - known) if known else []
    return tuple(f"account {each} is not the one of {gateway.carrier} in parties.toml" for each in others)


def total_confirmed(answer: BankAnswer) -> dict[str, Micros]:
    """What a file confirms, by currency."""
    sums: dict[str, Micros] = {}
    for each in answer.confirmed:
        sums[each.confirmed.unit] = Micros(sums.get(each.confirmed.unit, 0) + each.confirmed.micros)
    return sums
