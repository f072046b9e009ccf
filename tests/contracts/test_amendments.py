"""Which terms are in force when, once two carriers have changed them?"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import AgreementId
from ledger.service import Service
from tests.contracts.books import (
    CN,
    CN_GB,
    DAY,
    EUR,
    GB,
    NEVER,
    NOVEMBER,
    SEPTEMBER,
    STRANGER,
    US,
    Books,
    Carrier,
    agreement_id,
    refused,
    terms,
)
from tests.contracts.month import (
    advance,
    close_both,
    declaration,
    declare,
    line,
    outstanding,
    owe,
    post,
    sign_agreement,
    statement,
)
from tests.contracts.test_statements import accept, propose

BOOK = "AgreementBook"
AGREED = agreement_id(CN_GB)
UNKNOWN = AgreementId(keccak(b"?"))
DECEMBER = NOVEMBER + 30 * DAY
DEAR = replace(CN_GB, interest_bps=300, payment_seconds=10 * DAY, valid_from=DECEMBER)
"""Twice the interest and ten days to pay, from December on."""


def amendment(changed: b.Terms = DEAR, **changes: Any) -> b.Amendment:
    return replace(b.Amendment(AGREED, 2, changed, NEVER), **changes)


def amend(books: Books, drawn: b.Amendment, low: Carrier = CN, high: Carrier = GB) -> bytes:
    """The calldata of amend, signed by both."""
    signatures = (books.signed(low, drawn, BOOK), books.signed(high, drawn, BOOK))
    return b.calldata_agreement_book_amend(drawn, *signatures)


def terms_at(books: Books, at: int) -> b.Terms:
    call = b.calldata_agreement_book_terms_at(AGREED, at)
    return b.result_agreement_book_terms_at(books.call(BOOK, call))


def terms_of_period(books: Books, period: int) -> b.Terms:
    call = b.calldata_agreement_book_terms_of_period(AGREED, period)
    return b.result_agreement_book_terms_of_period(books.call(BOOK, call))


# REFUSALS


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"agreement_id": UNKNOWN}, b.AgreementUnknown(UNKNOWN)),
        ({"version": 1}, b.VersionUnexpected(2, 1)),
        ({"version": 3}, b.VersionUnexpected(2, 3)),
        ({"terms": replace(DEAR, carrier_high=US.id)}, b.NotAParty(AGREED, US.id)),
        ({"terms": replace(DEAR, currency=EUR)}, b.TermsInvalid("currency")),
        ({"terms": replace(DEAR, services=0b0111)}, b.TermsInvalid("services")),
        ({"terms": replace(DEAR, payment_seconds=0)}, b.TermsInvalid("paymentSeconds")),
    ],
)
def test_an_amendment_that_does_not_fit_is_refused(
    books: Books, changes: dict[str, Any], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        books.call(BOOK, amend(books, amendment(**changes)))


def test_an_amendment_reaches_neither_the_past_nor_before_the_last_version(books: Books) -> None:
    with pytest.raises(b.AmendmentTooEarly):
        books.call(BOOK, amend(books, amendment(replace(DEAR, valid_from=NOVEMBER - DAY))))
    books.send(BOOK, amend(books, amendment()))
    with refused(b.AmendmentTooEarly(DECEMBER, DECEMBER + 1)):
        books.call(BOOK, amend(books, amendment(version=3)))


def test_an_amendment_is_signed_by_both(books: Books) -> None:
    for low, high, signer in ((STRANGER, GB, CN), (CN, STRANGER, GB)):
        with refused(b.SignerNotAuthorised(signer.id, STRANGER.address)):
            books.call(BOOK, amend(books, amendment(), low, high))


def test_an_amendment_is_signed_in_time(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(BOOK, amend(books, amendment(deadline=books.now() - 1)))


def test_an_amendment_counts_once(books: Books) -> None:
    calldata = amend(books, amendment())
    books.send(BOOK, calldata)
    with refused(b.VersionUnexpected(3, 2)):
        books.call(BOOK, calldata)


@pytest.mark.parametrize("period", [0, 196912, 202600, 202613])
def test_no_terms_stand_for_what_is_no_month(books: Books, period: int) -> None:
    with refused(b.PeriodInvalid(period)):
        terms_of_period(books, period)


# WHAT IS RIGHT


def test_an_amended_agreement_keeps_its_id_and_counts_its_versions(books: Books) -> None:
    amended = books.send(BOOK, amend(books, amendment())).only(b.AgreementAmended)
    assert (amended.agreement_id, amended.version, amended.valid_from) == (AGREED, 2, DECEMBER)
    call = b.calldata_agreement_book_versions_of(AGREED)
    assert b.result_agreement_book_versions_of(books.call(BOOK, call)) == 2


def test_every_time_has_its_version(books: Books) -> None:
    later = replace(DEAR, interest_bps=50, valid_from=DECEMBER + 40 * DAY)
    books.send(BOOK, amend(books, amendment()))
    books.send(BOOK, amend(books, amendment(later, version=3)))
    assert [terms_at(books, at).interest_bps for at in (0, SEPTEMBER, DECEMBER - 1)] == [150, 150, 150]
    assert [terms_at(books, at).interest_bps for at in (DECEMBER, DECEMBER + 40 * DAY - 1)] == [300, 300]
    assert terms_at(books, DECEMBER + 40 * DAY) == later


def test_a_period_has_the_version_of_its_first_second(books: Books) -> None:
    books.send(BOOK, amend(books, amendment()))
    assert terms_of_period(books, 202611) == CN_GB
    assert terms_of_period(books, 202612) == DEAR


@pytest.mark.parametrize("period", [202701, 202802, 202803, 210003, 999912])
def test_a_period_begins_at_its_first_second(books: Books, period: int) -> None:
    """A version that begins then is the period's, one that begins a second later is not."""
    start = int(datetime(period // 100, period % 100, 1, tzinfo=UTC).timestamp())
    for shift, expected in ((0, 300), (1, 150)):
        agreement = sign_agreement(books, terms(CN, GB, document_hash=keccak(bytes([shift]))), CN, GB)
        drawn = amendment(replace(DEAR, valid_from=start + shift), agreement_id=agreement)
        books.send(BOOK, amend(books, drawn))
        call = b.calldata_agreement_book_terms_of_period(agreement, period)
        assert b.result_agreement_book_terms_of_period(books.call(BOOK, call)).interest_bps == expected


def test_a_statement_is_due_under_the_version_of_its_period(books: Books) -> None:
    books.send(BOOK, amend(books, amendment()))
    post(books, GB, GB, 10_000_000)
    close_both(books)
    drawn = statement(line(GB, 10_000_000, 0))
    proposed = books.send("SettlementBook", propose(books, drawn, GB)).only(b.StatementProposed)
    books.chain.advance_to(proposed.proposed_at + CN_GB.acceptance_seconds)
    agreed = books.send("SettlementBook", accept(drawn)).only(b.StatementAgreed)
    assert agreed.due_at == agreed.agreed_at + CN_GB.payment_seconds


def test_an_amendment_after_the_due_date_leaves_a_payables_interest_as_it_was(books: Books) -> None:
    payable_id = owe(books, 10_000_000)
    due_at = outstanding(books, payable_id)[2]
    books.send(BOOK, amend(books, amendment(replace(DEAR, valid_from=due_at + 1))))
    books.chain.advance_to(due_at + 30 * DAY)
    assert outstanding(books, payable_id)[1] == pytest.approx(150_000, abs=10)


def test_a_payable_follows_the_version_of_its_due_date(books: Books) -> None:
    payable_id = owe(books, 10_000_000)
    due_at = outstanding(books, payable_id)[2]
    stricter = replace(DEAR, stop_credit_seconds=DAY, valid_from=due_at)
    books.send(BOOK, amend(books, amendment(stricter)))
    books.chain.advance_to(due_at + DAY + 60)
    books.send("PaymentBook", advance(payable_id))
    stage = books.send("PaymentBook", advance(payable_id)).only(b.ArrearsAdvanced).stage
    assert stage == b.ArrearsStage.CREDIT_STOPPED


def test_a_service_is_added_by_amendment(books: Books) -> None:
    """And only from its effective date on."""
    voice_only = terms(CN, GB, services=0b0001)
    agreed = sign_agreement(books, voice_only, CN, GB)
    both = replace(voice_only, services=0b0011, valid_from=NOVEMBER + 9 * DAY)
    books.send(BOOK, amend(books, amendment(both, agreement_id=agreed)))
    sms = declare(books, declaration(CN, GB, agreement_id=agreed, service=Service.SMS))
    with refused(b.ServiceNotAgreed(agreed, Service.SMS)):
        books.call("UsageLedger", sms)
    books.chain.advance_to(NOVEMBER + 9 * DAY)
    books.call("UsageLedger", sms)
