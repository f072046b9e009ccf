"""Does October close, from declarations to arrears, with nothing created and nothing lost?"""

from ledger.chain import bindings as b
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DAY,
    GB,
    GB_US,
    NEVER,
    US,
    Books,
    Receipt,
    agreement_id,
    refused,
)
from tests.contracts.month import (
    AGREED,
    advance,
    agree,
    close_both,
    confirm,
    confirmation,
    credit_line,
    cycle,
    declaration,
    declare,
    dispute,
    exposure,
    grant,
    items_of,
    leg,
    line,
    net,
    open_dispute,
    outstanding,
    pay_off,
    post,
    resolve,
    statement,
)

BOOK = "SettlementBook"
USD_1 = 1_000_000

DIRECTIONS = (
    (CN_GB, CN, GB, 30, 30),
    (CN_GB, GB, CN, 100, 97),
    (CN_US, CN, US, 80, 80),
    (CN_US, US, CN, 10, 10),
    (GB_US, GB, US, 5, 5),
    (GB_US, US, GB, 60, 60),
)
"""Agreement, creditor, debtor, what each of them declared in USD."""


def exposures(books: Books) -> dict[tuple[str, str], int]:
    return {
        (creditor.code, debtor.code): exposure(books, creditor, terms) for terms, creditor, debtor, *_ in DIRECTIONS
    }


def test_the_month_from_declarations_to_arrears(books: Books) -> None:
    declare_october(books)
    assert sum(exposures(books).values()) == 285 * USD_1, "each direction counts as its creditor declared it"
    hold_back_past_the_line(books)
    receipts = agree_october(books)
    assert sum(exposures(books).values()) == 283 * USD_1, "2 of the disputed 3 were credited"

    positions = {CN.id: 2 * USD_1, GB.id: 13 * USD_1, US.id: -15 * USD_1}
    legs = (leg(CN_US, CN, 2 * USD_1), leg(GB_US, GB, 13 * USD_1))
    netted = books.send(BOOK, net(books, cycle(items_of(receipts), *legs), CN, GB, US))
    assert {event.carrier: event.position_micros for event in netted.all(b.PositionNetted)} == positions
    executed = netted.only(b.NettingCycleExecuted)
    assert (executed.gross_micros, executed.netted_micros) == (283 * USD_1, 15 * USD_1)
    assert exposures(books) == dict.fromkeys(exposures(books), 0) | {
        ("CN-T", "US-A"): 2 * USD_1,
        ("GB-B", "US-A"): 13 * USD_1,
    }

    payables = {event.creditor: event.payable_id for event in netted.all(b.PayableOpened)}
    books.send("PaymentBook", confirm(books, CN, confirmation(payables[CN.id], 2 * USD_1)))
    pay_late(books, payables[GB.id])
    assert set(exposures(books).values()) == {0}, "nothing was created and nothing lost"


def declare_october(books: Books) -> None:
    for terms, creditor, debtor, ours, theirs in DIRECTIONS:
        post(books, creditor, creditor, ours * USD_1, agreement_id=agreement_id(terms))
        post(books, debtor, creditor, theirs * USD_1, agreement_id=agreement_id(terms))


def hold_back_past_the_line(books: Books) -> None:
    """GB-B cuts CN-T's line to the 100 it stands at: the next micro waits, and passes when the line is back."""
    books.send("CreditBook", grant(books, GB, credit_line(GB, limit_micros=100 * USD_1, nonce=2)))
    late = declare(books, declaration(GB, GB, seq=2, amount_micros=1))
    with refused(b.CreditLineExceeded(agreement_id(CN_GB), GB.id, 100 * USD_1 + 1, 100 * USD_1)):
        books.call("UsageLedger", late)
    books.send("CreditBook", grant(books, GB, credit_line(GB, nonce=3)))
    books.call("UsageLedger", late)


def agree_october(books: Books) -> list[Receipt]:
    """Three statements; of the 3 in dispute, 2 are credited and 1 is due."""
    for terms, *_ in AGREED:
        close_both(books, terms)
    opened = books.send(BOOK, open_dispute(books, CN, dispute(GB, 3 * USD_1))).only(b.DisputeOpened)
    drawn = (
        (CN_GB, line(CN, 30 * USD_1, 30 * USD_1), line(GB, 100 * USD_1, 97 * USD_1, withheld=3 * USD_1)),
        (CN_US, line(CN, 80 * USD_1, 80 * USD_1), line(US, 10 * USD_1, 10 * USD_1)),
        (GB_US, line(GB, 5 * USD_1, 5 * USD_1), line(US, 60 * USD_1, 60 * USD_1)),
    )
    agreed = [books.send(BOOK, agree(books, statement(*lines, agreement=terms), terms)) for terms, *lines in drawn]
    resolution = b.Resolution(opened.dispute_id, 2 * USD_1, 1 * USD_1, NEVER)
    return [*agreed, books.send(BOOK, resolve(books, GB, CN, resolution))]


def pay_late(books: Books, payable_id: bytes) -> None:
    """US-A is fifteen days late with GB-B's 13: credit stops, interest runs, payment lifts the stop."""
    due_at = outstanding(books, payable_id)[2]
    books.chain.advance_to(due_at + 15 * DAY)
    stages = [books.send("PaymentBook", advance(payable_id)).only(b.ArrearsAdvanced).stage for _ in range(2)]
    assert stages == [b.ArrearsStage.OVERDUE, b.ArrearsStage.CREDIT_STOPPED]
    november = declaration(GB, GB, agreement_id=agreement_id(GB_US), seq=2, period=202611)
    with refused(b.CreditIsStopped(agreement_id(GB_US), GB.id)):
        books.call("UsageLedger", declare(books, november))
    assert outstanding(books, payable_id)[1] >= 97_500, "half a month of 1.5 % on 13"
    paid = pay_off(books, payable_id)
    assert len(paid.all(b.CreditResumed)) == 1
    books.call("UsageLedger", declare(books, november))
