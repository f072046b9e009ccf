"""Who may sign for whom, and who decides it?"""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import ascii32
from ledger.typed_data import address_of_key
from tests.contracts.books import (
    CN,
    DAY,
    DELAY_SECONDS,
    EUR,
    GB,
    MEMBERS,
    NEVER,
    STRANGER,
    US,
    USD,
    ZERO,
    Books,
    Carrier,
    refused,
    registry_arguments,
)
from tests.contracts.month import close, credit_line, decide, declaration, declare, grant, period_close, propose

REGISTRY = "CarrierRegistry"
EIGHTEEN = bytes.fromhex("69601260005260206000f3600052600a6016f3")
"""Creation code of a contract that answers 18 to every call."""
NEXT = Carrier("CN-T", keccak(b"CN-T, next key"))


def key_grant(**changes: Any) -> b.KeyGrant:
    return replace(b.KeyGrant(CN.id, NEXT.address, 0, 0, 1, NEVER), **changes)


def granted(books: Books, grant: b.KeyGrant, signer: Carrier = CN) -> bytes:
    return b.calldata_carrier_registry_grant_key(grant, books.signed(signer, grant, REGISTRY))


def revoked(books: Books, revocation: b.KeyRevocation, signer: Carrier = CN) -> bytes:
    return b.calldata_carrier_registry_revoke_key(revocation, books.signed(signer, revocation, REGISTRY))


def is_key(books: Books, carrier: Carrier, at: int) -> bool:
    call = b.calldata_carrier_registry_is_key_of(carrier.id, carrier.address, at)
    return b.result_carrier_registry_is_key_of(books.call(REGISTRY, call))


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


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"nonce": 0}, b.NonceUnexpected(1, 0)),
        ({"nonce": 2}, b.NonceUnexpected(1, 2)),
        ({"key": GB.address}, b.KeyAlreadyTaken(GB.address, GB.id)),
        ({"key": CN.address}, b.KeyAlreadyTaken(CN.address, CN.id)),
        ({"key": "0x" + "00" * 20}, b.KeyAlreadyTaken("0x" + "00" * 20, ZERO)),  # type: ignore[arg-type]
        ({"carrier": STRANGER.id}, b.CarrierUnknown(STRANGER.id)),
        ({"valid_from": NEVER - 9, "valid_until": NEVER - 10}, b.KeyWindowEmpty(NEVER - 9, NEVER - 10)),
    ],
)
def test_a_grant_that_does_not_fit_is_refused(books: Books, changes: dict[str, Any], refusal: TypedRefusal) -> None:
    with refused(refusal):
        books.call(REGISTRY, granted(books, key_grant(**changes)))


def test_a_grant_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(REGISTRY, granted(books, key_grant(deadline=books.now() - 1)))


@pytest.mark.parametrize("signer", [NEXT, GB, STRANGER], ids=["the new key itself", "another carrier", "a stranger"])
def test_only_a_valid_key_of_the_carrier_grants_and_revokes(books: Books, signer: Carrier) -> None:
    refusal = b.SignerNotAuthorised(CN.id, signer.address)
    with refused(refusal):
        books.call(REGISTRY, granted(books, key_grant(), signer))
    with refused(refusal):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 1, NEVER), signer))


def test_a_key_that_was_not_granted_cannot_be_revoked(books: Books) -> None:
    with refused(b.KeyNotGranted(CN.id, GB.address)):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, GB.address, 1, NEVER)))


def test_a_revoked_key_signs_nothing_more_and_never_comes_back(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 2, NEVER), NEXT))
    with refused(b.SignerNotAuthorised(CN.id, CN.address)):
        books.call("UsageLedger", declare(books, declaration(CN, GB)))
    with refused(b.KeyAlreadyTaken(CN.address, CN.id)):
        books.call(REGISTRY, granted(books, key_grant(key=CN.address, nonce=3), NEXT))
    with refused(b.KeyNotGranted(CN.id, CN.address)):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 3, NEVER), NEXT))


def test_a_key_signs_only_within_its_window(books: Books) -> None:
    start, end = books.now() + DAY, books.now() + 2 * DAY
    books.send(REGISTRY, granted(books, key_grant(valid_from=start, valid_until=end)))
    fresh = declaration(CN, GB)
    calldata = b.calldata_usage_ledger_declare(fresh, books.signed(NEXT, fresh, "UsageLedger"))
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)
    books.chain.advance_to(start)
    books.call("UsageLedger", calldata)
    books.chain.advance_to(end)
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)


def test_a_key_for_good_signs_from_its_first_day_on(books: Books) -> None:
    start = books.now() + DAY
    books.send(REGISTRY, granted(books, key_grant(valid_from=start)))
    fresh = declaration(CN, GB)
    calldata = b.calldata_usage_ledger_declare(fresh, books.signed(NEXT, fresh, "UsageLedger"))
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)
    books.chain.advance_to(start)
    books.call("UsageLedger", calldata)


def test_the_newest_key_ends_on_its_day_and_the_older_one_signs_on(books: Books) -> None:
    end = books.now() + DAY
    books.send(REGISTRY, granted(books, key_grant(valid_until=end)))
    fresh = declaration(CN, GB)
    ours, theirs = (books.signed(signer, fresh, "UsageLedger") for signer in (CN, NEXT))
    for signature in (ours, theirs):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, signature))
    books.chain.advance_to(end)
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, theirs))
    books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, ours))


def test_a_revoked_newest_key_leaves_the_older_one_valid(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, NEXT.address, 2, NEVER)))
    fresh = declaration(CN, GB)
    signature = books.signed(NEXT, fresh, "UsageLedger")
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, signature))
    books.call("UsageLedger", declare(books, fresh))


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


def test_a_suspended_carrier_can_still_lock_out_a_stolen_key(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_suspend(CN.id))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 1, NEVER)))
    assert not is_key(books, CN, books.now())


def test_what_a_key_signed_before_its_revocation_stays_valid(books: Books) -> None:
    signed_at = books.now()
    batch_id = books.send("UsageLedger", declare(books, declaration(CN, GB))).only(b.UsageDeclared).batch_id
    books.chain.advance_to(signed_at + DAY)
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 2, NEVER), NEXT))
    assert is_key(books, CN, signed_at)
    assert books.call("UsageLedger", b.calldata_usage_ledger_root_of(batch_id)) == declaration(CN, GB).root


def test_a_grant_never_reaches_back_before_its_block(books: Books) -> None:
    granted_key = books.send(REGISTRY, granted(books, key_grant(valid_from=1))).only(b.KeyGranted)
    assert granted_key.valid_from == books.now()
    assert not is_key(books, NEXT, books.now() - 1)


def test_each_grant_and_revocation_uses_up_one_nonce(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    call = b.calldata_carrier_registry_nonce_of(CN.id)
    assert b.result_carrier_registry_nonce_of(books.call(REGISTRY, call)) == 2
    with refused(b.NonceUnexpected(2, 1)):
        books.call(REGISTRY, granted(books, key_grant(key=address_of_key(keccak(b"another")))))


def test_the_members_list_a_token_for_a_currency(books: Books) -> None:
    token = books.addresses["EUR"]
    decide(books, b.calldata_carrier_registry_list_token(token, ascii32("EUR")))
    call = b.calldata_carrier_registry_currency_of_token(token)
    assert b.result_carrier_registry_currency_of_token(books.call(REGISTRY, call)) == EUR
