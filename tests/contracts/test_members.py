"""Who are the members, and how do they change without ever losing their majority?"""

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import address_of
from ledger.chain.bound import TypedRefusal
from ledger.identity import Address
from tests.contracts.books import CN, DELAY_SECONDS, MEMBERS, ZERO, Books, refused
from tests.contracts.month import decide, propose

REGISTRY = "CarrierRegistry"
NOBODY = address_of(bytes(20))
NEW = 13
"""The account of one who may become a member."""
ACCEPT = b.calldata_carrier_registry_accept_membership()


def invite(books: Books, replaces: Address, threshold: int, invited: int = NEW) -> bytes:
    account = books.accounts[invited]
    return b.calldata_carrier_registry_invite_member(account, replaces, threshold)


def remove(books: Books, member: int, threshold: int) -> bytes:
    return b.calldata_carrier_registry_remove_member(books.accounts[member], threshold)


def is_member(books: Books, account: int) -> bool:
    call = b.calldata_carrier_registry_is_member(books.accounts[account])
    return b.result_carrier_registry_is_member(books.call(REGISTRY, call))


def counted(books: Books) -> tuple[int, int]:
    """Members and threshold."""
    members = books.call(REGISTRY, b.calldata_carrier_registry_member_count())
    threshold = books.call(REGISTRY, b.calldata_carrier_registry_threshold())
    return b.result_carrier_registry_member_count(members), b.result_carrier_registry_threshold(threshold)


def refused_by_the_members(books: Books, call: bytes, refusal: TypedRefusal) -> None:
    """Approved, ready, and refused when it is executed."""
    proposal_id = propose(books, call)
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalFailed) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    found = b.error_of(caught.value.reason)
    assert (type(found), found.members) == (type(refusal), refusal.members)


# REFUSALS


def test_no_member_changes_the_members_alone(books: Books) -> None:
    calls = (
        invite(books, NOBODY, 4),
        remove(books, MEMBERS[4], 3),
        b.calldata_carrier_registry_change_threshold(4),
    )
    for call in calls:
        with refused(b.NotTheMembers(books.accounts[MEMBERS[0]])):
            books.call(REGISTRY, call, MEMBERS[0])


@pytest.mark.parametrize("threshold", [0, 2, 6])
def test_the_threshold_stays_a_majority(books: Books, threshold: int) -> None:
    call = b.calldata_carrier_registry_change_threshold(threshold)
    refused_by_the_members(books, call, b.ThresholdInvalid(threshold, 5))


@pytest.mark.parametrize("threshold", [2, 5])
def test_the_threshold_stays_a_majority_of_those_who_remain(books: Books, threshold: int) -> None:
    refused_by_the_members(books, remove(books, MEMBERS[4], threshold), b.ThresholdInvalid(threshold, 4))


@pytest.mark.parametrize("threshold", [3, 7])
def test_the_threshold_stays_a_majority_with_the_new_one(books: Books, threshold: int) -> None:
    refused_by_the_members(books, invite(books, NOBODY, threshold), b.ThresholdInvalid(threshold, 6))


def test_a_member_is_not_invited_again(books: Books) -> None:
    member = books.accounts[MEMBERS[1]]
    refused_by_the_members(books, invite(books, NOBODY, 4, MEMBERS[1]), b.MemberRepeated(member))


def test_nobody_is_not_invited(books: Books) -> None:
    call = b.calldata_carrier_registry_invite_member(NOBODY, NOBODY, 4)
    refused_by_the_members(books, call, b.MemberRepeated(NOBODY))


def test_who_is_no_member_is_neither_replaced_nor_removed(books: Books) -> None:
    stranger = books.accounts[0]
    refused_by_the_members(books, invite(books, stranger, 3), b.NotAMember(stranger))
    refused_by_the_members(books, remove(books, 0, 3), b.NotAMember(stranger))


def test_who_was_not_invited_does_not_join(books: Books) -> None:
    with refused(b.NotInvited(books.accounts[NEW])):
        books.call(REGISTRY, ACCEPT, NEW)


def test_an_invitation_is_accepted_once(books: Books) -> None:
    decide(books, invite(books, NOBODY, 4))
    books.send(REGISTRY, ACCEPT, NEW)
    with refused(b.NotInvited(books.accounts[NEW])):
        books.call(REGISTRY, ACCEPT, NEW)


def test_a_change_of_the_members_voids_open_invitations(books: Books) -> None:
    decide(books, invite(books, NOBODY, 4))
    decide(books, b.calldata_carrier_registry_change_threshold(4))
    with refused(b.NotInvited(books.accounts[NEW])):
        books.call(REGISTRY, ACCEPT, NEW)


def test_a_change_of_the_members_voids_open_proposals(books: Books) -> None:
    """Else approvals of one who has gone would still count."""
    open_id = propose(books, b.calldata_carrier_registry_suspend(CN.id))
    decide(books, remove(books, MEMBERS[0], 3))
    with refused(b.ProposalOutdated(open_id)):
        books.call(REGISTRY, b.calldata_carrier_registry_execute(open_id))
    with refused(b.ProposalOutdated(open_id)):
        books.call(REGISTRY, b.calldata_carrier_registry_approve(open_id), MEMBERS[4])


def test_a_member_that_was_removed_decides_nothing_more(books: Books) -> None:
    decide(books, remove(books, MEMBERS[4], 3))
    with refused(b.NotAMember(books.accounts[MEMBERS[4]])):
        books.call(REGISTRY, b.calldata_carrier_registry_propose(b"call", ZERO), MEMBERS[4])


def test_the_last_member_cannot_vanish(books: Books) -> None:
    for count, threshold in ((4, 3), (3, 2), (2, 2), (1, 1)):
        leaving = remove(books, MEMBERS[count], threshold)
        proposal_id = propose(books, leaving, approvals=counted(books)[1])
        books.chain.advance_to(books.now() + DELAY_SECONDS)
        books.send(REGISTRY, b.calldata_carrier_registry_execute(proposal_id))
    assert counted(books) == (1, 1)
    last = propose(books, remove(books, MEMBERS[0], 1), approvals=1)
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalFailed) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(last))
    assert isinstance(b.error_of(caught.value.reason), b.LastMember)


# WHAT IS RIGHT


def test_the_founders_are_told(books: Books) -> None:
    assert counted(books) == (5, 3)
    assert all(is_member(books, member) for member in MEMBERS)


def test_an_invited_member_joins_only_when_it_accepts(books: Books) -> None:
    decide(books, invite(books, NOBODY, 4))
    assert (is_member(books, NEW), counted(books)) == (False, (5, 3))
    joined = books.send(REGISTRY, ACCEPT, NEW).only(b.MemberJoined)
    assert (joined.member, joined.replaces, joined.threshold) == (books.accounts[NEW], NOBODY, 4)
    assert (is_member(books, NEW), counted(books)) == (True, (6, 4))


def test_a_member_is_replaced_when_the_new_one_accepts(books: Books) -> None:
    decide(books, invite(books, books.accounts[MEMBERS[0]], 3))
    assert is_member(books, MEMBERS[0])
    books.send(REGISTRY, ACCEPT, NEW)
    assert (is_member(books, NEW), is_member(books, MEMBERS[0]), counted(books)) == (True, False, (5, 3))


def test_a_raised_threshold_holds_for_the_next_proposal(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_change_threshold(4))
    three = propose(books, b.calldata_carrier_registry_suspend(CN.id), approvals=3)
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    with pytest.raises(b.ProposalNotReady) as caught:
        books.call(REGISTRY, b.calldata_carrier_registry_execute(three))
    assert (caught.value.approvals, caught.value.threshold) == (3, 4)
