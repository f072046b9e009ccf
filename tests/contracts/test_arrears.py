"""What happens to a debtor that is late, and how does it come back?"""

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from tests.contracts.books import CN, CN_GB, DAY, GB, Books, agreement_id, refused
from tests.contracts.month import (
    advance,
    agree,
    close_both,
    confirm,
    confirmation,
    cycle,
    decide,
    declaration,
    declare,
    items_of,
    leg,
    line,
    net,
    outstanding,
    owe,
    pay_off,
    post,
    statement,
)

BOOK = "SettlementBook"
AGREED = agreement_id(CN_GB)
OWED = 10_000_000
Stage = b.ArrearsStage


@pytest.fixture
def owing(books: Books) -> tuple[Books, bytes, int]:
    """CN-T owes GB-B 10: the payable and its due date."""
    payable_id = owe(books, OWED)
    return books, payable_id, outstanding(books, payable_id)[2]


def climb(books: Books, payable_id: bytes, due_at: int, stage: b.ArrearsStage) -> None:
    """Take the payable up to a stage, each step on its day."""
    for step, days in ((Stage.OVERDUE, 0), (Stage.CREDIT_STOPPED, 15), (Stage.TERMINATED, 45)):
        if step <= stage:
            books.chain.advance_to(max(books.now(), due_at + days * DAY + 1))
            books.send("PaymentBook", advance(payable_id))


def is_stopped(books: Books) -> bool:
    found = books.call("CreditBook", b.calldata_credit_book_line_of(AGREED, GB.id))
    return b.result_credit_book_line_of(found).stopped


def november() -> b.Declaration:
    """The next traffic GB-B would declare."""
    return declaration(GB, GB, seq=2, period=202611, amount_micros=1)


# REFUSALS


def test_there_are_no_arrears_of_an_unknown_payable(books: Books) -> None:
    with refused(b.PayableUnknown(keccak(b"unknown"))):
        books.call("PaymentBook", advance(keccak(b"unknown")))


def test_on_its_due_date_a_payable_is_not_overdue(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    books.chain.advance_to(due_at - 60)
    with pytest.raises(b.NotOverdue) as caught:
        books.call("PaymentBook", advance(payable_id))
    assert caught.value.due_at == due_at


@pytest.mark.parametrize(
    ("stage", "following", "days"),
    [(Stage.OVERDUE, Stage.CREDIT_STOPPED, 15), (Stage.CREDIT_STOPPED, Stage.TERMINATED, 45)],
)
def test_the_next_step_waits_for_its_day(
    owing: tuple[Books, bytes, int], stage: b.ArrearsStage, following: b.ArrearsStage, days: int
) -> None:
    books, payable_id, due_at = owing
    climb(books, payable_id, due_at, stage)
    books.chain.advance_to(due_at + days * DAY - 60)
    with pytest.raises(b.ArrearsNotReady) as caught:
        books.call("PaymentBook", advance(payable_id))
    assert (caught.value.stage, caught.value.ready_at) == (following, due_at + days * DAY)
    books.chain.advance_to(due_at + days * DAY)
    books.call("PaymentBook", advance(payable_id))


def test_after_the_end_there_is_no_step(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    climb(books, payable_id, due_at, Stage.TERMINATED)
    with refused(b.ArrearsComplete(payable_id)):
        books.call("PaymentBook", advance(payable_id))


def test_what_is_paid_is_never_late(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    books.send("PaymentBook", confirm(books, GB, confirmation(payable_id, OWED)))
    books.chain.advance_to(due_at + DAY)
    with refused(b.PayableAlreadyPaid(payable_id)):
        books.call("PaymentBook", advance(payable_id))


def test_stopped_credit_takes_no_declaration_whatever_the_line(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    climb(books, payable_id, due_at, Stage.CREDIT_STOPPED)
    with refused(b.CreditIsStopped(AGREED, GB.id)):
        books.call("UsageLedger", declare(books, november()))


# WHAT IS RIGHT


def test_anyone_may_advance_and_the_figures_are_told(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    books.chain.advance_to(due_at + DAY)
    told = books.send("PaymentBook", advance(payable_id), account=6).only(b.ArrearsAdvanced)
    assert (told.stage, told.outstanding_micros) == (Stage.OVERDUE, OWED)
    assert told.interest_micros == OWED * 150 * (told.advanced_at - due_at) // (10_000 * 30 * DAY)


def test_the_ladder_is_climbed_step_by_step(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    books.chain.advance_to(due_at + 100 * DAY)
    stages = [books.send("PaymentBook", advance(payable_id)).only(b.ArrearsAdvanced).stage for _ in range(3)]
    assert stages == [Stage.OVERDUE, Stage.CREDIT_STOPPED, Stage.TERMINATED]
    assert outstanding(books, payable_id)[3] is Stage.TERMINATED


def test_only_the_late_direction_is_stopped(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    climb(books, payable_id, due_at, Stage.CREDIT_STOPPED)
    assert is_stopped(books)
    books.call("UsageLedger", declare(books, declaration(CN, CN, period=202611)))
    books.call("UsageLedger", declare(books, declaration(CN, GB, seq=2, period=202611)))


def test_a_stopped_debtor_can_pay_and_its_credit_resumes(owing: tuple[Books, bytes, int]) -> None:
    books, payable_id, due_at = owing
    climb(books, payable_id, due_at, Stage.CREDIT_STOPPED)
    books.send("PaymentBook", confirm(books, GB, confirmation(payable_id, 1_000_000)))
    assert is_stopped(books)
    pay_off(books, payable_id)
    assert not is_stopped(books)
    books.call("UsageLedger", declare(books, november()))


def test_credit_resumes_only_with_the_last_late_payable(owing: tuple[Books, bytes, int]) -> None:
    """October's and November's payables are both late; paying one is not enough."""
    books, first, due_at = owing
    second = november_payable(books)
    for payable_id in (first, second):
        climb(books, payable_id, max(due_at, outstanding(books, payable_id)[2]), Stage.CREDIT_STOPPED)
    pay_off(books, first)
    assert is_stopped(books)
    pay_off(books, second)
    assert not is_stopped(books)


def test_a_leg_passes_a_stopped_credit(owing: tuple[Books, bytes, int]) -> None:
    """What was declared before the stop is still netted and becomes payable."""
    books, payable_id, due_at = owing
    post(books, GB, GB, 3_000_000, period=202611)
    close_both(books, period=202611)
    agreed = books.send(BOOK, agree(books, statement(line(GB, 3_000_000, 0), period=202611)))
    climb(books, payable_id, due_at, Stage.CREDIT_STOPPED)
    netting = cycle(items_of([agreed]), leg(CN_GB, GB, 3_000_000))
    assert books.send(BOOK, net(books, netting, CN, GB)).only(b.PayableOpened).amount_micros == 3_000_000
    assert is_stopped(books)


def november_payable(books: Books) -> bytes:
    post(books, GB, GB, 3_000_000, period=202611)
    close_both(books, period=202611)
    agreed = books.send(BOOK, agree(books, statement(line(GB, 3_000_000, 0), period=202611)))
    netting = cycle(items_of([agreed]), leg(CN_GB, GB, 3_000_000))
    payable_id: bytes = books.send(BOOK, net(books, netting, CN, GB)).only(b.PayableOpened).payable_id
    return payable_id


def test_a_suspended_creditor_can_still_be_paid(owing: tuple[Books, bytes, int]) -> None:
    """Suspension stops new business, never the settlement of what stands."""
    books, payable_id, _ = owing
    decide(books, b.calldata_carrier_registry_suspend(GB.id))
    with refused(b.CarrierNotActive(GB.id)):
        books.call("UsageLedger", declare(books, november()))
    books.send("PaymentBook", confirm(books, GB, confirmation(payable_id, OWED)))
    assert outstanding(books, payable_id)[0] == 0
