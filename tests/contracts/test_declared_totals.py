"""What did a declarer declare in all? Sums that statements are drawn from: nothing lost, nothing mixed."""

from ledger.chain import bindings as b
from ledger.service import Service
from tests.contracts.books import CN, CN_GB, GB, PERIOD, Books, Carrier, agreement_id, refused
from tests.contracts.month import post


def total(books: Books, declarer: Carrier, creditor: Carrier, service: Service, period: int = PERIOD) -> int:
    call = b.calldata_usage_ledger_declared_micros(agreement_id(CN_GB), declarer.id, creditor.id, service, period)
    return b.result_usage_ledger_declared_micros(books.call("UsageLedger", call))


def test_declarations_of_one_period_add_up(books: Books) -> None:
    for amount in (1_000_000, 250_000, 1):
        post(books, GB, GB, amount)
    assert total(books, GB, GB, Service.VOICE) == 1_250_001


def test_declarer_creditor_service_and_period_keep_apart(books: Books) -> None:
    post(books, GB, GB, 1)
    post(books, CN, GB, 20)
    post(books, CN, CN, 300)
    post(books, GB, CN, 4_000)
    post(books, GB, GB, 50_000, service=Service.SMS)
    post(books, GB, GB, 600_000, period=202609)
    sides = ((GB, GB), (CN, GB), (CN, CN), (GB, CN))
    assert [total(books, *side, Service.VOICE) for side in sides] == [1, 20, 300, 4_000]
    assert total(books, GB, GB, Service.SMS) == 50_000
    assert total(books, GB, GB, Service.VOICE, 202609) == 600_000


def test_a_total_comes_back_however_services_and_periods_alternate(books: Books) -> None:
    """One of the totals stands in its stream's slot: it comes and goes with what it counts."""
    lines = [(Service.VOICE, PERIOD), (Service.SMS, PERIOD), (Service.VOICE, PERIOD + 1)]
    for turn in (1, 2, 3):
        for place, (service, period) in enumerate(lines):
            post(books, CN, GB, turn * 1_000**place, service=service, period=period)
    post(books, CN, GB, 5, service=Service.SMS)
    assert [total(books, CN, GB, *each) for each in lines] == [6, 6_005, 6_000_000]
    assert total(books, CN, GB, Service.SMS, PERIOD + 1) == total(books, GB, GB, Service.VOICE) == 0


def test_a_total_has_room_for_120_bits_and_no_more(books: Books) -> None:
    """As many as an exposure: the debtor's own count meets no credit line."""
    most = 2**120 - 1
    post(books, CN, GB, most)
    with refused(b.AmountTooLarge(most, most + 1)):
        post(books, CN, GB, 1)
    assert total(books, CN, GB, Service.VOICE) == most
