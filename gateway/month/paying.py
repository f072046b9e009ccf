"""Verbs *pay*, *confirm* and *age*: who paid what, and what happens to what is late?"""

from dataclasses import dataclass

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id, partnerships
from gateway.month.parts import YEAR_SECONDS, Submission, day_deadline, stream_of
from gateway.month.payments import choose_payment, pay_in_token
from gateway.month.sending import Call, next_number, submit
from gateway.month.versions import in_force
from ledger.canonical import canonical_hash
from ledger.chain.bindings import (
    ArrearsStage,
    PayeeChange,
    PayeeChanged,
    PaymentConfirmation,
    calldata_payment_book_advance_arrears,
    calldata_payment_book_confirm_payment,
    calldata_payment_book_outstanding_of,
    calldata_payment_book_set_payee,
    result_payment_book_outstanding_of,
)
from ledger.errors import Malformed, NotFound, Refused
from ledger.identity import Address, CarrierCode, ascii32
from ledger.keccak import keccak256
from ledger.money import Micros
from ledger.store.engine import reading, writing
from ledger.store.latest import latest_of
from ledger.store.outbox import find_submission
from ledger.store.settlement import PayableRow, list_payables, payee_of
from reconciliation.settling.ageing import Aged, Payable
from reconciliation.settling.ageing import age as age_payables


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """A payment on its way. `amount` is principal and interest together."""

    payable_id: bytes
    debtor: CarrierCode
    creditor: CarrierCode
    amount: Money
    outstanding: Money
    """Principal and interest before the payment."""
    submission: Submission | None
    note: str | None = None
    """Why nothing new was submitted."""


@dataclass(frozen=True, slots=True)
class PayeeAnswer:
    """Where token payments to us go."""

    payee: Address
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class AgedAnswer:
    """One payable today."""

    payable_id: bytes
    debtor: CarrierCode
    creditor: CarrierCode
    outstanding: Money
    interest: Money
    due_at: int
    days_overdue: int
    band: str
    stage: str
    """On chain."""
    ripe_stage: str
    """Where the ladder would stand if every step were taken."""
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class AgeAnswer:
    """Everything open, oldest first."""

    at: int
    payables: tuple[AgedAnswer, ...]
    dry_run: bool


def set_payee(gateway: Gateway, payee: Address | None = None, *, dry_run: bool = False) -> PayeeAnswer:
    """Say where token payments to us go; our sending address unless told otherwise."""
    wanted = payee or gateway.sender
    gateway.catch_up()
    stream = stream_of("payee", gateway.carrier)
    with writing(gateway.engine) as connection:
        rows = latest_of(connection, PayeeChanged, "carrier")
        last = rows[gateway.carrier].nonce if gateway.carrier in rows else 0
        waiting = next_number(connection, stream, last) - 1
        if waiting == last and payee_of(connection, gateway.carrier) == wanted:
            return PayeeAnswer(wanted, None)
        pending = waiting > last and find_submission(connection, "payee", _payee_subject(gateway, wanted, waiting))
        nonce = waiting if pending else waiting + 1
        change = PayeeChange(
            carrier=ascii32(gateway.carrier), payee=wanted, nonce=nonce, deadline=day_deadline(gateway.now_s)
        )
        call = Call(
            kind="payee",
            subject=_payee_subject(gateway, wanted, nonce),
            contract="PaymentBook",
            calldata=calldata_payment_book_set_payee(change, gateway.signer.sign(change).signature),
            stream=stream,
            position=nonce,
        )
        return PayeeAnswer(wanted, submit(gateway, connection, call, dry_run=dry_run))


def _payee_subject(gateway: Gateway, payee: Address, nonce: int) -> bytes:
    """Names a change of payee, whatever deadline it was signed with."""
    return canonical_hash("payee", [gateway.carrier, payee, nonce])


def pay(
    gateway: Gateway,
    payable_id: bytes,
    amount_micros: Micros | None = None,
    *,
    key: str | None = None,
    dry_run: bool = False,
) -> PaymentAnswer:
    """Pay one of our payables in the network's settlement token; all that is outstanding unless told otherwise.

    Under one `key` there is one payment, whenever it is asked for again. Without a key nothing is paid while the same
    is on its way. Raises RequestConflict for a key of another payment.
    """
    gateway.catch_up()
    row, held = payable_with(gateway, payable_id)
    if row.debtor != gateway.carrier:
        raise Refused("this is not ours to pay", expected=f"{gateway.carrier} as debtor", got=row.debtor)
    if amount_micros is not None:
        require_amount(amount_micros)
    whole = Micros(sum(outstanding_of(gateway, payable_id)))
    with writing(gateway.engine) as connection:
        payment = choose_payment(connection, row, amount_micros, whole, key)
        due = whole > 0 or payment.submission_id is not None
        submission = pay_in_token(gateway, connection, held, row, payment, dry_run) if due else None
    return PaymentAnswer(
        payable_id=payable_id,
        debtor=row.debtor,
        creditor=row.creditor,
        amount=Money(held.currency, payment.amount_micros),
        outstanding=Money(held.currency, whole),
        submission=submission,
        note=payment.note,
    )


def confirm(
    gateway: Gateway, payable_id: bytes, amount_micros: Micros, bank_reference: str, *, dry_run: bool = False
) -> PaymentAnswer:
    """As creditor: say that money arrived at the bank. A bank reference counts once for each payable.

    What is signed names the submission, so the same again is the same, under whatever key and after whatever crash.
    """
    require_amount(amount_micros)
    gateway.catch_up()
    row, held = payable_with(gateway, payable_id)
    if row.creditor != gateway.carrier:
        raise Refused("only the creditor confirms a payment", expected=gateway.carrier, got=row.creditor)
    principal, interest = outstanding_of(gateway, payable_id)
    confirmation = PaymentConfirmation(
        payable_id=payable_id,
        amount_micros=amount_micros,
        bank_reference=keccak256(bank_reference.encode("utf-8")),
        deadline=row.due_at + 10 * YEAR_SECONDS,
    )
    signed = gateway.signer.sign(confirmation)
    call = Call(
        kind="confirmation",
        subject=signed.digest,
        contract="PaymentBook",
        calldata=calldata_payment_book_confirm_payment(confirmation, signed.signature),
        stream=stream_of("payment", payable_id),
        agreement_id=held.id,
    )
    with writing(gateway.engine) as connection:
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return PaymentAnswer(
        payable_id=payable_id,
        debtor=row.debtor,
        creditor=row.creditor,
        amount=Money(held.currency, amount_micros),
        outstanding=Money(held.currency, Micros(principal + interest)),
        submission=submission,
    )


def age(gateway: Gateway, *, dry_run: bool = False) -> AgeAnswer:
    """Age everything open that we owe or are owed; take what is owed to us one step up the ladder where it is ripe."""
    gateway.catch_up()
    held_by_id = {held.id: held for held in partnerships(gateway.settings).values()}
    with reading(gateway.engine) as connection:
        rows = [row for row in list_payables(connection) if row.agreement_id in held_by_id and row.outstanding_micros]
        due = [(row, in_force(connection, held_by_id[row.agreement_id], row.due_at)) for row in rows]
    now_ms = gateway.clock.now_ms()
    aged = [_age_one(gateway, row, held, now_ms, dry_run) for row, held in due]
    return AgeAnswer(now_ms // 1000, tuple(sorted(aged, key=lambda each: (each.due_at, each.payable_id))), dry_run)


def aged_of(row: PayableRow, held: Partnership, at_ms: int) -> Aged:
    """A payable's age under the terms of its agreement that were in force when it was due."""
    payable = Payable(row.payable_id.hex(), row.debtor, row.creditor, row.outstanding_micros, row.due_at)
    return age_payables([payable], at_ms, held.agreement.payment).items[0]


def _age_one(gateway: Gateway, row: PayableRow, held: Partnership, now_ms: int, dry_run: bool) -> AgedAnswer:
    aged = aged_of(row, held, now_ms)
    principal, interest = outstanding_of(gateway, row.payable_id)
    submission = None
    if row.creditor == gateway.carrier and aged.stage > row.stage:
        submission = _advance(gateway, row, dry_run)
    return AgedAnswer(
        payable_id=row.payable_id,
        debtor=row.debtor,
        creditor=row.creditor,
        outstanding=Money(held.currency, Micros(principal)),
        interest=Money(held.currency, Micros(interest)),
        due_at=row.due_at,
        days_overdue=aged.days_overdue,
        band=aged.band.words,
        stage=ArrearsStage(row.stage).name.lower(),
        ripe_stage=aged.stage.name.lower(),
        submission=submission,
    )


def _advance(gateway: Gateway, row: PayableRow, dry_run: bool) -> Submission:
    step = int(row.stage) + 1
    call = Call(
        kind="arrears",
        subject=keccak256(row.payable_id + step.to_bytes(32, "big")),
        contract="PaymentBook",
        calldata=calldata_payment_book_advance_arrears(row.payable_id),
        stream=stream_of("arrears", row.payable_id),
        position=step,
        agreement_id=row.agreement_id,
    )
    with writing(gateway.engine) as connection:
        return submit(gateway, connection, call, dry_run=dry_run)


def require_amount(amount: int) -> None:
    """Raises Malformed unless it is more than zero."""
    if amount <= 0:
        raise Malformed("not an amount to pay", expected="more than zero", got=amount)


def payable_with(gateway: Gateway, payable_id: bytes) -> tuple[PayableRow, Partnership]:
    """A payable and the agreement it is under. Raises NotFound, also for others' payables."""
    with reading(gateway.engine) as connection:
        rows = [row for row in list_payables(connection) if row.payable_id == payable_id]
    if not rows:
        raise NotFound("no such payable", got=payable_id.hex(), todo="See `gsc age` for what is open.")
    return rows[0], partnership_of_id(gateway.settings, rows[0].agreement_id)


def outstanding_of(gateway: Gateway, payable_id: bytes) -> tuple[int, int]:
    """Principal and interest at this moment, as the contract reckons them."""
    found = gateway.client.view(
        gateway.network.payment_book,
        calldata_payment_book_outstanding_of(payable_id),
        result_payment_book_outstanding_of,
    )
    return found.principal_micros, found.interest_micros
