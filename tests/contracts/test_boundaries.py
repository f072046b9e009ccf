"""Do dates bind to the second, and limits to the last one? In memory: a block has exactly the time the test says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.chain import bindings as b
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DAY,
    GB,
    NEVER,
    NOVEMBER,
    SEPTEMBER,
    US,
    Books,
    agreement_id,
    deploy_books,
    refused,
)
from tests.contracts.memory_chain import MemoryChain
from tests.contracts.month import (
    advance,
    close_both,
    credit_line,
    cycle,
    declaration,
    declare,
    exposure,
    grant,
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
from tests.contracts.test_amendments import amend, amendment

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


def test_an_agreement_is_amended_64_times(exact: Books) -> None:
    for version in range(2, 66):
        exact.send("AgreementBook", amend(exact, amendment(later(version), version=version)))
    with refused(b.VersionsTooMany(64)):
        exact.call("AgreementBook", amend(exact, amendment(later(66), version=66)))


def later(version: int) -> b.Terms:
    """The first terms, a day later for each version."""
    return replace(CN_GB, valid_from=NOVEMBER + version * DAY)


def test_interest_past_128_bits_is_refused_and_not_cut_off(exact: Books) -> None:
    most = 2**120 - 1
    exact.send("CreditBook", grant(exact, GB, credit_line(GB, limit_micros=most, nonce=2)))
    payable_id = owe(exact, most)
    accrued = 150 * most * (NEVER - outstanding(exact, payable_id)[2])
    with refused(b.SafeCastOverflowedUintDowncast(128, accrued // (10_000 * 30 * DAY))):
        exact.call("PaymentBook", b.calldata_payment_book_interest_micros(payable_id, NEVER))


def test_no_book_takes_more_from_an_exposure_than_there_is(exact: Books) -> None:
    """The books never try: here a stranger stands where they stand."""
    mine = replace(exact, addresses=dict(exact.addresses), domains=dict(exact.domains))
    stranger, others = mine.accounts[0], (mine.addresses[name] for name in ("CarrierRegistry", "AgreementBook"))
    mine.deploy("CreditBook", b.constructor_credit_book(*others, stranger, stranger, stranger))
    credit_of = agreement_id(CN_GB), GB.id
    mine.send("CreditBook", grant(mine, GB, credit_line(GB)))
    mine.send("CreditBook", b.calldata_credit_book_raise(*credit_of, 5))
    with refused(b.ExposureUnderflow(5, 6)):
        mine.call("CreditBook", b.calldata_credit_book_reduce(*credit_of, 6))
    mine.send("CreditBook", b.calldata_credit_book_reduce(*credit_of, 5))
    assert exposure(mine, GB) == 0


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
