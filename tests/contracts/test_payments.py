"""What counts as paid, and how much interest comes first?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.solidity import compile_sources
from ledger.chain import bindings as b
from ledger.chain.abi import address_bytes, keccak
from ledger.identity import Address
from tests.contracts.books import CN, DAY, EUR, GB, NEVER, US, USD, Books, Carrier, refused
from tests.contracts.month import confirm, confirmation, decide, exposure, outstanding, owe

BOOK = "PaymentBook"
OWED = 10_000_000
DEBTOR, PAYEE = 1, 2
"""Accounts: who sends the token, where the creditor wants it."""
MONTH = 30 * DAY


@pytest.fixture(scope="session")
def odd_tokens() -> Mapping[str, bytes]:
    """Creation code of tokens as they should not be."""
    source = (Path(__file__).parent / "Tokens.sol").read_text()
    compiled = compile_sources({"tests/contracts/Tokens.sol": source}).artifacts
    return {name: artifact.bytecode for name, artifact in compiled.items()}


@pytest.fixture
def owing(books: Books) -> tuple[Books, bytes]:
    """CN-T owes GB-B 10 by one payable; GB-B named its payee and CN-T's account holds 1000 of the token."""
    payable_id = owe(books, OWED)
    books.send(BOOK, set_payee(books, GB, books.accounts[PAYEE]))
    endow(books, "USD")
    return books, payable_id


def endow(books: Books, token: str) -> None:
    """The debtor's account holds the token and lets the settlement book move it."""
    books.send(token, b.calldata_settlement_token_mint(books.accounts[DEBTOR], 1_000_000_000))
    books.send(token, b.calldata_settlement_token_approve(books.addresses[BOOK], 1_000_000_000), DEBTOR)


def list_odd(books: Books, name: str, code: bytes) -> Address:
    """Deploy an odd token, have the members list it for USD, endow the debtor with it."""
    token = books.deploy(name, code=code)
    decide(books, b.calldata_carrier_registry_list_token(token, USD))
    endow(books, name)
    return token


def set_payee(books: Books, carrier: Carrier, payee: Address, nonce: int = 1, signer: Carrier | None = None) -> bytes:
    change = b.PayeeChange(carrier.id, payee, nonce, NEVER)
    return b.calldata_payment_book_set_payee(change, books.signed(signer or carrier, change, BOOK))


def pay(books: Books, payable_id: bytes, amount_micros: int, token: str = "USD") -> bytes:
    return b.calldata_payment_book_pay(payable_id, books.addresses[token], amount_micros)


def held(books: Books, account: int, token: str = "USD") -> int:
    call = b.calldata_settlement_token_balance_of(books.accounts[account])
    return b.result_settlement_token_balance_of(books.call(token, call))


def advance_past_due(books: Books, payable_id: bytes, seconds: int) -> None:
    books.chain.advance_to(outstanding(books, payable_id)[2] + seconds)


# REFUSALS: PAYEES


@pytest.mark.parametrize("nonce", [0, 2])
def test_payees_change_without_a_gap(books: Books, nonce: int) -> None:
    with refused(b.PayeeNonceUnexpected(1, nonce)):
        books.call(BOOK, set_payee(books, GB, books.accounts[PAYEE], nonce))


def test_only_the_carrier_says_where_its_money_goes(books: Books) -> None:
    with refused(b.SignerNotAuthorised(GB.id, CN.address)):
        books.call(BOOK, set_payee(books, GB, books.accounts[DEBTOR], signer=CN))


def test_a_payee_changed_after_its_deadline_is_refused(books: Books) -> None:
    change = b.PayeeChange(GB.id, books.accounts[PAYEE], 1, books.now() - 1)
    with pytest.raises(b.DeadlinePassed):
        books.call(BOOK, b.calldata_payment_book_set_payee(change, books.signed(GB, change, BOOK)))


# REFUSALS: TOKENS


def test_nothing_is_paid_on_an_unknown_payable(owing: tuple[Books, bytes]) -> None:
    books, _ = owing
    unknown = keccak(b"unknown")
    for calldata in (pay(books, unknown, 1), confirm(books, GB, confirmation(unknown, 1))):
        with refused(b.PayableUnknown(unknown)):
            books.call(BOOK, calldata, DEBTOR)


def test_only_a_listed_token_of_the_currency_pays(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    with refused(b.TokenNotListed(books.addresses["EUR"], USD)):
        books.call(BOOK, pay(books, payable_id, 1, "EUR"), DEBTOR)
    decide(books, b.calldata_carrier_registry_list_token(books.addresses["EUR"], EUR))
    with refused(b.TokenNotListed(books.addresses["EUR"], USD)):
        books.call(BOOK, pay(books, payable_id, 1, "EUR"), DEBTOR)


def test_without_a_payee_no_token_is_sent(books: Books) -> None:
    payable_id = owe(books, OWED)
    endow(books, "USD")
    with refused(b.PayeeUnknown(GB.id)):
        books.call(BOOK, pay(books, payable_id, 1), DEBTOR)


@pytest.mark.parametrize("by", ["token", "word"])
def test_nothing_and_more_than_is_owed_are_refused(owing: tuple[Books, bytes], by: str) -> None:
    books, payable_id = owing

    def paying(amount: int) -> bytes:
        if by == "token":
            return pay(books, payable_id, amount)
        return confirm(books, GB, confirmation(payable_id, amount))

    with refused(b.AmountZero()):
        books.call(BOOK, paying(0), DEBTOR)
    with refused(b.Overpayment(OWED, OWED + 1)):
        books.call(BOOK, paying(OWED + 1), DEBTOR)
    books.send(BOOK, paying(OWED), DEBTOR)
    with refused(b.PayableAlreadyPaid(payable_id)):
        books.call(BOOK, paying(1), DEBTOR)


def test_a_sender_without_the_money_pays_nothing(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    with pytest.raises(b.ERC20InsufficientAllowance):
        books.call(BOOK, pay(books, payable_id, 1), account=4)


def test_a_token_that_moves_nothing_pays_nothing(owing: tuple[Books, bytes], odd_tokens: Mapping[str, bytes]) -> None:
    books, payable_id = owing
    false_token = list_odd(books, "FalseToken", odd_tokens["FalseToken"])
    with refused(b.SafeERC20FailedOperation(false_token)):
        books.call(BOOK, pay(books, payable_id, 1, "FalseToken"), DEBTOR)
    list_odd(books, "IdleToken", odd_tokens["IdleToken"])
    with refused(b.AmountZero()):
        books.call(BOOK, pay(books, payable_id, 1, "IdleToken"), DEBTOR)


def test_paying_oneself_pays_nothing(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    books.send(BOOK, set_payee(books, GB, books.accounts[DEBTOR], nonce=2))
    with refused(b.AmountZero()):
        books.call(BOOK, pay(books, payable_id, 1), DEBTOR)


def test_a_token_that_gives_more_than_was_sent_cannot_overpay(
    owing: tuple[Books, bytes], odd_tokens: Mapping[str, bytes]
) -> None:
    books, payable_id = owing
    list_odd(books, "BonusToken", odd_tokens["BonusToken"])
    with refused(b.Overpayment(OWED, 2 * OWED)):
        books.call(BOOK, pay(books, payable_id, OWED, "BonusToken"), DEBTOR)


def test_a_token_cannot_pay_from_inside_its_payment(
    owing: tuple[Books, bytes], odd_tokens: Mapping[str, bytes]
) -> None:
    books, payable_id = owing
    list_odd(books, "ReenteringToken", odd_tokens["ReenteringToken"])
    aim = keccak(b"aim(address,bytes32)")[:4] + address_bytes(books.addresses[BOOK]).rjust(32, b"\0") + payable_id
    books.send("ReenteringToken", aim)
    with refused(b.ReentrancyGuardReentrantCall()):
        books.call(BOOK, pay(books, payable_id, 1, "ReenteringToken"), DEBTOR)


# REFUSALS: THE CREDITOR'S WORD


@pytest.mark.parametrize("signer", [CN, US], ids=["the debtor", "a third carrier"])
def test_only_the_creditor_confirms(owing: tuple[Books, bytes], signer: Carrier) -> None:
    books, payable_id = owing
    with refused(b.SignerNotAuthorised(GB.id, signer.address)):
        books.call(BOOK, confirm(books, signer, confirmation(payable_id, 1)))


def test_a_bank_reference_counts_once(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    books.send(BOOK, confirm(books, GB, confirmation(payable_id, 1)))
    with refused(b.BankReferenceUsed(keccak(b"SWIFT 1"))):
        books.call(BOOK, confirm(books, GB, confirmation(payable_id, 2)))
    books.call(BOOK, confirm(books, GB, confirmation(payable_id, 2, "SWIFT 2")))


def test_a_confirmation_after_its_deadline_is_refused(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    late = b.PaymentConfirmation(payable_id, 1, keccak(b"SWIFT 1"), books.now() - 1)
    with pytest.raises(b.DeadlinePassed):
        books.call(BOOK, confirm(books, GB, late))


# WHAT IS RIGHT


def test_a_payment_goes_from_the_sender_to_the_payee_and_off_the_exposure(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    paid = books.send(BOOK, pay(books, payable_id, 4_000_000), DEBTOR).only(b.PaymentReceived)
    assert (paid.amount_micros, paid.interest_micros, paid.outstanding_micros) == (4_000_000, 0, 6_000_000)
    assert paid.token == books.addresses["USD"]
    assert held(books, PAYEE) == 4_000_000
    assert exposure(books, GB) == outstanding(books, payable_id)[0] == 6_000_000


def test_a_confirmed_payment_carries_its_bank_reference(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    paid = books.send(BOOK, confirm(books, GB, confirmation(payable_id, OWED))).only(b.PaymentReceived)
    assert (paid.bank_reference, paid.token) == (keccak(b"SWIFT 1"), "0x" + "00" * 20)
    assert exposure(books, GB) == outstanding(books, payable_id)[0] == 0


def test_what_a_token_keeps_for_itself_is_not_credited(
    owing: tuple[Books, bytes], odd_tokens: Mapping[str, bytes]
) -> None:
    books, payable_id = owing
    list_odd(books, "FeeToken", odd_tokens["FeeToken"])
    paid = books.send(BOOK, pay(books, payable_id, 1_000_000, "FeeToken"), DEBTOR).only(b.PaymentReceived)
    assert (paid.amount_micros, paid.outstanding_micros) == (900_000, OWED - 900_000)


def test_a_token_that_returns_nothing_pays(owing: tuple[Books, bytes], odd_tokens: Mapping[str, bytes]) -> None:
    books, payable_id = owing
    list_odd(books, "SilentToken", odd_tokens["SilentToken"])
    paid = books.send(BOOK, pay(books, payable_id, 1_000_000, "SilentToken"), DEBTOR).only(b.PaymentReceived)
    assert paid.amount_micros == 1_000_000


def test_no_interest_runs_before_the_due_date(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    advance_past_due(books, payable_id, 0)
    assert outstanding(books, payable_id)[:2] == (OWED, 0)


@pytest.mark.parametrize(
    ("seconds", "interest"),
    [(MONTH, 150_000), (2 * MONTH, 300_000), (DAY, 5_000), (17, 0), (18, 1), (MONTH - 1, 149_999)],
)
def test_interest_is_simple_and_rounded_down(owing: tuple[Books, bytes], seconds: int, interest: int) -> None:
    """1.5 % of 10 for each 30 days: one micro every 17.28 seconds."""
    books, payable_id = owing
    due_at = outstanding(books, payable_id)[2]
    call = b.calldata_payment_book_interest_micros(payable_id, due_at + seconds)
    assert b.result_payment_book_interest_micros(books.call(BOOK, call)) == interest


def test_interest_is_paid_first_and_stops_on_what_is_paid(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    due_at = outstanding(books, payable_id)[2]
    books.chain.advance_to(due_at + MONTH)
    first = books.send(BOOK, pay(books, payable_id, 100_000), DEBTOR).only(b.PaymentReceived)
    assert (first.interest_micros, first.outstanding_micros) == (100_000, OWED)
    second = books.send(BOOK, pay(books, payable_id, 5_050_000), DEBTOR).only(b.PaymentReceived)
    assert 50_000 <= second.interest_micros <= 50_002, "at most half a minute later"
    left = second.outstanding_micros
    assert left == OWED - (5_050_000 - second.interest_micros)
    call = b.calldata_payment_book_interest_micros(payable_id, second.paid_at + MONTH)
    carried = b.result_payment_book_interest_micros(books.call(BOOK, call))
    assert left * 150 // 10_000 <= carried <= left * 150 // 10_000 + 1, "what was rounded off is not lost"


def test_paying_by_the_micro_escapes_no_interest(owing: tuple[Books, bytes]) -> None:
    """Ten payments of one micro, each before a whole micro of interest is due on the rest."""
    books, payable_id = owing
    due_at = outstanding(books, payable_id)[2]
    principal_seconds = 0
    last = due_at
    for step in range(1, 11):
        books.chain.advance_to(due_at + 10 * step)
        principal = outstanding(books, payable_id)[0]
        paid = books.send(BOOK, pay(books, payable_id, 1), DEBTOR).only(b.PaymentReceived)
        principal_seconds += principal * (paid.paid_at - last)
        last = paid.paid_at
    owed = principal_seconds * 150 // (10_000 * MONTH)
    principal, interest, _, _ = outstanding(books, payable_id)
    assert OWED + owed - 10 <= principal + interest <= OWED + owed - 10 + 1
    assert owed >= 5


def test_the_whole_of_principal_and_interest_ends_it(owing: tuple[Books, bytes]) -> None:
    books, payable_id = owing
    advance_past_due(books, payable_id, MONTH)
    word = books.send(BOOK, confirm(books, GB, confirmation(payable_id, 10_150_000))).only(b.PaymentReceived)
    principal, interest, _, _ = outstanding(books, payable_id)
    assert (word.outstanding_micros, principal) == (principal, word.interest_micros - 150_000)
    if principal:
        books.send(BOOK, confirm(books, GB, confirmation(payable_id, principal + interest, "SWIFT 2")))
    assert outstanding(books, payable_id)[:2] == (0, 0)
    assert exposure(books, GB) == 0
