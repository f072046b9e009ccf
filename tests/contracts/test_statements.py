"""When do two carriers have one account of a period, and what does it open?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import AgreementId, ascii32
from ledger.service import Service
from tests.contracts.books import CN, CN_GB, DAY, GB, NEVER, PERIOD, US, Books, Carrier, agreement_id, refused
from tests.contracts.month import (
    agree,
    close,
    close_both,
    dispute,
    exposure,
    license_crossings,
    line,
    open_dispute,
    period_close,
    post,
    statement,
)

BOOK = "SettlementBook"
AGREED = agreement_id(CN_GB)
TO_GB, TO_CN = line(GB, 10_000_000, 9_000_000), line(CN, 4_000_000, 4_000_000)
BOTH = statement(TO_CN, TO_GB)


@pytest.fixture
def closed(books: Books) -> Books:
    """Both have declared and closed October: 10 against 9 owed to GB-B, 4 and 4 to CN-T."""
    for declarer, creditor, amount in ((GB, GB, 10), (CN, GB, 9), (CN, CN, 4), (GB, CN, 4)):
        post(books, declarer, creditor, amount * 1_000_000)
    close_both(books)
    return books


def propose(books: Books, drawn: b.Statement, proposer: Carrier) -> bytes:
    return b.calldata_settlement_book_propose_statement(drawn, proposer.id, books.signed(proposer, drawn, BOOK))


def accept(drawn: b.Statement) -> bytes:
    return b.calldata_settlement_book_accept_by_silence(drawn)


# REFUSALS: BEFORE THE CLOSE


def test_no_statement_before_both_have_closed(books: Books) -> None:
    post(books, GB, GB, 10_000_000)
    drawn = statement(line(GB, 10_000_000, 0))
    with refused(b.PeriodNotClosed(AGREED, CN.id, PERIOD)):
        books.call(BOOK, agree(books, drawn))
    books.send("UsageLedger", close(books, period_close(books, CN)))
    for calldata in (agree(books, drawn), propose(books, drawn, GB)):
        with refused(b.PeriodNotClosed(AGREED, GB.id, PERIOD)):
            books.call(BOOK, calldata)


# REFUSALS: FIGURES


@pytest.mark.parametrize(
    ("position", "changes", "refusal"),
    [
        (1, {"creditor_micros": 9_999_999}, b.StatementLineMismatch(1, 10_000_000, 9_999_999)),
        (1, {"debtor_micros": 10_000_000}, b.StatementLineMismatch(1, 9_000_000, 10_000_000)),
        (1, {"agreed_micros": 9_999_999}, b.StatementLineMismatch(1, 10_000_000, 9_999_999)),
        (1, {"agreed_micros": 10_000_001}, b.StatementLineMismatch(1, 10_000_000, 10_000_001)),
        (1, {"withheld_micros": 1}, b.StatementLineMismatch(1, 0, 1)),
        (0, {"agreed_micros": 0, "withheld_micros": 4_000_000}, b.StatementLineMismatch(0, 0, 4_000_000)),
        (0, {"service": Service.SMS}, b.StatementIncomplete(CN.id, Service.VOICE, 4_000_000)),
    ],
)
def test_a_figure_that_is_not_the_chains_is_refused(
    closed: Books, position: int, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    lines = [TO_CN, TO_GB]
    lines[position] = replace(lines[position], **changes)
    with refused(refusal):
        closed.call(BOOK, agree(closed, statement(*lines)))


def test_a_declared_service_left_out_is_refused(closed: Books) -> None:
    with refused(b.StatementIncomplete(CN.id, Service.VOICE, 4_000_000)):
        closed.call(BOOK, agree(closed, statement(TO_GB)))
    with refused(b.StatementIncomplete(GB.id, Service.VOICE, 10_000_000)):
        closed.call(BOOK, agree(closed, statement(TO_CN)))


def test_what_only_the_debtor_declared_is_not_left_out_either(books: Books) -> None:
    post(books, CN, GB, 5_000_000)
    close_both(books)
    with refused(b.StatementIncomplete(GB.id, Service.VOICE, 5_000_000)):
        books.call(BOOK, agree(books, statement()))
    agreed = books.send(BOOK, agree(books, statement(line(GB, 0, 5_000_000))))
    assert agreed.all(b.ItemOpened) == []


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ((TO_GB, TO_CN), b.StatementIncomplete(CN.id, Service.VOICE, 4_000_000)),
        ((TO_CN, TO_CN, TO_GB), b.StatementIncomplete(GB.id, Service.VOICE, 10_000_000)),
        ((TO_CN, TO_GB, TO_GB), b.StatementLinesInvalid(2)),
        ((TO_CN, TO_GB, line(US, 1, 1)), b.StatementLinesInvalid(2)),
    ],
    ids=["out of order", "repeated", "repeated at the end", "a third carrier"],
)
def test_lines_stand_in_order_each_once(
    closed: Books, lines: tuple[b.StatementLine, ...], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        closed.call(BOOK, agree(closed, statement(*lines)))


# REFUSALS: SIGNATURES


def test_one_carrier_cannot_agree_for_both(closed: Books) -> None:
    ours = closed.signed(CN, BOTH, BOOK)
    with refused(b.SignerNotAuthorised(GB.id, CN.address)):
        closed.call(BOOK, b.calldata_settlement_book_agree_statement(BOTH, ours, ours))


def test_a_statement_changed_after_signing_is_refused(closed: Books) -> None:
    other = replace(BOTH, batches_hash=keccak(b"other batches"))
    signatures = (closed.signed(CN, BOTH, BOOK), closed.signed(GB, other, BOOK))
    with pytest.raises(b.SignerNotAuthorised):
        closed.call(BOOK, b.calldata_settlement_book_agree_statement(BOTH, *signatures))


def test_a_statement_after_its_deadline_is_refused(closed: Books) -> None:
    late = replace(BOTH, deadline=closed.now() - 1)
    for calldata in (agree(closed, late), propose(closed, late, CN)):
        with pytest.raises(b.DeadlinePassed):
            closed.call(BOOK, calldata)


def test_a_period_is_agreed_once(closed: Books) -> None:
    closed.send(BOOK, agree(closed, BOTH))
    again = replace(BOTH, deadline=NEVER - 1)
    for calldata in (agree(closed, BOTH), agree(closed, again), propose(closed, BOTH, CN)):
        with refused(b.StatementAlreadyAgreed(AGREED, PERIOD)):
            closed.call(BOOK, calldata)


def test_a_statement_of_no_agreement_is_refused(closed: Books) -> None:
    unknown = AgreementId(keccak(b"?"))
    with refused(b.AgreementUnknown(unknown)):
        closed.call(BOOK, agree(closed, replace(BOTH, agreement_id=unknown)))


# REFUSALS: SILENCE


def test_only_a_party_proposes_and_only_once(closed: Books) -> None:
    with refused(b.NotAParty(AGREED, US.id)):
        closed.call(BOOK, propose(closed, BOTH, US))
    statement_id = closed.send(BOOK, propose(closed, BOTH, GB)).only(b.StatementProposed).statement_id
    with refused(b.StatementAlreadyProposed(statement_id)):
        closed.call(BOOK, propose(closed, BOTH, CN))


def test_what_nobody_proposed_is_not_accepted_by_silence(closed: Books) -> None:
    with refused(b.StatementUnknown(closed.digest(BOTH, BOOK))):
        closed.call(BOOK, accept(BOTH))


def test_a_statement_with_more_lines_than_directions_and_services_is_not_even_read(closed: Books) -> None:
    with refused(b.StatementLinesInvalid(8)):
        closed.call(BOOK, accept(statement(TO_CN, *[TO_GB] * 8)))


def test_silence_accepts_only_after_the_agreed_time(closed: Books) -> None:
    proposed = closed.send(BOOK, propose(closed, BOTH, GB)).only(b.StatementProposed)
    closed.chain.advance_to(proposed.proposed_at + 60 * DAY - 60)
    with pytest.raises(b.SilenceNotOver) as caught:
        closed.call(BOOK, accept(BOTH))
    assert caught.value.accepted_at == proposed.proposed_at + 60 * DAY


def test_a_dispute_opened_meanwhile_breaks_the_silence(closed: Books) -> None:
    proposed = closed.send(BOOK, propose(closed, BOTH, GB)).only(b.StatementProposed)
    closed.send(BOOK, open_dispute(closed, CN, dispute(GB, 1_000_000)))
    closed.chain.advance_to(proposed.proposed_at + 60 * DAY)
    with refused(b.StatementLineMismatch(1, 1_000_000, 0)):
        closed.call(BOOK, accept(BOTH))


# WHAT IS RIGHT


def test_an_agreed_statement_opens_an_item_for_each_direction(closed: Books) -> None:
    receipt = closed.send(BOOK, agree(closed, BOTH))
    agreed = receipt.only(b.StatementAgreed)
    assert agreed.statement_id == closed.digest(BOTH, BOOK)
    assert (agreed.by_silence, agreed.due_at) == (False, closed.now() + 30 * DAY)
    items = [(item.creditor, item.amount_micros, item.source, item.due_at) for item in receipt.all(b.ItemOpened)]
    assert items == [
        (CN.id, 4_000_000, agreed.statement_id, agreed.due_at),
        (GB.id, 10_000_000, agreed.statement_id, agreed.due_at),
    ]
    told = [(told.creditor, told.creditor_micros, told.debtor_micros) for told in receipt.all(b.StatementLineAgreed)]
    assert told == [(CN.id, 4_000_000, 4_000_000), (GB.id, 10_000_000, 9_000_000)]
    call = b.calldata_settlement_book_agreed_statement(AGREED, PERIOD)
    assert closed.call(BOOK, call) == agreed.statement_id
    assert exposure(closed, GB) == 10_000_000


def test_what_is_in_dispute_is_withheld_and_the_rest_is_payable(closed: Books) -> None:
    closed.send(BOOK, open_dispute(closed, CN, dispute(GB, 1_000_000)))
    drawn = statement(TO_CN, line(GB, 10_000_000, 9_000_000, withheld=1_000_000))
    receipt = closed.send(BOOK, agree(closed, drawn))
    assert [item.amount_micros for item in receipt.all(b.ItemOpened)] == [4_000_000, 9_000_000]


def test_services_of_one_direction_share_an_item(books: Books) -> None:
    license_crossings(books, GB)
    for service in Service:
        post(books, GB, GB, 1_000_000, service=service, igw=ascii32("CHANNEL-NANJING"))
    close_both(books)
    lines = [line(GB, 1_000_000, 0, service=service) for service in Service]
    receipt = books.send(BOOK, agree(books, statement(*lines)))
    assert receipt.only(b.ItemOpened).amount_micros == 4_000_000
    assert len(receipt.all(b.StatementLineAgreed)) == 4


def test_a_month_without_traffic_closes_too(books: Books) -> None:
    close_both(books)
    receipt = books.send(BOOK, agree(books, statement()))
    assert receipt.all(b.ItemOpened) == []
    assert receipt.only(b.StatementAgreed).period == PERIOD


def test_silence_accepts_and_anyone_may_say_so(closed: Books) -> None:
    drawn = replace(BOTH, deadline=closed.now() + DAY)
    proposed = closed.send(BOOK, propose(closed, drawn, GB)).only(b.StatementProposed)
    closed.chain.advance_to(proposed.proposed_at + 60 * DAY)
    receipt = closed.send(BOOK, accept(drawn), account=6)
    agreed = receipt.only(b.StatementAgreed)
    assert (agreed.by_silence, agreed.due_at) == (True, closed.now() + 30 * DAY)
    assert len(receipt.all(b.ItemOpened)) == 2
