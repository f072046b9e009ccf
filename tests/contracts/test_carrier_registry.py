"""Who may sign for whom, and who decides it?"""

from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import ascii32
from tests.contracts.books import (
    CN,
    DAY,
    DELAY_SECONDS,
    EUR,
    GB,
    MEMBERS,
    STRANGER,
    US,
    USD,
    ZERO,
    Books,
    refused,
    registry_arguments,
)
from tests.contracts.month import close, credit_line, decide, declaration, declare, grant, period_close, propose
from tests.contracts.registry import REGISTRY, granted, is_key, key_grant

EIGHTEEN = bytes.fromhex("69601260005260206000f3600052600a6016f3")
"""Creation code of a contract that answers 18 to every call."""


# REFUSALS: FOUNDING


@pytest.mark.parametrize("threshold", [0, 2, 6])
def test_fewer_than_a_majority_or_more_than_all_cannot_decide(books: Books, threshold: int) -> None:
    with refused(b.ThresholdInvalid(threshold, 5)):
        books.creation(REGISTRY, registry_arguments(books, threshold=threshold))


def test_no_member_counts_twice(books: Books) -> None:
    twice = books.accounts[8]
    with refused(b.MemberRepeated(twice)):
        books.creation(REGISTRY, registry_arguments(books, members=(twice, twice, books.accounts[9]), threshold=2))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"founding_keys": (CN.address,)}, b.LengthsMismatch(3, 1)),
        ({"currencies": ()}, b.LengthsMismatch(1, 0)),
        ({"founding_carriers": (CN.id, CN.id, US.id)}, b.CarrierAlreadyAdmitted(CN.id)),
        ({"founding_keys": (CN.address, CN.address, US.address)}, b.KeyAlreadyTaken(CN.address, CN.id)),
        ({"founding_carriers": (CN.id, ZERO, US.id)}, b.CarrierUnknown(ZERO)),
    ],
)
def test_a_registry_is_not_founded_on_contradictions(
    books: Books, changes: dict[str, Any], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        books.creation(REGISTRY, registry_arguments(books, **changes))


def test_a_token_of_no_currency_is_not_listed(books: Books) -> None:
    with refused(b.CurrencyEmpty(books.addresses["USD"])):
        books.creation(REGISTRY, registry_arguments(books, currencies=(ZERO,)))


def test_an_igw_comes_and_goes_32_times(books: Books) -> None:
    """What a declaration has to search through has an end."""
    stretches = [
        b.IgwListing(ascii32("GLOBAL-BEIJING"), b.IgwKind.GLOBAL_BUREAU, 2 * day * DAY, (2 * day + 1) * DAY)
        for day in range(1, 34)
    ]
    books.creation(REGISTRY, registry_arguments(books, igws=tuple(stretches[:32])))
    with refused(b.ValiditiesTooMany(32)):
        books.creation(REGISTRY, registry_arguments(books, igws=tuple(stretches)))


# REFUSALS: GOVERNANCE


def test_a_stranger_neither_proposes_nor_approves(books: Books) -> None:
    proposal_id = propose(books, b.calldata_carrier_registry_suspend(CN.id), approvals=1)
    with refused(b.NotAMember(books.accounts[0])):
        books.call(REGISTRY, b.calldata_carrier_registry_propose(b"call", ZERO))
    with refused(b.NotAMember(books.accounts[0])):
        books.call(REGISTRY, b.calldata_carrier_registry_approve(proposal_id))


@pytest.mark.parametrize(
    "call",
    [
        b.calldata_carrier_registry_admit(STRANGER.id, STRANGER.address),
        b.calldata_carrier_registry_suspend(CN.id),
        b.calldata_carrier_registry_reinstate(CN.id),
        b.calldata_carrier_registry_remove(CN.id),
    ],
)
def test_not_even_a_member_decides_alone(books: Books, call: bytes) -> None:
    with refused(b.NotTheMembers(books.accounts[MEMBERS[0]])):
        books.call(REGISTRY, call, MEMBERS[0])


def test_a_member_approves_once(books: Books) -> None:
    proposal_id = propose(books, b.calldata_carrier_registry_suspend(CN.id), approvals=2)
    for member in MEMBERS[:2]:
        with refused(b.AlreadyApproved(proposal_id, books.accounts[member])):
            books.call(REGISTRY, b.calldata_carrier_registry_approve(proposal_id), member)


def test_what_nobody_proposed_is_neither_approved_nor_executed(books: Books) -> None:
    unknown = keccak(b"unknown")
    with refused(b.ProposalUnknown(unknown)):
        books.call(REGISTRY, b.calldata_carrier_registry_approve(unknown), MEMBERS[0])
    with refused(b.ProposalUnknown(unknown)):
        books.call(REGISTRY, b.calldata_carrier_registry_execute(unknown))


def test_the_same_proposal_is_made_once(books: Books) -> None:
    call = b.calldata_carrier_registry_suspend(CN.id)
    proposal_id = propose(books, call, approvals=1)
    with refused(b.ProposalAlreadyMade(proposal_id)):
        books.call(REGISTRY, b.calldata_carrier_registry_propose(call, ZERO), MEMBERS[1])


def test_two_of_three_approvals_are_not_enough_however_long_one_waits(books: Books) -> None:
    proposal_id = propose(books, b.calldata_carrier_registry_suspend(CN.id), approvals=2)
    books.chain.advance_to(books.now() + 10 * DELAY_SECONDS)
    with pytest.raises(b.ProposalNotReady) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    assert (caught.value.approvals, caught.value.threshold, caught.value.ready_at) == (2, 3, 0)


def test_the_delay_starts_with_the_last_approval_needed(books: Books) -> None:
    proposal_id = propose(books, b.calldata_carrier_registry_suspend(CN.id), approvals=2)
    books.chain.advance_to(books.now() + 10 * DELAY_SECONDS)
    approved = books.send(REGISTRY, b.calldata_carrier_registry_approve(proposal_id), MEMBERS[2])
    ready_at = approved.only(b.ProposalApproved).ready_at
    assert ready_at == books.now() + DELAY_SECONDS
    books.chain.advance_to(ready_at - 60)
    with pytest.raises(b.ProposalNotReady):
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    books.chain.advance_to(ready_at)
    books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))


def test_a_proposal_is_executed_once(books: Books) -> None:
    proposal_id = propose(books, b.calldata_carrier_registry_suspend(CN.id))
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    books.send(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    with refused(b.ProposalAlreadyExecuted(proposal_id)):
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (b.calldata_carrier_registry_admit(CN.id, STRANGER.address), b.CarrierAlreadyAdmitted(CN.id)),
        (b.calldata_carrier_registry_admit(STRANGER.id, GB.address), b.KeyAlreadyTaken(GB.address, GB.id)),
        (b.calldata_carrier_registry_suspend(STRANGER.id), b.CarrierUnknown(STRANGER.id)),
        (b.calldata_carrier_registry_reinstate(CN.id), b.CarrierAlreadyActive(CN.id)),
    ],
)
def test_what_the_members_cannot_do_fails_with_its_reason(books: Books, call: bytes, refusal: TypedRefusal) -> None:
    proposal_id = propose(books, call)
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalFailed) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    assert b.error_of(caught.value.reason).members == refusal.members


def test_a_token_without_six_decimals_is_not_listed(books: Books) -> None:
    token = books.deploy("Eighteen", code=EIGHTEEN)
    proposal_id = propose(books, b.calldata_carrier_registry_list_token(token, USD))
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalFailed) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    assert b.error_of(caught.value.reason).members == b.TokenDecimalsUnexpected(token, 6, 18).members


def test_a_listed_token_never_changes_its_currency(books: Books) -> None:
    token = books.addresses["USD"]
    proposal_id = propose(books, b.calldata_carrier_registry_list_token(token, EUR))
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalFailed) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    assert b.error_of(caught.value.reason).members == b.TokenAlreadyListed(token).members


def test_an_empty_call_is_approved_once_and_does_nothing(books: Books) -> None:
    proposal_id = propose(books, b"")
    with refused(b.ProposalAlreadyMade(proposal_id)):
        books.call(REGISTRY, b.calldata_carrier_registry_propose(b"", ZERO), MEMBERS[0])
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with refused(b.ProposalFailed(proposal_id, b"")):
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))


# REFUSALS: KEYS


# REFUSALS: A REMOVED CARRIER


def test_removal_is_final(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_remove(CN.id))
    for call, refusal in (
        (b.calldata_carrier_registry_reinstate(CN.id), b.CarrierIsRemoved(CN.id)),
        (b.calldata_carrier_registry_suspend(CN.id), b.CarrierIsRemoved(CN.id)),
        (b.calldata_carrier_registry_admit(CN.id, STRANGER.address), b.CarrierAlreadyAdmitted(CN.id)),
    ):
        with pytest.raises(b.ProposalFailed) as caught:
            decide(books, call)
        assert b.error_of(caught.value.reason).members == refusal.members


def test_a_removed_carrier_makes_no_new_business(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_remove(CN.id))
    with refused(b.CarrierNotActive(CN.id)):
        books.call("UsageLedger", declare(books, declaration(CN, GB)))


def test_a_removed_carrier_settles_what_stands(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_remove(CN.id))
    books.send("UsageLedger", close(books, period_close(books, CN)))
    books.send(REGISTRY, granted(books, key_grant()))


# WHAT IS RIGHT


def test_three_of_five_admit_a_carrier_after_the_delay(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_admit(STRANGER.id, STRANGER.address))
    call = b.calldata_carrier_registry_is_active(STRANGER.id)
    assert b.result_carrier_registry_is_active(books.call(REGISTRY, call))
    assert is_key(books, STRANGER, books.now())
    assert not is_key(books, STRANGER, books.now() - DAY)


def test_a_suspended_carrier_makes_no_new_business_until_it_is_reinstated(books: Books) -> None:
    fresh, line = declaration(CN, GB), credit_line(CN, nonce=2)
    decide(books, b.calldata_carrier_registry_suspend(CN.id))
    with refused(b.CarrierNotActive(CN.id)):
        books.call("UsageLedger", declare(books, fresh))
    with refused(b.CarrierNotActive(CN.id)):
        books.call("CreditBook", grant(books, CN, line))
    decide(books, b.calldata_carrier_registry_reinstate(CN.id))
    books.call("UsageLedger", declare(books, fresh))


def test_the_members_list_a_token_for_a_currency(books: Books) -> None:
    token = books.addresses["EUR"]
    decide(books, b.calldata_carrier_registry_list_token(token, ascii32("EUR")))
    call = b.calldata_carrier_registry_currency_of_token(token)
    assert b.result_carrier_registry_currency_of_token(books.call(REGISTRY, call)) == EUR
