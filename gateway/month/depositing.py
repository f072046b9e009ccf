"""Verbs of deposits: what has a debtor put down for what it owes, and what is taken from it?

A deposit raises the limit of its direction by what arrived. It comes back where the exposure does not need it, pays
payables of the direction on the debtor's word, and a terminated payable without.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month.parts import Submission, day_deadline, stream_of
from gateway.month.paying import outstanding_of, payable_with, require_amount
from gateway.month.payments import approve_spending, funds_of, token_of
from gateway.month.sending import Call, next_number, shown, submit
from ledger.canonical import canonical_hash
from ledger.chain.bindings import (
    ArrearsStage,
    CreditBookDepositOf,
    DepositApplication,
    DepositApplied,
    DepositReceived,
    DepositWithdrawal,
    calldata_credit_book_apply_deposit,
    calldata_credit_book_deposit,
    calldata_credit_book_deposit_of,
    calldata_credit_book_seize_deposit,
    calldata_credit_book_withdraw_deposit,
    result_credit_book_deposit_of,
)
from ledger.errors import Conflict, Refused
from ledger.identity import Address, CarrierCode, ascii32
from ledger.money import Micros, show_micros
from ledger.store.credit import CreditRow, credit_of
from ledger.store.engine import lock, writing
from ledger.store.latest import rows_of, table_of
from ledger.store.outbox import SubmissionRow, find_submission, list_submissions
from ledger.store.outbox import submission_of as row_of_id
from ledger.store.settlement import PayableRow
from ledger.store.states import SubmissionState

DEPOSIT, WITHDRAW, APPLY, SEIZE = "deposit", "deposit_withdrawal", "deposit_application", "seizure"
"""Kinds of the submissions."""


@dataclass(frozen=True, slots=True)
class DepositAnswer:
    """A movement of a deposit on its way, and how the direction stands on chain before it."""

    creditor: CarrierCode
    debtor: CarrierCode
    amount: Money
    deposited: Money
    """In all tokens."""
    limit: Money
    """Credit line and deposits together."""
    exposure: Money
    payable_id: bytes | None
    submission: Submission | None
    note: str | None = None
    """Why nothing new was submitted."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A direction in which somebody has deposited."""

    held: Partnership
    creditor: CarrierCode
    token: Address

    @property
    def debtor(self) -> CarrierCode:
        return self.held.agreement.counterparty(self.creditor)

    @property
    def stream(self) -> str:
        """Withdrawals and applications share their numbers."""
        return stream_of("deposit", self.held.id, self.creditor)


def deposit(
    gateway: Gateway, partner: CarrierCode, amount_micros: Micros, *, key: str | None = None, dry_run: bool = False
) -> DepositAnswer:
    """Put money down for what we owe a partner; it raises our limit there by what arrives.

    Under one `key` it is done once, whenever it is asked for again; without one nothing is deposited while the same is
    on its way. Raises Malformed, NotFound without a settlement token.
    """
    require_amount(amount_micros)
    side = _side(gateway, partnership_with(gateway.settings, partner), partner)
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        lock(connection, f"deposits {side.held.id.hex()} {partner}")
        subject, before = _deposit_subject(connection, side, amount_micros, key)
        if before is not None and before.state != SubmissionState.REVERTED:
            note = f"on its way already ({before.state}), or made before under this key; nothing new was submitted"
            again = shown(row_of_id(connection, before.id))
            return _answer(connection, side, Micros(_deposited_by(before)), None, again, note)
        _require_funds(gateway, side, amount_micros)
        approve_spending(gateway, connection, side.token, gateway.network.credit_book, amount_micros, subject, dry_run)
        call = Call(
            kind=DEPOSIT,
            subject=subject,
            contract="CreditBook",
            calldata=calldata_credit_book_deposit(side.held.id, ascii32(partner), side.token, amount_micros),
            stream=stream_of("token", side.token, gateway.sender),
            agreement_id=side.held.id,
        )
        return _answer(connection, side, amount_micros, None, submit(gateway, connection, call, dry_run=dry_run))


def withdraw_deposit(
    gateway: Gateway, partner: CarrierCode, amount_micros: Micros, to: Address | None = None, *, dry_run: bool = False
) -> DepositAnswer:
    """Take deposited money back, to our sending address unless told otherwise.

    Raises Conflict if credit is stopped, the deposit is smaller, or the exposure needs it.
    """
    require_amount(amount_micros)
    side = _side(gateway, partnership_with(gateway.settings, partner), partner)
    gateway.catch_up()
    held = _held(gateway, side)
    with writing(gateway.engine) as connection:
        _require_free(credit_of(connection, side.held.id, partner), side, held, amount_micros)

        def make(nonce: int) -> tuple[DepositWithdrawal, Callable[[bytes], bytes]]:
            struct = DepositWithdrawal(
                agreement_id=side.held.id,
                creditor=ascii32(partner),
                token=side.token,
                to=to or gateway.sender,
                amount_micros=amount_micros,
                nonce=nonce,
                deadline=day_deadline(gateway.now_s),
            )
            return struct, lambda signature: calldata_credit_book_withdraw_deposit(struct, signature)

        about: list[int | str | bytes] = [side.held.id, partner, side.token, to or gateway.sender, amount_micros]
        submission = _numbered(gateway, connection, side, WITHDRAW, about, held.nonce, make, dry_run)
        return _answer(connection, side, amount_micros, None, submission)


def apply_deposit(
    gateway: Gateway, payable_id: bytes, amount_micros: Micros | None = None, *, dry_run: bool = False
) -> DepositAnswer:
    """Pay one of our payables out of our deposit; as much as both allow unless told otherwise.

    Also while credit is stopped. Raises Refused for another carrier's payable, Conflict if there is nothing to take.
    """
    if amount_micros is not None:
        require_amount(amount_micros)
    gateway.catch_up()
    row, partnership = payable_with(gateway, payable_id)
    if row.debtor != gateway.carrier:
        raise Refused("this is not ours to pay", expected=f"{gateway.carrier} as debtor", got=row.debtor)
    side = _side(gateway, partnership, row.creditor)
    held = _held(gateway, side)
    amount = _takeable(held, sum(outstanding_of(gateway, payable_id)), amount_micros)
    with writing(gateway.engine) as connection:

        def make(nonce: int) -> tuple[DepositApplication, Callable[[bytes], bytes]]:
            struct = DepositApplication(
                payable_id=payable_id,
                token=side.token,
                amount_micros=amount,
                nonce=nonce,
                deadline=day_deadline(gateway.now_s),
            )
            return struct, lambda signature: calldata_credit_book_apply_deposit(struct, signature)

        about: list[int | str | bytes] = [payable_id, side.token, amount]
        submission = _numbered(gateway, connection, side, APPLY, about, held.nonce, make, dry_run)
        return _answer(connection, side, amount, row, submission)


def seize_deposit(gateway: Gateway, payable_id: bytes, *, dry_run: bool = False) -> DepositAnswer:
    """Have a terminated payable paid out of its debtor's deposit, without its word; anyone may.

    Raises Conflict if the payable is not terminated, or there is no deposit.
    """
    gateway.catch_up()
    row, partnership = payable_with(gateway, payable_id)
    if row.stage != ArrearsStage.TERMINATED:
        raise Conflict(
            "only a terminated payable takes a deposit without the debtor's word",
            expected=ArrearsStage.TERMINATED.name.lower(),
            got=row.stage.name.lower(),
            todo="Take it up the ladder when it is ripe: `gsc age`.",
        )
    side = _side(gateway, partnership, row.creditor)
    amount = _takeable(_held(gateway, side), sum(outstanding_of(gateway, payable_id)), None)
    with writing(gateway.engine) as connection:
        taken = sum(1 for _ in rows_of(connection, DepositApplied, table_of(DepositApplied).payable_id == payable_id))
        call = Call(
            kind=SEIZE,
            subject=canonical_hash("seizure", [payable_id, side.token, taken]),
            contract="CreditBook",
            calldata=calldata_credit_book_seize_deposit(payable_id, side.token),
            stream=stream_of("seizure", payable_id),
            agreement_id=row.agreement_id,
        )
        return _answer(connection, side, amount, row, submit(gateway, connection, call, dry_run=dry_run))


def _side(gateway: Gateway, held: Partnership, creditor: CarrierCode) -> _Side:
    return _Side(held, creditor, token_of(gateway, held))


def _held(gateway: Gateway, side: _Side) -> CreditBookDepositOf:
    """One direction's deposit, as the contract has it."""
    return gateway.client.view(
        gateway.network.credit_book,
        calldata_credit_book_deposit_of(side.held.id, ascii32(side.creditor), side.token),
        result_credit_book_deposit_of,
    )


def _require_funds(gateway: Gateway, side: _Side, amount: int) -> None:
    funds = funds_of(gateway, side.token)
    if funds < amount:
        raise Conflict(
            f"the sending key holds less of the {side.held.currency} token",
            expected=show_micros(amount),
            got=show_micros(funds),
            todo=f"Send {side.token} tokens to {gateway.sender} first.",
        )


def _takeable(held: CreditBookDepositOf, outstanding: int, wanted: Micros | None) -> Micros:
    """How much of a deposit a payable takes. Raises Conflict if there is nothing, or less than wanted."""
    most = min(held.amount_micros, outstanding)
    if most == 0 or (wanted or 0) > most:
        raise Conflict(
            "the payable does not take that much of the deposit" if most else "there is nothing to take",
            expected=f"{show_micros(held.amount_micros)} deposited, {show_micros(outstanding)} outstanding",
            got="all of it" if wanted is None else show_micros(wanted),
            todo="Deposit more first (`gsc deposit add`), or pay: `gsc pay`." if most < outstanding else "",
        )
    return wanted or Micros(most)


def _require_free(line: CreditRow, side: _Side, held: CreditBookDepositOf, amount: int) -> None:
    if line.stopped:
        raise Conflict(
            f"credit of {side.debtor} with {side.creditor} is stopped; its deposit stays until arrears are paid",
            todo="Pay what is overdue, also out of the deposit: `gsc deposit apply PAYABLE`.",
        )
    if amount > held.amount_micros:
        raise Conflict("the deposit is smaller", expected=show_micros(held.amount_micros), got=show_micros(amount))
    if line.exposure_micros > line.limit_micros - amount:
        free = max(0, line.limit_micros - line.exposure_micros)
        raise Conflict(
            "the exposure needs the deposit",
            expected=f"at most {show_micros(min(free, held.amount_micros))}",
            got=show_micros(amount),
            todo="Pay first, or ask the creditor for a larger line.",
        )


def _deposit_subject(
    connection: Connection, side: _Side, amount: int, key: str | None
) -> tuple[bytes, SubmissionRow | None]:
    """What names this deposit, and the submission that has the name: as for payments (gateway.month.payments)."""
    if key is not None:
        subject = canonical_hash("idempotency-key", ["deposit", side.held.id, side.creditor, key])
        return subject, find_submission(connection, DEPOSIT, subject)
    made = table_of(DepositReceived)
    same = (made.agreement_id == side.held.id, made.creditor == side.creditor)
    arrived = sum(1 for _ in rows_of(connection, DepositReceived, *same))
    subject = canonical_hash("deposit", [side.held.id, side.creditor, side.token, amount, arrived])
    on_its_way = [
        row
        for row in list_submissions(connection, agreement_id=side.held.id, kind=DEPOSIT)
        if row.state not in (SubmissionState.FINAL, SubmissionState.REVERTED) and _deposited_by(row) == amount
    ]
    return subject, on_its_way[0] if on_its_way else find_submission(connection, DEPOSIT, subject)


def _deposited_by(row: SubmissionRow) -> int:
    """How much a deposit puts down: the last argument of its call."""
    return int.from_bytes((row.calldata or b"")[-32:], "big")


def _numbered(
    gateway: Gateway,
    connection: Connection,
    side: _Side,
    kind: str,
    about: Sequence[int | str | bytes],
    last: int,
    make: Callable[[int], tuple[DepositWithdrawal | DepositApplication, Callable[[bytes], bytes]]],
    dry_run: bool,
) -> Submission:
    """Sign under the next number of the direction's deposits; the same again, while on its way, changes nothing."""
    lock(connection, f"stream {side.stream}")
    waiting = next_number(connection, side.stream, last) - 1
    for nonce in range(last + 1, waiting + 1):
        before = find_submission(connection, kind, canonical_hash(kind, [*about, nonce]))
        if before is not None and before.state != SubmissionState.REVERTED:
            return shown(row_of_id(connection, before.id))
    nonce = waiting + 1
    struct, calldata = make(nonce)
    call = Call(
        kind=kind,
        subject=canonical_hash(kind, [*about, nonce]),
        contract="CreditBook",
        calldata=calldata(gateway.signer.sign(struct).signature),
        stream=side.stream,
        position=nonce,
        agreement_id=side.held.id,
    )
    return submit(gateway, connection, call, dry_run=dry_run)


def _answer(
    connection: Connection,
    side: _Side,
    amount: Micros,
    payable: PayableRow | None,
    submission: Submission | None,
    note: str | None = None,
) -> DepositAnswer:
    line = credit_of(connection, side.held.id, side.creditor)
    currency = side.held.currency
    return DepositAnswer(
        creditor=side.creditor,
        debtor=side.debtor,
        amount=Money(currency, amount),
        deposited=Money(currency, line.deposit_micros),
        limit=Money(currency, line.limit_micros),
        exposure=Money(currency, line.exposure_micros),
        payable_id=payable.payable_id if payable else None,
        submission=submission,
        note=note,
    )
