"""Do the members' words become proposals, approvals and executions, once each, and do non-members hear no?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import month
from gateway.composition import Gateway
from gateway.month.decisions import DECISIONS, call_of, told
from gateway.month.governing import proposal_id_of
from gateway.refusals import passes, stands
from ledger.canonical import canonical_hash
from ledger.chain.bindings import (
    CarrierAdmitted,
    MemberInvited,
    MemberJoined,
    MemberRemoved,
    ProposalAlreadyExecuted,
    ProposalAlreadyMade,
    ProposalApproved,
    ProposalExecuted,
    ProposalMade,
    ProposalNotReady,
    calldata_carrier_registry_approve,
    calldata_carrier_registry_execute,
    calldata_carrier_registry_propose,
)
from ledger.chain.client import ChainClient
from ledger.errors import Conflict, Malformed, NotFound, Refused
from ledger.identity import Address, ascii32
from ledger.store.engine import reading, writing
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.typed_data import address_of_key
from tests.gateway.chain_rows import said
from tests.gateway.homes import SENDING_KEY, lonely_gateway

NOBODY = Address("0x" + "00" * 20)
US = address_of_key(SENDING_KEY)
OTHERS = [address_of_key(bytes(31) + bytes([at])) for at in (101, 102, 103)]
GRANT = {"carrier": "GB-B", "licence": "BASIC-INTL", "from": "2026-09-01"}
READY = 5_000


class Stopped:
    def __init__(self, at_s: int) -> None:
        self.at_s = at_s

    def now_ms(self) -> int:
        return self.at_s * 1_000


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A member's gateway: 2 of 3 decide."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(ChainClient, "view", lambda *_: 3 * 86_400)
    made = replace(lonely_gateway(tmp_path), clock=Stopped(READY - 1))
    chain_says(made, *(MemberJoined(each, NOBODY, 2) for each in (US, *OTHERS[:2])))
    yield made
    made.close()


def chain_says(gateway: Gateway, *events: object) -> None:
    with writing(gateway.engine) as connection:
        said(connection, *events)  # type: ignore[arg-type]


def proposed(gateway: Gateway, by: Address = OTHERS[0], salt: int = 0) -> bytes:
    """A member proposed GRANT."""
    call = call_of("grant-licence", GRANT)
    proposal_id = proposal_id_of(call, canonical_hash("proposal", [call, salt]))
    chain_says(gateway, ProposalMade(proposal_id, by, call), ProposalApproved(proposal_id, by, 1, 0))
    return proposal_id


def sent(gateway: Gateway) -> list[SubmissionRow]:
    with reading(gateway.engine) as connection:
        return list_submissions(connection)


@pytest.mark.parametrize(
    ("word", "given", "told_"),
    [
        ("dissolve", {}, "grant-licence"),
        ("suspend", {}, "lacks --carrier"),
        ("suspend", {"carrier": "GB-B", "key": US}, "takes no --key"),
        ("suspend", {"carrier": "gb-b"}, "carrier code"),
        ("admit", {"carrier": "GB-B", "key": US.lower()}, "not an address"),
        ("grant-licence", {**GRANT, "from": "soon"}, "not a date"),
        ("list-igw", {"igw": "BORDER-TUMEN", "kind": "tunnel", "from": "2026-09-01"}, "global, regional"),
        ("change-threshold", {"threshold": "٣"}, "number of members"),
    ],
)
def test_a_decision_that_says_too_little_or_too_much_is_refused(
    gateway: Gateway, word: str, given: dict[str, str], told_: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        month.propose(gateway, word, given)
    assert told_ in str(refusal.value)
    assert sent(gateway) == []


def test_a_home_that_is_no_member_proposes_and_approves_nothing(gateway: Gateway) -> None:
    proposal_id = proposed(gateway)
    chain_says(gateway, MemberRemoved(US, 2))
    for word in (
        lambda: month.propose(gateway, "suspend", {"carrier": "GB-B"}),
        lambda: month.approve(gateway, proposal_id),
    ):
        with pytest.raises(Refused, match="only members") as refusal:
            word()
        assert US in str(refusal.value.got)
    assert sent(gateway) == []


def test_a_proposal_is_made_once_however_often_it_is_said(gateway: Gateway) -> None:
    dry = month.propose(gateway, "grant-licence", GRANT, dry_run=True)
    assert sent(gateway) == []
    first, again = (month.propose(gateway, "grant-licence", GRANT) for _ in range(2))

    (row,) = sent(gateway)
    call = call_of("grant-licence", GRANT)
    assert dry.proposal_id == first.proposal_id == again.proposal_id == row.subject
    assert row.calldata == calldata_carrier_registry_propose(call, canonical_hash("proposal", [call, 0]))
    assert first.decision.arguments == {**GRANT, "from": "2026-09-01T00:00:00Z", "until": ""}


def test_proposing_what_another_member_proposed_approves_it(gateway: Gateway) -> None:
    proposal_id = proposed(gateway)
    answer = month.propose(gateway, "grant-licence", GRANT)

    assert answer.proposal_id == proposal_id
    assert [row.calldata for row in sent(gateway)] == [calldata_carrier_registry_approve(proposal_id)]
    assert month.approve(gateway, proposal_id).submission == answer.submission


def test_what_we_have_approved_needs_no_second_word(gateway: Gateway) -> None:
    proposal_id = proposed(gateway, by=US)
    assert month.approve(gateway, proposal_id).submission is None
    assert month.propose(gateway, "grant-licence", GRANT).submission is None


def test_execution_waits_for_the_approvals_and_is_sent_once(gateway: Gateway) -> None:
    proposal_id = proposed(gateway)
    with pytest.raises(Conflict, match="too few members"):
        month.execute(gateway, proposal_id)
    chain_says(gateway, ProposalApproved(proposal_id, US, 2, READY))
    early, again = (month.execute(gateway, proposal_id) for _ in range(2))
    later = month.execute(replace(gateway, clock=Stopped(READY)), proposal_id)

    assert (early.state, later.state) == ("waits for its delay", "ready")
    assert early.submission == again.submission == later.submission
    assert [row.calldata for row in sent(gateway)] == [calldata_carrier_registry_execute(proposal_id)]


def test_what_is_executed_is_done_and_the_same_may_be_proposed_anew(gateway: Gateway) -> None:
    """The planted fault is a salt that stays: the second proposal would be the first one again."""
    first = proposed(gateway)
    chain_says(gateway, ProposalApproved(first, US, 2, 1), ProposalExecuted(first))
    assert month.execute(gateway, first).state == "executed"
    assert month.approve(gateway, first).state == "executed"
    assert month.propose(gateway, "grant-licence", GRANT).proposal_id != first


def test_a_change_of_the_members_voids_what_is_open(gateway: Gateway) -> None:
    proposal_id = proposed(gateway)
    chain_says(gateway, MemberRemoved(OTHERS[1], 2))
    for verb in (month.approve, month.execute):
        with pytest.raises(Conflict, match="members or their threshold have changed"):
            verb(gateway, proposal_id)
    answer = month.list_members(gateway)
    assert (answer.members, answer.proposals) == ((US, OTHERS[0]), ())


def test_an_unknown_proposal_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(NotFound, match="no such proposal"):
        month.approve(gateway, bytes(32))


def test_an_invited_key_joins_and_an_uninvited_one_is_refused(gateway: Gateway) -> None:
    newcomer = replace(gateway, sending_key=bytes(31) + bytes([103]))
    with pytest.raises(Refused, match="not invited"):
        month.join(newcomer)
    chain_says(gateway, MemberInvited(OTHERS[2], OTHERS[1], 2))
    first, again = month.join(newcomer), month.join(newcomer)
    chain_says(gateway, MemberJoined(OTHERS[2], OTHERS[1], 2))

    assert first == again
    assert month.join(newcomer) is None
    assert month.list_members(gateway).members == (US, OTHERS[0], OTHERS[2])
    assert month.join(gateway) is None, "a member stays one"


def test_the_list_says_who_decides_and_what_waits_for_how_long(gateway: Gateway) -> None:
    proposal_id = proposed(gateway)
    chain_says(gateway, ProposalApproved(proposal_id, US, 2, READY), CarrierAdmitted(ascii32("GB-B"), OTHERS[0], 7))
    answer = month.list_members(gateway)
    (waiting,) = answer.proposals

    assert (answer.threshold, answer.delay_seconds, answer.we_are) == (2, 3 * 86_400, US)
    assert (waiting.approved_by, waiting.ready_at, waiting.state) == ((OTHERS[0], US), READY, "waits for its delay")
    assert [each.carrier for each in answer.carriers] == ["GB-B"]


def test_the_same_word_of_another_gateway_is_no_error(gateway: Gateway) -> None:
    answer = month.propose(gateway, "grant-licence", GRANT)
    (row,) = sent(gateway)
    executed = replace(row, kind="execution")
    with reading(gateway.engine) as connection:
        assert stands(row, ProposalAlreadyMade(answer.proposal_id), lambda _: b"", connection)
        assert stands(executed, ProposalAlreadyExecuted(answer.proposal_id), lambda _: b"", connection)
        assert not stands(row, ProposalAlreadyMade(bytes(32)), lambda _: b"", connection)
    assert passes(ProposalNotReady(bytes(32), 2, 2, READY, 1)), "the delay passes by itself"


GIVEN = {
    "carrier": "GB-B",
    "key": US,
    "licence": "A24-1",
    "igw": "BORDER-TUMEN",
    "kind": "border",
    "from": "2026-09-01T00:00:00Z",
    "until": "2027-09-01T00:00:00Z",
    "token": US,
    "currency": "USD",
    "member": OTHERS[0],
    "replaces": OTHERS[1],
    "threshold": "2",
}


@pytest.mark.parametrize("word", DECISIONS)
def test_every_decision_reads_back_as_it_was_written(word: str) -> None:
    given = {name: GIVEN[name] for name in DECISIONS[word].arguments}
    assert told(call_of(word, given)).decision == word
    assert told(call_of(word, given)).arguments == given


@pytest.mark.parametrize("call", [b"", b"\x00" * 4, bytes.fromhex("7dfc1406"), b"\xff" * 90])
def test_a_call_that_is_no_decision_is_shown_and_never_refused(call: bytes) -> None:
    assert told(call).arguments == {"call": f"0x{call[:68].hex()}"}
