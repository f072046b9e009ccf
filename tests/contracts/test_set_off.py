"""What does netting leave of a debt, and when is it due?"""

from ledger.chain import bindings as b
from tests.contracts.books import CN, CN_GB, CN_US, DAY, GB, GB_US, US, Books, refused
from tests.contracts.month import credit_line, cycle, exposure, grant, items_of, leg, net, settle_month

BOOK = "SettlementBook"


def test_a_leg_is_due_when_the_last_of_its_items_is(books: Books) -> None:
    first = settle_month(books, CN_GB, 0, 10_000_000)
    books.chain.advance_to(books.now() + 5 * DAY)
    second = settle_month(books, GB_US, 0, 10_000_000)
    dues = [receipt.only(b.ItemOpened).due_at for receipt in (first, second)]
    assert dues[1] - dues[0] >= 5 * DAY
    netting = cycle(items_of([first, second]), leg(CN_US, US, 10_000_000))
    assert books.send(BOOK, net(books, netting, CN, GB, US)).only(b.PayableOpened).due_at == max(dues)


def test_what_sets_off_completely_leaves_nothing_to_pay(books: Books) -> None:
    agreed = settle_month(books, CN_GB, 5_000_000, 5_000_000)
    receipt = books.send(BOOK, net(books, cycle(items_of([agreed])), CN, GB))
    assert receipt.all(b.PayableOpened) == []
    assert (exposure(books, CN), exposure(books, GB)) == (0, 0)


def test_set_off_never_meets_the_line(books: Books) -> None:
    """Both lines were cut far below what stands; netting 10 against 4 still leaves 6 where 10 stood."""
    agreed = settle_month(books, CN_GB, 4_000_000, 10_000_000)
    for creditor in (CN, GB):
        books.send("CreditBook", grant(books, creditor, credit_line(creditor, limit_micros=1, nonce=2)))
    netting = cycle(items_of([agreed]), leg(CN_GB, GB, 6_000_000))
    receipt = books.send(BOOK, net(books, netting, CN, GB))
    assert exposure(books, GB) == 6_000_000
    assert receipt.all(b.CreditAlert) == receipt.all(b.CreditLineOverrun) == []


def test_a_carrier_that_only_passes_on_signs_too(books: Books) -> None:
    """GB-B owes US-A 6 and US-A owes CN-T 6: GB-B pays CN-T, and US-A, whose position is zero, must agree."""
    agreed = [settle_month(books, GB_US, 0, 6_000_000), settle_month(books, CN_US, 6_000_000, 0)]
    netting = cycle(items_of(agreed), leg(CN_GB, CN, 6_000_000))
    with refused(b.PartyMissing(US.id)):
        books.call(BOOK, net(books, netting, CN, GB))
    receipt = books.send(BOOK, net(books, netting, CN, GB, US))
    assert receipt.only(b.PayableOpened).debtor == GB.id
    assert {event.carrier: event.position_micros for event in receipt.all(b.PositionNetted)}[US.id] == 0
