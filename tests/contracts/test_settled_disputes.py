"""When is a dispute over whose amount was due? When its debtor has paid what netting left it to pay."""

from dataclasses import replace

import pytest

from ledger.chain import bindings as b
from tests.contracts.books import CN, CN_GB, CN_US, GB, GB_US, NEVER, US, Books, Receipt, agreement_id, refused
from tests.contracts.month import (
    agree,
    close_both,
    confirm,
    confirmation,
    cycle,
    dispute,
    items_of,
    leg,
    line,
    net,
    open_dispute,
    post,
    resolve,
    settle_month,
    statement,
)

BOOK, PAYMENTS = "SettlementBook", "PaymentBook"
State = b.DisputeState
Due = tuple[Books, bytes, tuple[bytes, ...]]


@pytest.fixture
def due(books: Books) -> Due:
    """Of GB-B's 10, CN-T disputed 4: 1 is credited, 3 are due. With the items of the statement and of the dispute."""
    post(books, GB, GB, 10_000_000)
    close_both(books)
    dispute_id = books.send(BOOK, open_dispute(books, CN, dispute(GB, 4_000_000))).only(b.DisputeOpened).dispute_id
    agreed = books.send(BOOK, agree(books, statement(line(GB, 10_000_000, 0, withheld=4_000_000))))
    resolved = books.send(BOOK, resolve(books, GB, CN, b.Resolution(dispute_id, 1_000_000, 3_000_000, NEVER)))
    return books, dispute_id, items_of([agreed, resolved])


def state_of(books: Books, dispute_id: bytes) -> b.DisputeState:
    call = b.calldata_settlement_book_dispute_of(dispute_id)
    return b.result_settlement_book_dispute_of(books.call(BOOK, call)).state


def pay(books: Books, payable_id: bytes, amount_micros: int, reference: str = "SWIFT 1") -> Receipt:
    word = confirmation(payable_id, amount_micros, reference)
    return books.send(PAYMENTS, confirm(books, GB, word))


def payables_of(receipt: Receipt) -> dict[tuple[bytes, bytes], bytes]:
    """Payable by agreement and creditor."""
    return {(each.agreement_id, each.creditor): each.payable_id for each in receipt.all(b.PayableOpened)}


def test_nobody_but_the_payment_book_says_that_a_leg_is_paid(due: Due) -> None:
    books, _, items = due
    netted = books.send(BOOK, net(books, cycle(items, leg(CN_GB, GB, 9_000_000)), CN, GB))
    payable_id = netted.only(b.PayableOpened).payable_id
    with refused(b.OnlyTheBooks(books.accounts[0])):
        books.call(BOOK, b.calldata_settlement_book_leg_paid(payable_id))


def test_nobody_but_the_settlement_book_opens_a_payable(books: Books) -> None:
    call = b.calldata_payment_book_open_payable(bytes(32), agreement_id(CN_GB), GB.id, CN.id, 1, NEVER)
    with refused(b.OnlyTheBooks(books.accounts[0])):
        books.call(PAYMENTS, call)


def test_a_netted_dispute_waits_for_its_payment(due: Due) -> None:
    books, dispute_id, items = due
    netted = books.send(BOOK, net(books, cycle(items, leg(CN_GB, GB, 9_000_000)), CN, GB))
    assert netted.all(b.DisputeStateChanged) == []
    payable_id = netted.only(b.PayableOpened).payable_id
    assert pay(books, payable_id, 8_999_999).all(b.DisputeStateChanged) == []
    assert state_of(books, dispute_id) is State.PAYMENT_DUE
    settled = pay(books, payable_id, 1, "SWIFT 2").only(b.DisputeStateChanged)
    assert (settled.dispute_id, settled.state, settled.due_micros) == (dispute_id, State.SETTLED, 3_000_000)
    assert state_of(books, dispute_id) is State.SETTLED


def test_a_debtor_with_two_legs_has_settled_with_the_second(due: Due) -> None:
    """CN-T owes GB-B 9, GB-B owes US-A 4: CN-T pays US-A 4 and GB-B 5."""
    books, dispute_id, items = due
    others = items_of([settle_month(books, GB_US, 0, 4_000_000)])
    netting = cycle(sorted((*items, *others)), leg(CN_GB, GB, 5_000_000), leg(CN_US, US, 4_000_000))
    owed = payables_of(books.send(BOOK, net(books, netting, CN, GB, US)))
    pay(books, owed[agreement_id(CN_GB), GB.id], 5_000_000)
    assert state_of(books, dispute_id) is State.PAYMENT_DUE
    word = confirmation(owed[agreement_id(CN_US), US.id], 4_000_000)
    books.send(PAYMENTS, confirm(books, US, word))
    assert state_of(books, dispute_id) is State.SETTLED


def test_what_others_owe_in_the_cycle_holds_no_dispute_open(due: Due) -> None:
    """GB-B owes US-A 4 beside; CN-T's own leg alone counts."""
    books, dispute_id, items = due
    others = items_of([settle_month(books, GB_US, 0, 4_000_000)])
    netting = cycle(sorted((*items, *others)), leg(CN_GB, GB, 9_000_000), leg(GB_US, US, 4_000_000))
    owed = payables_of(books.send(BOOK, net(books, netting, CN, GB, US)))
    word = confirmation(owed[agreement_id(GB_US), US.id], 4_000_000)
    books.send(PAYMENTS, confirm(books, US, word))
    assert state_of(books, dispute_id) is State.PAYMENT_DUE
    pay(books, owed[agreement_id(CN_GB), GB.id], 9_000_000)
    assert state_of(books, dispute_id) is State.SETTLED


def test_what_is_set_off_in_whole_is_paid_at_once(due: Due) -> None:
    """CN-T owes GB-B 9, GB-B owes US-A 9, US-A owes CN-T 9: no leg is left."""
    books, dispute_id, items = due
    others = items_of([settle_month(books, GB_US, 0, 9_000_000), settle_month(books, CN_US, 9_000_000, 0)])
    netted = books.send(BOOK, net(books, cycle(sorted((*items, *others))), CN, GB, US))
    settled = netted.only(b.DisputeStateChanged)
    assert (settled.dispute_id, settled.state, settled.due_micros) == (dispute_id, State.SETTLED, 3_000_000)


def test_two_disputes_of_one_cycle_are_settled_together(books: Books) -> None:
    post(books, GB, GB, 10_000_000)
    close_both(books)
    raised = [dispute(GB, 1_000_000), replace(dispute(GB, 2_000_000), reason=b"rate".ljust(32, b"\0"))]
    resolved = []
    for each in raised:
        opened = books.send(BOOK, open_dispute(books, CN, each)).only(b.DisputeOpened)
        word = b.Resolution(opened.dispute_id, 0, each.amount_micros, NEVER)
        resolved.append(books.send(BOOK, resolve(books, GB, CN, word)))
    netted = books.send(BOOK, net(books, cycle(items_of(resolved), leg(CN_GB, GB, 3_000_000)), CN, GB))
    paid = pay(books, netted.only(b.PayableOpened).payable_id, 3_000_000)
    changed = paid.all(b.DisputeStateChanged)
    assert {(each.due_micros, each.state) for each in changed} == {
        (1_000_000, State.SETTLED),
        (2_000_000, State.SETTLED),
    }
