"""Do dates bind to the second? In memory, where a block has exactly the time the test says."""

from collections.abc import Iterator

import pytest

from ledger.chain import bindings as b
from tests.contracts.books import CN, CN_GB, CN_US, DAY, GB, SEPTEMBER, US, Books, deploy_books, refused
from tests.contracts.memory_chain import MemoryChain
from tests.contracts.month import (
    advance,
    close_both,
    cycle,
    declaration,
    declare,
    items_of,
    leg,
    line,
    net,
    outstanding,
    owe,
    post,
    settle_month,
    statement,
    with_agreements,
)
from tests.contracts.planting import PLANTED

BOOK = "SettlementBook"


@pytest.fixture(scope="module")
def deployed(pytestconfig: pytest.Config) -> Books:
    """The carriers on 1 November; with a fault in it if one is planted."""
    books = deploy_books(MemoryChain(SEPTEMBER), pytestconfig.stash.get(PLANTED, {}))
    with_agreements(books)
    return books


@pytest.fixture
def exact(deployed: Books) -> Iterator[Books]:
    """They, undone after every test."""
    before = deployed.chain.snapshot()
    yield deployed
    deployed.chain.revert(before)


def test_silence_accepts_in_the_agreed_second_and_not_in_the_one_before(exact: Books) -> None:
    for declarer in (GB, CN):
        post(exact, declarer, GB, 10_000_000)
    close_both(exact)
    drawn = statement(line(GB, 10_000_000, 10_000_000))
    word = exact.signed(GB, drawn, BOOK)
    proposed = exact.send(BOOK, b.calldata_settlement_book_propose_statement(drawn, GB.id, word))
    accepted_at = proposed.only(b.StatementProposed).proposed_at + 60 * DAY
    accept = b.calldata_settlement_book_accept_by_silence(drawn)
    exact.chain.advance_to(accepted_at - 1)
    with refused(b.SilenceNotOver(accepted_at, accepted_at - 1)):
        exact.call(BOOK, accept)
    exact.chain.advance_to(accepted_at)
    assert exact.call(BOOK, accept) == b""


def test_a_deadline_binds_after_its_second(exact: Books) -> None:
    declared = declaration(GB, GB, deadline=exact.now() + 5)
    exact.chain.advance_to(declared.deadline)
    assert exact.call("UsageLedger", declare(exact, declared))
    exact.chain.advance_to(declared.deadline + 1)
    with refused(b.DeadlinePassed(declared.deadline, declared.deadline + 1)):
        exact.call("UsageLedger", declare(exact, declared))


def test_the_ladder_has_a_second_for_each_step(exact: Books) -> None:
    payable_id = owe(exact, 10_000_000)
    due_at = outstanding(exact, payable_id)[2]
    exact.chain.advance_to(due_at)
    with refused(b.NotOverdue(payable_id, due_at, due_at)):
        exact.call("PaymentBook", advance(payable_id))
    exact.send("PaymentBook", advance(payable_id))
    for stage, days in ((b.ArrearsStage.CREDIT_STOPPED, 15), (b.ArrearsStage.TERMINATED, 45)):
        ready_at = due_at + days * DAY
        exact.chain.advance_to(ready_at - 1)
        with refused(b.ArrearsNotReady(payable_id, stage, ready_at, ready_at - 1)):
            exact.call("PaymentBook", advance(payable_id))
        advanced = exact.send("PaymentBook", advance(payable_id)).only(b.ArrearsAdvanced)
        assert (advanced.stage, exact.now()) == (stage, ready_at)


@pytest.mark.parametrize("first", [CN_GB, CN_US], ids=["the low item later", "the low item earlier"])
def test_a_cycle_falls_due_with_its_last_item(exact: Books, first: b.Terms) -> None:
    """CN-T is owed by US-A what it owes GB-B: one leg remains, and it waits for both items."""
    owed = {CN_GB: (0, 10_000_000), CN_US: (10_000_000, 0)}
    settled = [settle_month(exact, first, *owed.pop(first))]
    exact.chain.advance_to(exact.now() + 3 * DAY)
    ((second, amounts),) = owed.items()
    settled.append(settle_month(exact, second, *amounts))
    due = [receipt.only(b.ItemOpened).due_at for receipt in settled]
    assert due[1] - due[0] > 3 * DAY
    legs = leg(CN_GB, GB, 10_000_000), leg(CN_US, CN, 10_000_000)
    receipt = exact.send(BOOK, net(exact, cycle(items_of(settled), *legs), CN, GB, US))
    assert [opened.due_at for opened in receipt.all(b.PayableOpened)] == [due[1]] * 2
