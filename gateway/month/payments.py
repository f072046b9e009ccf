"""Which payment is meant: a new one, or one that is on its way already?

A caller's idempotency key, or else the payable and how often it was paid, names the submission in the outbox, where a
kind and subject stand once. So it is found again whatever happened between a payment and its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from gateway.month.parts import Submission, stream_of
from gateway.month.sending import Call, submit
from ledger.canonical import canonical_hash
from ledger.chain.bindings import (
    calldata_payment_book_pay,
    calldata_settlement_token_allowance,
    calldata_settlement_token_approve,
    calldata_settlement_token_balance_of,
    result_settlement_token_allowance,
    result_settlement_token_balance_of,
)
from ledger.errors import NotFound, RequestConflict
from ledger.identity import Address
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.store.engine import lock
from ledger.store.outbox import SubmissionRow, find_submission, list_submissions
from ledger.store.settlement import PayableRow
from ledger.store.states import SubmissionState

PAY = "pay"
"""The kind of these submissions."""
MOST_APPROVED = 2**256 - 1
_WORD = 32
_SELECTOR = 4


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment and the subject that names it; `submission_id` if the outbox has it."""

    subject: bytes
    amount_micros: Micros
    submission_id: int | None = None
    note: str | None = None
    """Why it is not a new one."""


def choose_payment(
    connection: Connection, row: PayableRow, amount: Micros | None, outstanding: Micros, key: str | None
) -> Payment:
    """The payment under this key, or else the unfinished one of this amount (of any amount if none is given), or a new
    one. Nobody else chooses for this payable before the transaction ends. Raises RequestConflict.
    """
    lock(connection, f"payments of {row.payable_id.hex()}")
    if key is not None:
        lock(connection, f"payment under key {key}")
        subject = canonical_hash("idempotency-key", [key])
        found = find_submission(connection, PAY, subject)
        return _under_key(found, row, amount, outstanding) if found else Payment(subject, amount or outstanding)
    earlier = [each for each in list_submissions(connection, kind=PAY) if payable_of(each) == row.payable_id]
    unfinished = [each for each in earlier if each.state not in (SubmissionState.FINAL, SubmissionState.REVERTED)]
    same = [each for each in unfinished if amount in (None, amount_of(each))]
    if same:
        return _on_its_way(same[0])
    wanted = amount or outstanding
    return Payment(_subject(row, wanted, earlier), wanted)


def pay_in_token(
    gateway: Gateway, connection: Connection, held: Partnership, row: PayableRow, payment: Payment, dry_run: bool
) -> Submission:
    """Approval and payment go in one stream, so the payment waits for its approval."""
    token = token_of(gateway, held)
    stream = stream_of("token", token, gateway.sender)
    spender = gateway.network.payment_book
    approve_spending(gateway, connection, token, spender, payment.amount_micros, payment.subject, dry_run)
    call = Call(
        kind=PAY,
        subject=payment.subject,
        contract="PaymentBook",
        calldata=calldata_payment_book_pay(row.payable_id, token, payment.amount_micros),
        stream=stream,
        agreement_id=row.agreement_id,
    )
    return submit(gateway, connection, call, dry_run=dry_run)


def approve_spending(
    gateway: Gateway,
    connection: Connection,
    token: Address,
    spender: Address,
    amount: int,
    subject: bytes,
    dry_run: bool,
) -> None:
    """Let a contract take the amount, if it may not yet; in the token's stream, so what follows waits for it."""
    if dry_run or _allowance(gateway, token, spender) >= amount:
        return
    approval = Call(
        kind="approve",
        subject=keccak256(subject + b"approve"),
        contract="",
        calldata=calldata_settlement_token_approve(spender, MOST_APPROVED),
        stream=stream_of("token", token, gateway.sender),
        target=token,
    )
    submit(gateway, connection, approval)


def payable_of(row: SubmissionRow) -> bytes:
    """Which payable a payment is for: the first argument of its call."""
    return (row.calldata or b"")[_SELECTOR : _SELECTOR + _WORD]


def amount_of(row: SubmissionRow) -> Micros:
    """How much a payment pays: the last argument of its call."""
    return Micros(int.from_bytes((row.calldata or b"")[-_WORD:], "big"))


def _subject(row: PayableRow, amount: Micros, earlier: Sequence[SubmissionRow]) -> bytes:
    """A refused payment's place is taken by its repeat; one that was paid counts, so the next is another one."""
    paid = sum(each.state == SubmissionState.FINAL for each in earlier)
    return canonical_hash("payment", [row.payable_id, amount, paid])


def _under_key(found: SubmissionRow, row: PayableRow, amount: Micros | None, outstanding: Micros) -> Payment:
    if payable_of(found) != row.payable_id or amount not in (None, amount_of(found)):
        raise RequestConflict(
            "this key stands for another payment",
            expected=f"{show_micros(amount_of(found))} on payable {payable_of(found).hex()}",
            got=f"{show_micros(amount or outstanding)} on payable {row.payable_id.hex()}",
            todo="Take a new key for a new payment.",
        )
    if found.state == SubmissionState.REVERTED:
        return Payment(found.subject, amount or outstanding)
    return Payment(found.subject, amount_of(found), found.id, f"submitted before under this key: {found.state}")


def _on_its_way(found: SubmissionRow) -> Payment:
    note = (
        f"{show_micros(amount_of(found))} is on its way already ({found.state}), nothing new was submitted; "
        "to pay a second time on purpose, give a key of its own (--key, Idempotency-Key)"
    )
    return Payment(found.subject, amount_of(found), found.id, note)


def token_of(gateway: Gateway, held: Partnership) -> Address:
    """The settlement token of an agreement's currency. Raises NotFound."""
    token = gateway.network.tokens.get(held.currency)
    if token is None:
        raise NotFound(
            f"no settlement token for {held.currency}",
            expected=", ".join(gateway.network.tokens) or "a token",
            todo="Pay by bank; the creditor confirms it with `gsc confirm`.",
        )
    return token


def funds_of(gateway: Gateway, token: Address) -> int:
    """What our sending key holds in a token, in micros."""
    return gateway.client.view(
        token, calldata_settlement_token_balance_of(gateway.sender), result_settlement_token_balance_of
    )


def _allowance(gateway: Gateway, token: Address, spender: Address) -> int:
    return gateway.client.view(
        token,
        calldata_settlement_token_allowance(gateway.sender, spender),
        result_settlement_token_allowance,
    )
