"""What may a debtor dispute, and how does a dispute end?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import ascii32
from ledger.service import Service
from tests.contracts.books import CN, CN_GB, DAY, GB, NEVER, PERIOD, US, Books, Carrier, agreement_id, refused
from tests.contracts.month import (
    agree,
    close,
    close_both,
    dispute,
    exposure,
    line,
    open_dispute,
    period_close,
    post,
    resolve,
    statement,
)

BOOK = "SettlementBook"
RATE = ascii32("rate")
AGREED = agreement_id(CN_GB)
State = b.DisputeState


@pytest.fixture
def closed(books: Books) -> Books:
    """GB-B declared 10, CN-T declared 9 of it; both have closed October."""
    declare_and_close(books)
    return books


@pytest.fixture
def disputed(closed: Books) -> tuple[Books, bytes]:
    """CN-T disputes 1 of the 10."""
    return closed, opened(closed, dispute(GB, 1_000_000))


def declare_and_close(books: Books) -> None:
    post(books, GB, GB, 10_000_000)
    post(books, CN, GB, 9_000_000)
    close_both(books)


def opened(books: Books, raised: b.Dispute) -> bytes:
    dispute_id: bytes = books.send(BOOK, open_dispute(books, CN, raised)).only(b.DisputeOpened).dispute_id
    return dispute_id


def withdraw(books: Books, signer: Carrier, withdrawal: b.Withdrawal) -> bytes:
    return b.calldata_settlement_book_withdraw_dispute(withdrawal, books.signed(signer, withdrawal, BOOK))


def investigate(books: Books, signer: Carrier, investigation: b.Investigation) -> bytes:
    return b.calldata_settlement_book_investigate(investigation, books.signed(signer, investigation, BOOK))


def state_of(books: Books, dispute_id: bytes) -> b.DisputeState:
    call = b.calldata_settlement_book_dispute_of(dispute_id)
    return b.result_settlement_book_dispute_of(books.call(BOOK, call)).state


def withheld(books: Books) -> int:
    call = b.calldata_settlement_book_withheld_micros(AGREED, PERIOD, GB.id, Service.VOICE)
    return b.result_settlement_book_withheld_micros(books.call(BOOK, call))


def agree_with(books: Books, withheld_micros: int) -> None:
    drawn = statement(line(GB, 10_000_000, 9_000_000, withheld=withheld_micros))
    books.send(BOOK, agree(books, drawn))


# REFUSALS: OPENING


def test_no_dispute_before_both_have_closed(books: Books) -> None:
    post(books, GB, GB, 10_000_000)
    calldata = open_dispute(books, CN, dispute(GB, 1))
    with refused(b.PeriodNotClosed(AGREED, GB.id, PERIOD)):
        books.call(BOOK, calldata)
    books.send("UsageLedger", close(books, period_close(books, GB)))
    with refused(b.PeriodNotClosed(AGREED, CN.id, PERIOD)):
        books.call(BOOK, calldata)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount_micros": 0}, b.AmountZero()),
        ({"amount_micros": 10_000_001}, b.DisputeTooLarge(10_000_000, 10_000_001)),
        ({"service": Service.SMS}, b.DisputeTooLarge(0, 1_000_000)),
        ({"creditor": US.id}, b.NotAParty(AGREED, US.id)),
        ({"period": 202611}, b.PeriodNotClosed(AGREED, GB.id, 202611)),
    ],
)
def test_a_dispute_that_does_not_fit_is_refused(
    closed: Books, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        closed.call(BOOK, open_dispute(closed, CN, replace(dispute(GB, 1_000_000), **changes)))


def test_only_the_debtor_disputes(closed: Books) -> None:
    with refused(b.SignerNotAuthorised(CN.id, GB.address)):
        closed.call(BOOK, open_dispute(closed, GB, dispute(GB, 1)))


def test_a_dispute_after_its_deadline_is_refused(closed: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        closed.call(BOOK, open_dispute(closed, CN, dispute(GB, 1, deadline=closed.now() - 1)))


def test_the_same_dispute_is_opened_once(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    with refused(b.DisputeAlreadyOpen(dispute_id)):
        books.call(BOOK, open_dispute(books, CN, dispute(GB, 1_000_000)))


@pytest.mark.parametrize("changes", [{"nonce": 2}, {"evidence_hash": keccak(b"more")}, {"amount_micros": 1}])
def test_one_thing_has_one_open_dispute(disputed: tuple[Books, bytes], changes: Mapping[str, Any]) -> None:
    books, dispute_id = disputed
    with refused(b.DisputeAlreadyOpen(dispute_id)):
        books.call(BOOK, open_dispute(books, CN, dispute(GB, **{"amount_micros": 1_000_000} | changes)))


def test_the_word_of_a_withdrawn_dispute_opens_it_no_more(disputed: tuple[Books, bytes]) -> None:
    """Whoever kept the signature cannot play it again."""
    books, dispute_id = disputed
    books.send(BOOK, withdraw(books, CN, b.Withdrawal(dispute_id, NEVER)))
    with refused(b.DisputeAlreadyOpen(dispute_id)):
        books.call(BOOK, open_dispute(books, CN, dispute(GB, 1_000_000)))


def test_what_was_decided_is_not_disputed_again(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 0, NEVER)))
    with refused(b.DisputeAlreadyOpen(dispute_id)):
        books.call(BOOK, open_dispute(books, CN, dispute(GB, 1_000_000, nonce=2)))


def test_all_disputes_together_stay_within_what_was_declared(disputed: tuple[Books, bytes]) -> None:
    books, _ = disputed
    with refused(b.DisputeTooLarge(10_000_000, 10_000_001)):
        books.call(BOOK, open_dispute(books, CN, dispute(GB, 9_000_001, reason=RATE)))
    books.call(BOOK, open_dispute(books, CN, dispute(GB, 9_000_000, reason=RATE)))


def test_disputes_of_one_direction_are_counted(closed: Books) -> None:
    """Those withdrawn too: who opens and withdraws comes to the limit as well."""
    for nonce in range(63):
        dispute_id = opened(closed, dispute(GB, 1, nonce=nonce))
        closed.send(BOOK, withdraw(closed, CN, b.Withdrawal(dispute_id, NEVER)))
    opened(closed, dispute(GB, 1, nonce=63))
    with refused(b.DisputeLimitReached(64)):
        closed.call(BOOK, open_dispute(closed, CN, dispute(GB, 1, reason=RATE)))


def test_what_is_agreed_is_disputed_no_more(closed: Books) -> None:
    agree_with(closed, 0)
    with refused(b.DisputeTooLate(AGREED, PERIOD)):
        closed.call(BOOK, open_dispute(closed, CN, dispute(GB, 1)))


# REFUSALS: ENDING


def test_nothing_is_done_about_an_unknown_dispute(closed: Books) -> None:
    unknown = keccak(b"unknown")
    for calldata in (
        investigate(closed, GB, b.Investigation(unknown, NEVER)),
        withdraw(closed, CN, b.Withdrawal(unknown, NEVER)),
        resolve(closed, GB, CN, b.Resolution(unknown, 1, 0, NEVER)),
    ):
        with refused(b.DisputeUnknown(unknown)):
            closed.call(BOOK, calldata)


@pytest.mark.parametrize(("credited", "due"), [(0, 0), (1_000_000, 1), (999_999, 0), (2**128 - 1, 2**128 - 1)])
def test_a_resolution_splits_exactly_what_was_disputed(disputed: tuple[Books, bytes], credited: int, due: int) -> None:
    books, dispute_id = disputed
    with refused(b.ResolutionMismatch(1_000_000, credited + due)):
        books.call(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, credited, due, NEVER)))


def test_each_step_is_signed_by_whom_it_belongs_to(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    resolution = b.Resolution(dispute_id, 1_000_000, 0, NEVER)
    for calldata, carrier, signer in (
        (investigate(books, CN, b.Investigation(dispute_id, NEVER)), GB, CN),
        (withdraw(books, GB, b.Withdrawal(dispute_id, NEVER)), CN, GB),
        (resolve(books, CN, GB, resolution), GB, CN),
        (resolve(books, GB, GB, resolution), CN, GB),
    ):
        with refused(b.SignerNotAuthorised(carrier.id, signer.address)):
            books.call(BOOK, calldata)


def test_each_step_is_taken_before_its_deadline(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    past = books.now() - 1
    for calldata in (
        investigate(books, GB, b.Investigation(dispute_id, past)),
        withdraw(books, CN, b.Withdrawal(dispute_id, past)),
        resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 0, past)),
    ):
        with pytest.raises(b.DeadlinePassed):
            books.call(BOOK, calldata)


def test_what_is_over_stays_over(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 0, NEVER)))
    for calldata in (
        investigate(books, GB, b.Investigation(dispute_id, NEVER)),
        withdraw(books, CN, b.Withdrawal(dispute_id, NEVER)),
        resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 0, NEVER)),
    ):
        with refused(b.DisputeStateUnexpected(dispute_id, State.CREDITED)):
            books.call(BOOK, calldata)


# WHAT IS RIGHT


def test_a_dispute_is_told_with_its_reason_and_evidence(closed: Books) -> None:
    raised = dispute(GB, 1_000_000)
    told = closed.send(BOOK, open_dispute(closed, CN, raised)).only(b.DisputeOpened)
    assert (told.reason, told.evidence_hash, told.amount_micros) == (raised.reason, raised.evidence_hash, 1_000_000)
    assert told.dispute_id == closed.digest(raised, BOOK)
    assert (state_of(closed, told.dispute_id), withheld(closed)) == (State.GENERATED, 1_000_000)


def test_the_creditor_takes_it_up(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    books.send(BOOK, investigate(books, GB, b.Investigation(dispute_id, NEVER)))
    assert state_of(books, dispute_id) is State.UNDER_INVESTIGATION
    with refused(b.DisputeStateUnexpected(dispute_id, State.UNDER_INVESTIGATION)):
        books.call(BOOK, investigate(books, GB, b.Investigation(dispute_id, NEVER - 1)))


def test_what_is_credited_leaves_the_exposure(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    agree_with(books, 1_000_000)
    receipt = books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 0, NEVER)))
    assert exposure(books, GB) == 9_000_000
    assert receipt.all(b.ItemOpened) == []
    assert state_of(books, dispute_id) is State.CREDITED


def test_what_is_due_opens_an_item_of_its_own(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    agree_with(books, 1_000_000)
    receipt = books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 400_000, 600_000, NEVER)))
    item = receipt.only(b.ItemOpened)
    assert (item.source, item.amount_micros, item.due_at) == (dispute_id, 600_000, books.now() + 30 * DAY)
    assert exposure(books, GB) == 9_600_000
    assert state_of(books, dispute_id) is State.PAYMENT_DUE


def test_a_dispute_withdrawn_before_the_statement_returns_to_it(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    receipt = books.send(BOOK, withdraw(books, CN, b.Withdrawal(dispute_id, NEVER)))
    assert (withheld(books), receipt.all(b.ItemOpened)) == (0, [])
    assert state_of(books, dispute_id) is State.WITHDRAWN
    books.call(BOOK, open_dispute(books, CN, dispute(GB, 2_000_000, nonce=2)))
    agree_with(books, 0)


def test_a_dispute_withdrawn_after_the_statement_is_payable_by_itself(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    agree_with(books, 1_000_000)
    receipt = books.send(BOOK, withdraw(books, CN, b.Withdrawal(dispute_id, NEVER)))
    assert receipt.only(b.ItemOpened).amount_micros == 1_000_000
    assert state_of(books, dispute_id) is State.WITHDRAWN
    assert exposure(books, GB) == 10_000_000


def test_what_was_resolved_before_the_statement_is_not_counted_twice(disputed: tuple[Books, bytes]) -> None:
    books, dispute_id = disputed
    resolved = books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 400_000, 600_000, NEVER)))
    assert withheld(books) == 1_000_000
    agreed = books.send(BOOK, agree(books, statement(line(GB, 10_000_000, 9_000_000, withheld=1_000_000))))
    owed = sum(event.amount_micros for receipt in (resolved, agreed) for event in receipt.all(b.ItemOpened))
    assert owed == exposure(books, GB) == 9_600_000
