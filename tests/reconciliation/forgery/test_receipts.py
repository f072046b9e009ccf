"""Are receipts for numbers that receive nothing found, on whoever's count they are?"""

from reconciliation.forgery.receipts import fake_receipts
from reconciliation.forgery.suspects import Evidence
from tests.reconciliation.records import CN, GB, Call, table

KNOWN = Evidence(unallocated=("44700",), test_numbers=("447700900999",))


def message(b: str, route: str = "23415", amount: int = 25_000, charged: float = 0.001) -> Call:
    return Call(a="BANK", b=b, route=route, lasts=0.001, amount=amount, charged=charged)


def test_a_receipt_of_a_number_that_nobody_holds_or_that_is_off_is_fake() -> None:
    messages = table([message("447700900123"), message("447001234567"), message("447700900999", "23430")])
    found = list(fake_receipts(messages, KNOWN, GB, CN))
    assert [(each.subject, each.count, each.rows.tolist()) for each in found] == [("23415", 1, [1]), ("23430", 1, [2])]
    assert sum(each.money_at_risk_micros for each in found) == 50_000


def test_what_is_not_charged_or_not_known_is_no_mark() -> None:
    assert list(fake_receipts(table([message("447001234567", charged=0)]), KNOWN, GB, CN)) == []
    assert list(fake_receipts(table([message("447001234567")]), Evidence(), GB, CN)) == []
    assert list(fake_receipts(table([]), KNOWN, GB, CN)) == []
