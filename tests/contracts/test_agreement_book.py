"""What can two carriers agree, and when may a price change?"""

from collections.abc import Mapping
from dataclasses import replace
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
    GB,
    NEVER,
    OCTOBER,
    STRANGER,
    US,
    ZERO,
    Books,
    agreement_id,
    refused,
    terms,
)
from tests.contracts.month import publish, rate_notice, sign_agreement

BOOK = "AgreementBook"
FRESH = terms(CN, GB, document_hash=keccak(b"another document"))
"""Terms that are not signed yet."""
INCREASE, DECREASE = b.RateChange.INCREASE, b.RateChange.DECREASE


def signed(books: Books, agreed: b.Terms) -> bytes:
    return b.calldata_agreement_book_sign(agreed, books.signed(CN, agreed, BOOK), books.signed(GB, agreed, BOOK))


# REFUSALS: TERMS


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"carrier_low": GB.id, "carrier_high": CN.id}, b.CarriersNotSorted(GB.id, CN.id)),
        ({"carrier_high": CN.id}, b.CarriersNotSorted(CN.id, CN.id)),
        ({"currency": ZERO}, b.TermsInvalid("currency")),
        ({"services": 0}, b.TermsInvalid("services")),
        ({"services": 16}, b.TermsInvalid("services")),
        ({"payment_seconds": 0}, b.TermsInvalid("paymentSeconds")),
        ({"acceptance_seconds": 0}, b.TermsInvalid("acceptanceSeconds")),
        ({"interest_bps": 10_001}, b.TermsInvalid("interestBps")),
        ({"stop_credit_seconds": 46 * DAY}, b.TermsInvalid("terminateSeconds")),
        ({"document_hash": ZERO}, b.TermsInvalid("documentHash")),
        ({"valid_from": 0}, b.TermsInvalid("validFrom")),
    ],
)
def test_terms_that_make_no_sense_are_refused(books: Books, changes: Mapping[str, Any], refusal: TypedRefusal) -> None:
    with refused(refusal):
        books.call(BOOK, signed(books, replace(FRESH, **changes)))


def test_the_same_terms_are_signed_once(books: Books) -> None:
    with refused(b.AgreementAlreadySigned(agreement_id(CN_GB))):
        books.call(BOOK, signed(books, CN_GB))


def test_both_carriers_must_sign_and_each_in_its_place(books: Books) -> None:
    low, high = books.signed(CN, FRESH, BOOK), books.signed(GB, FRESH, BOOK)
    with refused(b.SignerNotAuthorised(CN.id, GB.address)):
        books.call(BOOK, b.calldata_agreement_book_sign(FRESH, high, low))
    with refused(b.SignerNotAuthorised(GB.id, CN.address)):
        books.call(BOOK, b.calldata_agreement_book_sign(FRESH, low, low))


def test_terms_changed_after_signing_are_refused(books: Books) -> None:
    shaded = replace(FRESH, interest_bps=151)
    calldata = b.calldata_agreement_book_sign(shaded, books.signed(CN, FRESH, BOOK), books.signed(GB, FRESH, BOOK))
    with pytest.raises(b.SignerNotAuthorised):
        books.call(BOOK, calldata)


def test_nothing_is_known_of_an_agreement_nobody_signed(books: Books) -> None:
    unknown = AgreementId(keccak(b"unknown"))
    for calldata in (
        b.calldata_agreement_book_terms_of(unknown),
        b.calldata_agreement_book_counterparty_of(unknown, CN.id),
        b.calldata_agreement_book_require_direction(unknown, CN.id, Service.VOICE),
        publish(books, CN, rate_notice(CN, agreement_id=unknown)),
    ):
        with refused(b.AgreementUnknown(unknown)):
            books.call(BOOK, calldata)


def test_a_third_carrier_is_no_party(books: Books) -> None:
    for carrier in (US, STRANGER):
        with refused(b.NotAParty(agreement_id(CN_GB), carrier.id)):
            books.call(BOOK, b.calldata_agreement_book_counterparty_of(agreement_id(CN_GB), carrier.id))


def test_a_service_that_is_not_agreed_has_no_direction(books: Books) -> None:
    voice_only = replace(FRESH, services=0b0001)
    signed_id = sign_agreement(books, voice_only, CN, GB)
    for service in (Service.SMS, Service.DATA, Service.IPL):
        with refused(b.ServiceNotAgreed(signed_id, service)):
            books.call(BOOK, b.calldata_agreement_book_require_direction(signed_id, GB.id, service))


# REFUSALS: RATES


@pytest.mark.parametrize("seq", [0, 2])
def test_rate_notices_have_no_gap(books: Books, seq: int) -> None:
    with refused(b.RateSequenceUnexpected(1, seq)):
        books.call(BOOK, publish(books, GB, rate_notice(GB, seq=seq)))


def test_only_the_creditor_publishes_its_rates(books: Books) -> None:
    with refused(b.SignerNotAuthorised(GB.id, CN.address)):
        books.call(BOOK, publish(books, CN, rate_notice(GB)))


def test_a_first_deck_comes_first_and_once(books: Books) -> None:
    agreed = agreement_id(CN_GB)
    for change in (INCREASE, DECREASE):
        with refused(b.InitialDeckMissing(agreed, GB.id, Service.VOICE)):
            books.call(BOOK, publish(books, GB, rate_notice(GB, change=change)))
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    with refused(b.InitialDeckAlreadyPublished(agreed, GB.id, Service.VOICE)):
        books.call(BOOK, publish(books, GB, rate_notice(GB, seq=2)))


def test_an_increase_on_short_notice_is_refused(books: Books) -> None:
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    too_soon = books.now() + 7 * DAY - 1
    with pytest.raises(b.NoticeTooShort) as caught:
        books.call(BOOK, publish(books, GB, rate_notice(GB, seq=2, change=INCREASE, effective_at=too_soon)))
    assert caught.value.effective_at == too_soon
    assert 0 < caught.value.earliest_at - too_soon < 60


@pytest.mark.parametrize("change", [INCREASE, DECREASE])
def test_a_price_is_never_changed_backwards(books: Books, change: b.RateChange) -> None:
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    with pytest.raises(b.NoticeTooShort):
        books.call(BOOK, publish(books, GB, rate_notice(GB, seq=2, change=change, effective_at=OCTOBER)))


def test_a_notice_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(BOOK, publish(books, GB, rate_notice(GB, deadline=books.now() - 1)))


# WHAT IS RIGHT


def test_both_carriers_derive_the_id_from_the_terms_alone(books: Books) -> None:
    on_chain = books.call(BOOK, b.calldata_agreement_book_id_of(FRESH))
    assert b.result_agreement_book_id_of(on_chain) == agreement_id(FRESH)
    assert sign_agreement(books, FRESH, CN, GB) == agreement_id(FRESH)
    stored = books.call(BOOK, b.calldata_agreement_book_terms_of(agreement_id(FRESH)))
    assert b.result_agreement_book_terms_of(stored) == FRESH


def test_the_debtor_of_a_direction_is_the_other_party(books: Books) -> None:
    for creditor, debtor in ((CN, GB), (GB, CN)):
        call = b.calldata_agreement_book_require_direction(agreement_id(CN_GB), creditor.id, Service.IPL)
        assert b.result_agreement_book_require_direction(books.call(BOOK, call)) == debtor.id


def test_an_increase_with_its_notice_stands_with_the_time_it_was_published(books: Books) -> None:
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    effective_at = books.now() + 8 * DAY
    notice = rate_notice(GB, seq=2, change=INCREASE, effective_at=effective_at, deck_hash=keccak(b"deck 2"))
    published = books.send(BOOK, publish(books, GB, notice)).only(b.RateDeckPublished)
    assert (published.deck_hash, published.effective_at) == (keccak(b"deck 2"), effective_at)
    assert published.published_at == books.now()


def test_a_decrease_needs_no_notice(books: Books) -> None:
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    soon = rate_notice(GB, seq=2, change=DECREASE, effective_at=books.now() + 60)
    assert books.send(BOOK, publish(books, GB, soon)).only(b.RateDeckPublished).seq == 2


def test_each_creditor_and_service_has_a_first_deck_of_its_own(books: Books) -> None:
    books.send(BOOK, publish(books, GB, rate_notice(GB)))
    books.send(BOOK, publish(books, GB, rate_notice(GB, seq=2, service=Service.SMS)))
    books.send(BOOK, publish(books, CN, rate_notice(CN)))


def test_the_deadline_itself_is_still_in_time(books: Books) -> None:
    books.call(BOOK, publish(books, GB, rate_notice(GB, deadline=books.now() + 60)))
    assert books.now() < NEVER
