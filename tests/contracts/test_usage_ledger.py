"""What is a declaration refused for, and when is a period closed?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import AgreementId, BatchId
from ledger.service import Service
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DAY,
    GB,
    NOVEMBER,
    OCTOBER,
    PERIOD,
    STRANGER,
    US,
    ZERO,
    Books,
    agreement_id,
    refused,
    terms,
)
from tests.contracts.month import (
    close,
    close_both,
    declaration,
    declare,
    exposure,
    period_close,
    post,
    sign_agreement,
)

LEDGER = "UsageLedger"
AGREED = agreement_id(CN_GB)


def adjust(books: Books, adjustment: b.Declaration, corrected: b.Declaration) -> bytes:
    """The calldata of declareAdjustment, signed by CN-T."""
    signature = books.signed(CN, adjustment, LEDGER)
    return b.calldata_usage_ledger_declare_adjustment(adjustment, corrected, signature)


def batch_id(books: Books, declared: b.Declaration) -> bytes:
    return books.digest(declared, LEDGER)


def declared_micros(books: Books, declarer: bytes, creditor: bytes, period: int = PERIOD) -> int:
    call = b.calldata_usage_ledger_declared_micros(AGREED, declarer, creditor, Service.VOICE, period)
    return b.result_usage_ledger_declared_micros(books.call(LEDGER, call))


# REFUSALS: DECLARATIONS


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"seq": 0}, b.SequenceUnexpected(1, 0)),
        ({"seq": 2}, b.SequenceUnexpected(1, 2)),
        ({"count": 0}, b.BatchEmpty()),
        ({"root": ZERO}, b.BatchEmpty()),
        ({"period": 202600}, b.PeriodInvalid(202600)),
        ({"period": 202613}, b.PeriodInvalid(202613)),
        ({"period": 10}, b.PeriodInvalid(10)),
        ({"agreement_id": AgreementId(keccak(b"?"))}, b.AgreementUnknown(AgreementId(keccak(b"?")))),
        ({"creditor": US.id}, b.NotAParty(AGREED, US.id)),
        ({"agreement_id": agreement_id(CN_US)}, b.NotAParty(agreement_id(CN_US), GB.id)),
        ({"corrects": keccak(b"a batch")}, b.CorrectedDeclarationMissing(BatchId(keccak(b"a batch")))),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(
    books: Books, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        books.call(LEDGER, declare(books, replace(declaration(CN, GB), **changes)))


def test_a_third_carrier_declares_nothing(books: Books) -> None:
    with refused(b.DeclarerNotAParty(AGREED, US.id)):
        books.call(LEDGER, declare(books, declaration(US, GB)))


def test_a_service_that_is_not_agreed_is_not_declared(books: Books) -> None:
    voice_only = sign_agreement(books, terms(CN, GB, services=0b0001), CN, GB)
    with refused(b.ServiceNotAgreed(voice_only, Service.DATA)):
        books.call(LEDGER, declare(books, declaration(CN, GB, agreement_id=voice_only, service=Service.DATA)))


@pytest.mark.parametrize(
    ("from_ms", "to_ms"),
    [(OCTOBER * 1000 + 1, OCTOBER * 1000), (OCTOBER * 1000, (NOVEMBER + DAY) * 1000)],
    ids=["the last event before the first", "events that have not happened yet"],
)
def test_event_times_that_cannot_be_are_refused(books: Books, from_ms: int, to_ms: int) -> None:
    with pytest.raises(b.EventTimesInvalid) as caught:
        books.call(LEDGER, declare(books, declaration(CN, GB, from_ms=from_ms, to_ms=to_ms)))
    assert (caught.value.from_ms, caught.value.to_ms) == (from_ms, to_ms)


def test_a_declaration_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(LEDGER, declare(books, declaration(CN, GB, deadline=books.now() - 1)))


def test_a_declaration_signed_by_the_other_side_is_refused(books: Books) -> None:
    fresh = declaration(CN, GB)
    with refused(b.SignerNotAuthorised(CN.id, GB.address)):
        books.call(LEDGER, b.calldata_usage_ledger_declare(fresh, books.signed(GB, fresh, LEDGER)))


def test_the_same_declaration_counts_once(books: Books) -> None:
    first = declare(books, declaration(CN, GB))
    books.send(LEDGER, first)
    with refused(b.SequenceUnexpected(2, 1)):
        books.call(LEDGER, first)


def test_many_declarations_are_taken_all_or_none(books: Books) -> None:
    series = [declaration(CN, GB, seq=seq) for seq in (1, 2, 4)]
    signatures = tuple(books.signed(CN, declared, LEDGER) for declared in series)
    with refused(b.SequenceUnexpected(3, 4)):
        books.call(LEDGER, b.calldata_usage_ledger_declare_many(tuple(series), signatures))
    with refused(b.SignaturesMismatch(3, 2)):
        books.call(LEDGER, b.calldata_usage_ledger_declare_many(tuple(series), signatures[:2]))
    with refused(b.DeclarationsTooMany(100, 101)):
        books.call(LEDGER, b.calldata_usage_ledger_declare_many((series[0],) * 101, (signatures[0],) * 101))
    with refused(b.CorrectedDeclarationMissing(BatchId(keccak(b"?")))):
        late = declaration(CN, GB, corrects=keccak(b"?"))
        books.call(LEDGER, b.calldata_usage_ledger_declare_many((late,), (books.signed(CN, late, LEDGER),)))


# REFUSALS: ADJUSTMENTS


def test_an_adjustment_brings_the_very_declaration_it_corrects(books: Books) -> None:
    first, other = declaration(CN, GB), declaration(CN, GB, amount_micros=1)
    books.send(LEDGER, declare(books, first))
    late = declaration(CN, GB, seq=2, corrects=batch_id(books, first))
    mismatch = b.CorrectedDeclarationMismatch(BatchId(batch_id(books, first)), BatchId(batch_id(books, other)))
    with refused(mismatch):
        books.call(LEDGER, adjust(books, late, other))


def test_a_batch_that_was_never_declared_cannot_be_corrected(books: Books) -> None:
    never = declaration(CN, GB, amount_micros=1)
    late = declaration(CN, GB, corrects=batch_id(books, never))
    with refused(b.BatchUnknown(BatchId(batch_id(books, never)))):
        books.call(LEDGER, adjust(books, late, never))


@pytest.mark.parametrize(
    "changes",
    [
        {"declarer": GB.id},
        {"creditor": CN.id},
        {"agreement_id": agreement_id(CN_US), "creditor": US.id},
        {"service": Service.SMS},
    ],
    ids=["declarer", "creditor", "agreement", "service"],
)
def test_a_batch_of_another_stream_cannot_be_corrected(books: Books, changes: Mapping[str, Any]) -> None:
    theirs = replace(declaration(CN, GB), **changes)
    books.send(LEDGER, declare(books, theirs))
    late = declaration(CN, GB, seq=2 if "service" in changes else 1, corrects=batch_id(books, theirs))
    with refused(b.CorrectsAnotherStream(BatchId(batch_id(books, theirs)))):
        books.call(LEDGER, adjust(books, late, theirs))


def test_an_adjustment_goes_into_an_open_period_only(books: Books) -> None:
    first = declaration(CN, GB)
    books.send(LEDGER, declare(books, first))
    close_both(books)
    late = declaration(CN, GB, seq=2, corrects=batch_id(books, first))
    with refused(b.PeriodAlreadyClosed(AGREED, CN.id, PERIOD)):
        books.call(LEDGER, adjust(books, late, first))
    books.send(LEDGER, adjust(books, replace(late, period=202611), first))
    assert declared_micros(books, CN.id, GB.id, 202611) == late.amount_micros


# REFUSALS: CLOSE


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"creditor_seq": 0}, b.SequenceUnexpected(1, 0)),
        ({"creditor_seq": 2}, b.SequenceUnexpected(1, 2)),
        ({"debtor_seq": 1}, b.SequenceUnexpected(2, 1)),
        ({"debtor_seq": 3}, b.SequenceUnexpected(2, 3)),
        ({"period": 202613}, b.PeriodInvalid(202613)),
    ],
)
def test_a_close_names_the_last_of_both_streams(
    books: Books, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    for creditor in (CN, GB, GB):
        post(books, CN, creditor, 1)
    with refused(refusal):
        books.call(LEDGER, close(books, period_close(books, CN, **changes)))


def test_only_a_party_closes_and_only_for_itself(books: Books) -> None:
    closing = period_close(books, CN)
    with refused(b.SignerNotAuthorised(CN.id, GB.address)):
        books.call(LEDGER, b.calldata_usage_ledger_close_period(closing, books.signed(GB, closing, LEDGER)))
    theirs = replace(closing, declarer=US.id)
    with refused(b.NotAParty(AGREED, US.id)):
        books.call(LEDGER, b.calldata_usage_ledger_close_period(theirs, books.signed(US, theirs, LEDGER)))


def test_a_close_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(LEDGER, close(books, period_close(books, CN, deadline=books.now() - 1)))


def test_a_period_is_closed_once_and_takes_nothing_more(books: Books) -> None:
    post(books, CN, GB, 1)
    closing = close(books, period_close(books, CN))
    books.send(LEDGER, closing)
    with refused(b.PeriodAlreadyClosed(AGREED, CN.id, PERIOD)):
        books.call(LEDGER, closing)
    for creditor, seq in ((GB, 2), (CN, 1)):
        with refused(b.PeriodAlreadyClosed(AGREED, CN.id, PERIOD)):
            books.call(LEDGER, declare(books, declaration(CN, creditor, seq=seq)))


def test_a_closed_period_closes_what_came_before_it(books: Books) -> None:
    books.send(LEDGER, close(books, period_close(books, CN)))
    with refused(b.PeriodAlreadyClosed(AGREED, CN.id, 202609)):
        books.call(LEDGER, declare(books, declaration(CN, GB, period=202609)))
    books.send(LEDGER, close(books, period_close(books, CN, period=202609)))
    books.call(LEDGER, declare(books, declaration(CN, GB, period=202611)))


# REFUSALS: LATE USAGE


EARLIEST_MS = 1000 * (NOVEMBER - DAY)
"""Of November's usage: a day is left for the accounting zone, since Shanghai's begins on 31 October at 16:00 UTC."""


def test_usage_from_before_its_period_goes_in_as_an_adjustment_only(books: Books) -> None:
    """Through no door, alone, among many or inline."""
    late = declaration(CN, GB, period=202611, count=1, from_ms=EARLIEST_MS - 1)
    signature = books.signed(CN, late, LEDGER)
    for call in (
        b.calldata_usage_ledger_declare(late, signature),
        b.calldata_usage_ledger_declare_many((late,), (signature,)),
        b.calldata_usage_ledger_declare_inline(late, (), bytes(48), signature),
    ):
        with refused(b.UsageIsLate(EARLIEST_MS - 1, EARLIEST_MS)):
            books.call(LEDGER, call)


def test_usage_of_the_day_before_its_period_may_belong_to_it(books: Books) -> None:
    books.call(LEDGER, declare(books, declaration(CN, GB, period=202611, from_ms=EARLIEST_MS)))


# REFUSALS: EQUIVOCATION


def proof(books: Books, first: b.Declaration, second: b.Declaration) -> bytes:
    return b.calldata_usage_ledger_prove_equivocation(
        first, books.signed(CN, first, LEDGER), second, books.signed(CN, second, LEDGER)
    )


@pytest.mark.parametrize("changes", [{}, {"seq": 2}, {"creditor": CN.id}, {"agreement_id": agreement_id(CN_US)}])
def test_saying_one_thing_once_is_no_equivocation(books: Books, changes: Mapping[str, Any]) -> None:
    first, second = declaration(CN, GB), replace(declaration(CN, GB), **changes)
    ids = (BatchId(batch_id(books, first)), BatchId(batch_id(books, second)))
    with refused(b.NotEquivocation(*ids)):
        books.call(LEDGER, proof(books, first, second))


def test_nobody_is_convicted_by_a_signature_of_somebody_else(books: Books) -> None:
    first, second = declaration(CN, GB), declaration(CN, GB, amount_micros=1)
    forged = b.calldata_usage_ledger_prove_equivocation(
        first, books.signed(CN, first, LEDGER), second, books.signed(STRANGER, second, LEDGER)
    )
    with refused(b.SignerNotAuthorised(CN.id, STRANGER.address)):
        books.call(LEDGER, forged)


# WHAT IS RIGHT


def test_a_declaration_stands_in_the_log_as_it_was_signed(books: Books) -> None:
    fresh = declaration(CN, GB)
    declared = books.send(LEDGER, declare(books, fresh)).only(b.UsageDeclared)
    assert declared.declaration == fresh
    assert declared.batch_id == batch_id(books, fresh)
    assert (declared.agreement_id, declared.declarer) == (AGREED, CN.id)
    assert declared.declared_at == books.now()


def test_the_creditors_declaration_raises_the_exposure_and_the_debtors_does_not(books: Books) -> None:
    post(books, GB, GB, 7_000_000)
    post(books, CN, GB, 6_000_000)
    assert exposure(books, GB) == 7_000_000
    assert (declared_micros(books, GB.id, GB.id), declared_micros(books, CN.id, GB.id)) == (7_000_000, 6_000_000)


def test_a_sequence_runs_through_services_and_periods_of_one_direction(books: Books) -> None:
    lines = ((Service.VOICE, PERIOD), (Service.SMS, PERIOD), (Service.VOICE, PERIOD + 1))
    for seq, (service, period) in enumerate(lines, start=1):
        fresh = declaration(CN, GB, seq=seq, service=service, period=period)
        books.send(LEDGER, declare(books, fresh))
    call = b.calldata_usage_ledger_last_seq(AGREED, CN.id, GB.id)
    assert b.result_usage_ledger_last_seq(books.call(LEDGER, call)) == 3


def test_many_declarations_go_in_one_transaction(books: Books) -> None:
    series = tuple(declaration(GB, GB, seq=seq) for seq in range(1, 11))
    signatures = tuple(books.signed(GB, declared, LEDGER) for declared in series)
    receipt = books.send(LEDGER, b.calldata_usage_ledger_declare_many(series, signatures))
    assert [event.declaration for event in receipt.all(b.UsageDeclared)] == list(series)
    assert exposure(books, GB) == 100_000_000


def test_both_sides_close_with_the_times_on_record(books: Books) -> None:
    post(books, CN, GB, 1)
    close_both(books)
    for carrier in (CN, GB):
        call = b.calldata_usage_ledger_closed_at(AGREED, carrier.id, PERIOD)
        assert NOVEMBER <= b.result_usage_ledger_closed_at(books.call(LEDGER, call)) <= books.now()


def test_two_declarations_for_one_place_convict_their_declarer(books: Books) -> None:
    first, second = declaration(CN, GB), declaration(CN, GB, amount_micros=1)
    books.send(LEDGER, declare(books, first))
    proven = books.send(LEDGER, proof(books, first, second), account=5).only(b.EquivocationProven)
    assert (proven.declarer, proven.seq) == (CN.id, 1)
    assert {proven.first, proven.second} == {batch_id(books, first), batch_id(books, second)}


def test_whoever_pays_the_gas_the_signer_is_the_declarer(books: Books) -> None:
    receipt = books.send(LEDGER, declare(books, declaration(CN, GB)), account=7)
    assert receipt.only(b.UsageDeclared).declarer == CN.id
