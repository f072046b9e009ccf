"""How much may a debtor owe, and what happens at the line?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import AgreementId, ascii32
from ledger.service import Service
from tests.contracts.books import CN, CN_GB, GB, LIMIT, US, Books, Carrier, agreement_id, refused
from tests.contracts.month import credit_line, declaration, declare, exposure, grant, license_crossings, post

CREDIT = "CreditBook"
AGREED = agreement_id(CN_GB)
LARGEST = 2**120 - 1


def set_line(books: Books, creditor: Carrier, limit_micros: int, **changes: Any) -> None:
    line = credit_line(creditor, limit_micros=limit_micros, **({"nonce": 2} | changes))
    books.send(CREDIT, grant(books, creditor, line))


# REFUSALS


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"nonce": 1}, b.LineNonceUnexpected(2, 1)),
        ({"nonce": 3}, b.LineNonceUnexpected(2, 3)),
        ({"limit_micros": LARGEST + 1}, b.AmountTooLarge(LARGEST, LARGEST + 1)),
        ({"creditor": US.id}, b.NotAParty(AGREED, US.id)),
        ({"agreement_id": AgreementId(keccak(b"?"))}, b.AgreementUnknown(AgreementId(keccak(b"?")))),
    ],
)
def test_a_credit_line_that_does_not_fit_is_refused(
    books: Books, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    line = replace(credit_line(GB, nonce=2), **changes)
    with refused(refusal):
        books.call(CREDIT, grant(books, GB, line))


def test_the_debtor_does_not_set_its_own_line(books: Books) -> None:
    with refused(b.SignerNotAuthorised(GB.id, CN.address)):
        books.call(CREDIT, grant(books, CN, credit_line(GB, nonce=2)))


def test_a_credit_line_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(CREDIT, grant(books, GB, credit_line(GB, nonce=2, deadline=books.now() - 1)))


@pytest.mark.parametrize(
    "calldata",
    [
        b.calldata_credit_book_raise(AGREED, GB.id, 1),
        b.calldata_credit_book_raise_by_leg(AGREED, GB.id, 1, 0),
        b.calldata_credit_book_reduce(AGREED, GB.id, 1),
        b.calldata_credit_book_stop(AGREED, GB.id),
        b.calldata_credit_book_resume(AGREED, GB.id),
    ],
    ids=["raise", "raiseByLeg", "reduce", "stop", "resume"],
)
def test_only_the_books_touch_an_exposure(books: Books, calldata: bytes) -> None:
    with refused(b.OnlyTheBooks(books.accounts[0])):
        books.call(CREDIT, calldata)


def test_one_micro_past_the_line_is_refused_and_the_line_itself_is_not(books: Books) -> None:
    set_line(books, GB, 10_000_000)
    with refused(b.CreditLineExceeded(AGREED, GB.id, 10_000_001, 10_000_000)):
        books.call("UsageLedger", declare(books, declaration(GB, GB, amount_micros=10_000_001)))
    books.call("UsageLedger", declare(books, declaration(GB, GB, amount_micros=10_000_000)))


def test_the_line_counts_all_services_together(books: Books) -> None:
    license_crossings(books, GB)
    set_line(books, GB, 10_000_000)
    post(books, GB, GB, 3_000_000)
    post(books, GB, GB, 3_000_000, service=Service.IPL, igw=ascii32("GLOBAL-BEIJING"))
    sms = declaration(GB, GB, seq=3, service=Service.SMS, amount_micros=4_000_001)
    with refused(b.CreditLineExceeded(AGREED, GB.id, 10_000_001, 10_000_000)):
        books.call("UsageLedger", declare(books, sms))


def test_without_a_line_nothing_is_lent(books: Books) -> None:
    set_line(books, GB, 0)
    with refused(b.CreditLineExceeded(AGREED, GB.id, 1, 0)):
        books.call("UsageLedger", declare(books, declaration(GB, GB, amount_micros=1)))


def test_not_even_a_flagged_line_holds_more_than_the_largest_amount(books: Books) -> None:
    set_line(books, GB, 1, policy=b.LimitPolicy.FLAG)
    with refused(b.AmountTooLarge(LARGEST, LARGEST + 1)):
        books.call("UsageLedger", declare(books, declaration(GB, GB, amount_micros=LARGEST + 1)))


# WHAT IS RIGHT


def test_a_flagged_line_lets_it_pass_and_says_so(books: Books) -> None:
    set_line(books, GB, 10_000_000, policy=b.LimitPolicy.FLAG)
    receipt = books.send("UsageLedger", declare(books, declaration(GB, GB, amount_micros=10_000_001)))
    overrun = receipt.only(b.CreditLineOverrun)
    assert (overrun.exposure_micros, overrun.limit_micros) == (10_000_001, 10_000_000)
    assert exposure(books, GB) == 10_000_001


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (1, 498, None),
        (1, 499, 5_000),
        (499, 250, 5_000),
        (499, 251, 7_500),
        (750, 149, None),
        (750, 150, 9_000),
        (1, 998, 9_000),
        (1, 999, 10_000),
        (999, 1, 10_000),
    ],
)
def test_an_alert_names_the_highest_share_just_reached(
    books: Books, first: int, second: int, share: int | None
) -> None:
    set_line(books, GB, 1000)
    post(books, GB, GB, first)
    receipt = books.send("UsageLedger", declare(books, declaration(GB, GB, seq=2, amount_micros=second)))
    alerts = [(alert.share_bps, alert.exposure_micros) for alert in receipt.all(b.CreditAlert)]
    assert alerts == ([] if share is None else [(share, first + second)])


def test_a_cut_of_the_line_stops_what_is_new_and_leaves_what_stands(books: Books) -> None:
    post(books, GB, GB, 10_000_000)
    set_line(books, GB, 5_000_000)
    assert exposure(books, GB) == 10_000_000
    with refused(b.CreditLineExceeded(AGREED, GB.id, 10_000_001, 5_000_000)):
        books.call("UsageLedger", declare(books, declaration(GB, GB, seq=2, amount_micros=1)))


def test_each_direction_has_its_own_line_and_exposure(books: Books) -> None:
    set_line(books, GB, 1)
    post(books, CN, CN, 5_000_000)
    assert (exposure(books, CN), exposure(books, GB)) == (5_000_000, 0)


def test_a_line_stands_as_it_was_granted(books: Books) -> None:
    set_line(books, GB, 7, policy=b.LimitPolicy.FLAG)
    for creditor, expected in ((GB, (7, b.LimitPolicy.FLAG, False, 2)), (CN, (LIMIT, b.LimitPolicy.REFUSE, False, 1))):
        found = b.result_credit_book_line_of(books.call(CREDIT, b.calldata_credit_book_line_of(AGREED, creditor.id)))
        assert tuple(found) == expected


def test_a_change_of_exposure_tells_what_and_to_what(books: Books) -> None:
    post(books, GB, GB, 3)
    receipt = books.send("UsageLedger", declare(books, declaration(GB, GB, seq=2, amount_micros=4)))
    changed = receipt.only(b.ExposureChanged)
    assert (changed.change_micros, changed.exposure_micros, changed.limit_micros) == (4, 7, LIMIT)
