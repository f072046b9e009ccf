"""What does deposited money do: raise the limit, come back, pay?"""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import AgreementId
from tests.contracts.books import (
    CN,
    CN_GB,
    DAY,
    GB,
    NEVER,
    US,
    USD,
    ZERO,
    Books,
    Carrier,
    Receipt,
    agreement_id,
    refused,
)
from tests.contracts.month import (
    advance,
    credit_line,
    declaration,
    declare,
    exposure,
    grant,
    outstanding,
    owe,
    post,
)
from tests.contracts.test_payments import PAYEE, list_odd, odd_tokens, set_payee

CREDIT = "CreditBook"
AGREED = agreement_id(CN_GB)
DEBTOR, BACK = 1, 3
"""Accounts: whose money is deposited, where it comes back to."""
DEPOSIT = 5_000_000
OWED = 10_000_000
_FIXTURES = (odd_tokens,)


@pytest.fixture
def funded(books: Books) -> Books:
    """GB-B lends CN-T 10; CN-T's account holds 1000 of the token."""
    line = credit_line(GB, nonce=2, limit_micros=OWED)
    books.send(CREDIT, grant(books, GB, line))
    for token in ("USD", "EUR"):
        endow(books, token)
    return books


def endow(books: Books, token: str) -> None:
    """The debtor's account holds the token and lets the credit book move it."""
    books.send(token, b.calldata_settlement_token_mint(books.accounts[DEBTOR], 1_000_000_000))
    books.send(token, b.calldata_settlement_token_approve(books.addresses[CREDIT], 1_000_000_000), DEBTOR)


def deposit(books: Books, amount_micros: int = DEPOSIT, token: str = "USD") -> Receipt:
    call = b.calldata_credit_book_deposit(AGREED, GB.id, books.addresses[token], amount_micros)
    return books.send(CREDIT, call, DEBTOR)


def withdrawal(books: Books, amount_micros: int = DEPOSIT, signer: Carrier = CN, **changes: Any) -> bytes:
    """The calldata of withdrawDeposit, signed."""
    token, back = books.addresses["USD"], books.accounts[BACK]
    drawn = replace(b.DepositWithdrawal(AGREED, GB.id, token, back, amount_micros, 1, NEVER), **changes)
    return b.calldata_credit_book_withdraw_deposit(drawn, books.signed(signer, drawn, CREDIT))


def application(
    books: Books, payable_id: bytes, amount_micros: int = DEPOSIT, signer: Carrier = CN, **changes: Any
) -> bytes:
    """The calldata of applyDeposit, signed."""
    token = books.addresses["USD"]
    drawn = replace(b.DepositApplication(payable_id, token, amount_micros, 1, NEVER), **changes)
    return b.calldata_credit_book_apply_deposit(drawn, books.signed(signer, drawn, CREDIT))


def seizure(books: Books, payable_id: bytes) -> bytes:
    return b.calldata_credit_book_seize_deposit(payable_id, books.addresses["USD"])


def held(books: Books) -> tuple[int, int]:
    """The deposit, and the limit with it."""
    kept = books.call(CREDIT, b.calldata_credit_book_deposit_of(AGREED, GB.id, books.addresses["USD"]))
    line = books.call(CREDIT, b.calldata_credit_book_line_of(AGREED, GB.id))
    limit = b.result_credit_book_line_of(line).limit_micros
    return b.result_credit_book_deposit_of(kept).amount_micros, limit


def holds(books: Books, account: int | str, token: str = "USD") -> int:
    owner = books.addresses[account] if isinstance(account, str) else books.accounts[account]
    call = b.calldata_settlement_token_balance_of(owner)
    return b.result_settlement_token_balance_of(books.call(token, call))


def owing(books: Books) -> bytes:
    """CN-T owes GB-B 10 by one payable and has deposited 5; GB-B named its payee."""
    payable_id = owe(books, OWED)
    books.send("PaymentBook", set_payee(books, GB, books.accounts[PAYEE]))
    deposit(books)
    return payable_id


def terminate(books: Books, payable_id: bytes) -> None:
    books.chain.advance_to(outstanding(books, payable_id)[2] + 45 * DAY)
    for _ in range(3):
        books.send("PaymentBook", advance(payable_id))


# REFUSALS


def test_a_token_that_is_not_listed_is_not_deposited(funded: Books) -> None:
    call = b.calldata_credit_book_deposit(AGREED, GB.id, funded.addresses["EUR"], DEPOSIT)
    with refused(b.TokenNotListed(funded.addresses["EUR"], USD)):
        funded.call(CREDIT, call, DEBTOR)


def test_nothing_is_no_deposit(funded: Books) -> None:
    call = b.calldata_credit_book_deposit(AGREED, GB.id, funded.addresses["USD"], 0)
    with refused(b.AmountZero()):
        funded.call(CREDIT, call, DEBTOR)


def test_nobody_deposits_for_a_stranger(funded: Books) -> None:
    call = b.calldata_credit_book_deposit(AGREED, US.id, funded.addresses["USD"], DEPOSIT)
    with refused(b.NotAParty(AGREED, US.id)):
        funded.call(CREDIT, call, DEBTOR)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount_micros": DEPOSIT + 1}, b.DepositTooSmall(DEPOSIT, DEPOSIT + 1)),
        ({"amount_micros": 0}, b.AmountZero()),
        ({"nonce": 0}, b.DepositNonceUnexpected(1, 0)),
        ({"nonce": 2}, b.DepositNonceUnexpected(1, 2)),
        ({"creditor": CN.id}, b.SignerNotAuthorised(GB.id, CN.address)),
        ({"signer": GB}, b.SignerNotAuthorised(CN.id, GB.address)),
        ({"agreement_id": AgreementId(keccak(b"?"))}, b.AgreementUnknown(AgreementId(keccak(b"?")))),
    ],
)
def test_a_withdrawal_that_does_not_fit_is_refused(
    funded: Books, changes: dict[str, Any], refusal: TypedRefusal
) -> None:
    deposit(funded)
    with refused(refusal):
        funded.call(CREDIT, withdrawal(funded, **changes))


def test_a_withdrawal_counts_once_and_in_time(funded: Books) -> None:
    deposit(funded)
    with pytest.raises(b.DeadlinePassed):
        funded.call(CREDIT, withdrawal(funded, deadline=funded.now() - 1))
    once = withdrawal(funded, 1_000_000)
    funded.send(CREDIT, once)
    with refused(b.DepositNonceUnexpected(2, 1)):
        funded.call(CREDIT, once)


def test_what_the_exposure_needs_is_not_withdrawn(funded: Books) -> None:
    deposit(funded)
    post(funded, GB, GB, OWED + 2_000_000)
    with refused(b.DepositNeeded(OWED + 2_000_000, OWED + 1_999_999)):
        funded.call(CREDIT, withdrawal(funded, 3_000_001))
    funded.send(CREDIT, withdrawal(funded, 3_000_000))


def test_while_credit_is_stopped_the_deposit_stays(funded: Books) -> None:
    payable_id = owing(funded)
    funded.chain.advance_to(outstanding(funded, payable_id)[2] + 15 * DAY)
    for _ in range(2):
        funded.send("PaymentBook", advance(payable_id))
    with refused(b.CreditIsStopped(AGREED, GB.id)):
        funded.call(CREDIT, withdrawal(funded, 1))


def test_only_a_terminated_payable_takes_the_deposit_without_the_debtors_word(funded: Books) -> None:
    payable_id = owing(funded)
    with refused(b.PayableNotTerminated(payable_id)):
        funded.call(CREDIT, seizure(funded, payable_id))
    with refused(b.SignerNotAuthorised(CN.id, GB.address)):
        funded.call(CREDIT, application(funded, payable_id, signer=GB))


def test_an_unknown_payable_is_not_paid(funded: Books) -> None:
    deposit(funded)
    for call in (application(funded, ZERO), seizure(funded, ZERO)):
        with refused(b.PayableUnknown(ZERO)):
            funded.call(CREDIT, call)


def test_one_directions_deposit_pays_no_other_directions_payable(funded: Books) -> None:
    call = b.calldata_credit_book_deposit(AGREED, CN.id, funded.addresses["USD"], DEPOSIT)
    payable_id = owe(funded, OWED)
    funded.send(CREDIT, call, DEBTOR)
    with refused(b.DepositTooSmall(0, 1)):
        funded.call(CREDIT, application(funded, payable_id, 1))


# WHAT IS RIGHT


def test_a_deposit_raises_the_limit_by_itself(funded: Books) -> None:
    told = deposit(funded).only(b.DepositReceived)
    assert (told.amount_micros, told.deposit_micros, told.limit_micros) == (DEPOSIT, DEPOSIT, OWED + DEPOSIT)
    with refused(b.CreditLineExceeded(AGREED, GB.id, OWED + DEPOSIT + 1, OWED + DEPOSIT)):
        funded.call("UsageLedger", declare(funded, declaration(GB, GB, amount_micros=OWED + DEPOSIT + 1)))
    post(funded, GB, GB, OWED + DEPOSIT)


def test_a_new_line_keeps_the_deposit(funded: Books) -> None:
    deposit(funded)
    funded.send(CREDIT, grant(funded, GB, credit_line(GB, nonce=3, limit_micros=1_000_000)))
    assert held(funded) == (DEPOSIT, 1_000_000 + DEPOSIT)


def test_a_deposit_comes_back_to_where_the_debtor_says(funded: Books) -> None:
    deposit(funded)
    before = holds(funded, BACK)
    told = funded.send(CREDIT, withdrawal(funded)).only(b.DepositWithdrawn)
    assert (told.amount_micros, told.deposit_micros, told.limit_micros) == (DEPOSIT, 0, OWED)
    assert (holds(funded, BACK) - before, holds(funded, CREDIT), held(funded)) == (DEPOSIT, 0, (0, OWED))


def test_c18_an_escrow_gives_back_what_the_usage_does_not_cost_and_no_usage_costs_more(funded: Books) -> None:
    """B5GRoam: 12 for each of 10 sms, 10,240 data and 60 voice, out of an escrow of 1,000,000."""
    cost, escrow = 12 * (10 + 10_240 + 60), 1_000_000
    funded.send(CREDIT, grant(funded, GB, credit_line(GB, nonce=3, limit_micros=0)))
    deposit(funded, escrow)
    with refused(b.CreditLineExceeded(AGREED, GB.id, escrow + 1, escrow)):
        funded.call("UsageLedger", declare(funded, declaration(GB, GB, amount_micros=escrow + 1)))
    post(funded, GB, GB, cost)
    with refused(b.DepositNeeded(cost, cost - 1)):
        funded.call(CREDIT, withdrawal(funded, 876_281))
    told = funded.send(CREDIT, withdrawal(funded, 876_280)).only(b.DepositWithdrawn)
    assert (told.amount_micros, told.deposit_micros) == (876_280, 123_720)


def test_a_blocked_debtor_pays_out_of_its_deposit(funded: Books) -> None:
    payable_id = owing(funded)
    funded.chain.advance_to(outstanding(funded, payable_id)[2] + 15 * DAY)
    for _ in range(2):
        funded.send("PaymentBook", advance(payable_id))
    paid = funded.send(CREDIT, application(funded, payable_id))
    assert paid.only(b.PaymentReceived).amount_micros == DEPOSIT
    assert paid.only(b.DepositApplied).limit_micros == OWED
    assert exposure(funded, GB) == outstanding(funded, payable_id)[0]
    assert (holds(funded, CREDIT), held(funded)) == (0, (0, OWED))


def test_anyone_has_the_deposit_pay_a_terminated_payable(funded: Books) -> None:
    payable_id = owing(funded)
    terminate(funded, payable_id)
    before = holds(funded, PAYEE)
    paid = funded.send(CREDIT, seizure(funded, payable_id), account=7).only(b.PaymentReceived)
    assert (paid.amount_micros, holds(funded, PAYEE) - before) == (DEPOSIT, DEPOSIT)
    assert held(funded) == (0, OWED)


def test_no_more_of_the_deposit_is_taken_than_is_owed(funded: Books) -> None:
    payable_id = owing(funded)
    deposit(funded, 3 * OWED)
    terminate(funded, payable_id)
    paid = funded.send(CREDIT, seizure(funded, payable_id)).only(b.PaymentReceived)
    assert paid.outstanding_micros == 0
    assert held(funded)[0] == DEPOSIT + 3 * OWED - paid.amount_micros == holds(funded, CREDIT)


def test_a_token_that_keeps_a_fee_counts_by_what_arrived(funded: Books, odd_tokens: Any) -> None:
    name = next(name for name in odd_tokens if "Fee" in name)
    list_odd(funded, name, odd_tokens[name])
    endow(funded, name)
    told = deposit(funded, token=name).only(b.DepositReceived)
    assert told.amount_micros == holds(funded, CREDIT, name) < DEPOSIT
