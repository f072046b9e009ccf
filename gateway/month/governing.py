"""Verbs of the members: what do m of n of them decide about carriers, licences, international gateways, themselves?

A member's word is a transaction of its sending key. The same decision proposed by two members is one proposal: the
second one's word is its approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway
from gateway.month.decisions import Told, call_of, told
from gateway.month.parts import Submission, stream_of
from gateway.month.sending import Call, submission_of, submit
from ledger.canonical import canonical_hash
from ledger.chain.abi import DynamicBytes, FixedBytes, encode_all
from ledger.chain.bindings import (
    calldata_carrier_registry_accept_membership,
    calldata_carrier_registry_approve,
    calldata_carrier_registry_delay_seconds,
    calldata_carrier_registry_execute,
    calldata_carrier_registry_propose,
    result_carrier_registry_delay_seconds,
)
from ledger.errors import Conflict, Refused
from ledger.identity import Address
from ledger.keccak import keccak256
from ledger.store.agreements import CarrierRow, list_carriers
from ledger.store.crossings import IgwRow, LicenceRow, list_igws, list_licences
from ledger.store.engine import reading, writing
from ledger.store.membership import ProposalRow, decided_of, list_decided, membership_of

PROPOSE, APPROVE, EXECUTE, JOIN = "proposal", "approval", "execution", "membership"
"""Kinds of the submissions."""


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """A proposal of the members and what became of our word on it."""

    proposal_id: bytes
    decision: Told
    approved_by: tuple[Address, ...]
    """On chain."""
    threshold: int
    ready_at: int | None
    """Seconds; None until enough members have approved."""
    state: str
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class MembersAnswer:
    """Who decides, what is proposed, and what the members have decided so far."""

    members: tuple[Address, ...]
    threshold: int
    delay_seconds: int
    invited: tuple[Address, ...]
    we_are: Address
    """Our sending key: a member, if it stands among them."""
    proposals: tuple[ProposalAnswer, ...]
    """Those that are open, oldest first."""
    carriers: tuple[CarrierRow, ...]
    licences: tuple[LicenceRow, ...]
    igws: tuple[IgwRow, ...]


def list_members(gateway: Gateway) -> MembersAnswer:
    """Everything the registry says of the members and of what they decided."""
    gateway.catch_up()
    delay = gateway.client.view(
        gateway.network.carrier_registry,
        calldata_carrier_registry_delay_seconds(),
        result_carrier_registry_delay_seconds,
    )
    with reading(gateway.engine) as connection:
        now = membership_of(connection)
        return MembersAnswer(
            members=now.members,
            threshold=now.threshold,
            delay_seconds=delay,
            invited=now.invited,
            we_are=gateway.sender,
            proposals=tuple(_answer(gateway, connection, row, None) for row in list_decided(connection) if row.open),
            carriers=tuple(list_carriers(connection)),
            licences=tuple(list_licences(connection)),
            igws=tuple(list_igws(connection)),
        )


def propose(gateway: Gateway, decision: str, given: Mapping[str, str], *, dry_run: bool = False) -> ProposalAnswer:
    """Propose a decision, or approve the open proposal of the same one. Raises Malformed, Refused for a non-member."""
    call = call_of(decision, given)
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        _require_member(gateway, connection)
        earlier = [row for row in list_decided(connection) if row.call == call]
        open_ones = [row for row in earlier if row.open]
        if open_ones:
            return _approve(gateway, connection, open_ones[0], dry_run)
        salt = canonical_hash("proposal", [call, len(earlier)])
        proposal_id = proposal_id_of(call, salt)
        calldata = calldata_carrier_registry_propose(call, salt)
        submission = _submit(gateway, connection, PROPOSE, proposal_id, calldata, dry_run)
        made = ProposalRow(proposal_id, call, gateway.sender, (), None, executed=False, outdated=False)
        return _answer(gateway, connection, made, submission)


def approve(gateway: Gateway, proposal_id: bytes, *, dry_run: bool = False) -> ProposalAnswer:
    """Approve an open proposal; again changes nothing. Raises NotFound, Conflict if it is open no more, Refused."""
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        _require_member(gateway, connection)
        row = decided_of(connection, proposal_id)
        if row.executed:
            return _answer(gateway, connection, row, None)
        _require_current(row)
        return _approve(gateway, connection, row, dry_run)


def execute(gateway: Gateway, proposal_id: bytes, *, dry_run: bool = False) -> ProposalAnswer:
    """Execute what enough members approved; before its delay is over it is held until then.

    Anyone may. Raises NotFound, Conflict if too few approved or the members have changed since.
    """
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        row = decided_of(connection, proposal_id)
        if row.executed:
            return _answer(gateway, connection, row, None)
        _require_current(row)
        if row.ready_at is None:
            raise Conflict(
                "too few members have approved this proposal",
                expected=f"{membership_of(connection).threshold} approvals",
                got=len(row.approved_by),
                todo=f"Have them approve it: `gsc members approve 0x{proposal_id.hex()}`.",
            )
        calldata = calldata_carrier_registry_execute(proposal_id)
        return _answer(gateway, connection, row, _submit(gateway, connection, EXECUTE, proposal_id, calldata, dry_run))


def join(gateway: Gateway, *, dry_run: bool = False) -> Submission | None:
    """Accept the members' invitation; None if we are a member. Raises Refused without one."""
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        now = membership_of(connection)
        if gateway.sender in now.members:
            return None
        if gateway.sender not in now.invited:
            raise Refused(
                "the members have not invited this home's sending key, or have changed since",
                expected=", ".join(now.invited) or "an invitation",
                got=gateway.sender,
                todo="Have a member propose it: `gsc members propose invite-member --member ADDRESS --threshold N`.",
            )
        subject = canonical_hash("membership", [gateway.sender, now.changes])
        calldata = calldata_carrier_registry_accept_membership()
        return _submit(gateway, connection, JOIN, subject, calldata, dry_run)


def proposal_id_of(call: bytes, salt: bytes) -> bytes:
    """As the registry reckons it."""
    return keccak256(encode_all([DynamicBytes(), FixedBytes(32)], (call, salt)))


def _approve(gateway: Gateway, connection: Connection, row: ProposalRow, dry_run: bool) -> ProposalAnswer:
    if gateway.sender in row.approved_by:
        return _answer(gateway, connection, row, None)
    proposed = submission_of(connection, PROPOSE, row.proposal_id)
    if proposed is not None and proposed.tx_hash is not None:  # ours, mined and not read yet: it counts as approval
        return _answer(gateway, connection, row, proposed)
    calldata = calldata_carrier_registry_approve(row.proposal_id)
    submission = _submit(gateway, connection, APPROVE, row.proposal_id, calldata, dry_run)
    return _answer(gateway, connection, row, submission)


def _submit(
    gateway: Gateway, connection: Connection, kind: str, subject: bytes, calldata: bytes, dry_run: bool
) -> Submission:
    call = Call(
        kind=kind,
        subject=subject,
        contract="CarrierRegistry",
        calldata=calldata,
        stream=stream_of("members", kind, subject),
    )
    return submit(gateway, connection, call, dry_run=dry_run)


def _require_member(gateway: Gateway, connection: Connection) -> None:
    members = membership_of(connection).members
    if gateway.sender not in members:
        raise Refused(
            "only members propose and approve",
            expected=", ".join(members),
            got=f"{gateway.sender}, this home's sending key",
            todo="Use a member's home, or have the members invite this key.",
        )


def _require_current(row: ProposalRow) -> None:
    if row.outdated:
        raise Conflict(
            "the members or their threshold have changed since this was proposed",
            got=f"0x{row.proposal_id.hex()}",
            todo="Propose it again: `gsc members propose`.",
        )


def _answer(
    gateway: Gateway, connection: Connection, row: ProposalRow, submission: Submission | None
) -> ProposalAnswer:
    return ProposalAnswer(
        proposal_id=row.proposal_id,
        decision=told(row.call),
        approved_by=row.approved_by,
        threshold=membership_of(connection).threshold,
        ready_at=row.ready_at,
        state=_state(row, gateway.now_s),
        submission=submission,
    )


def _state(row: ProposalRow, now_s: int) -> str:
    if row.executed:
        return "executed"
    if row.outdated:
        return "outdated"
    if row.ready_at is None:
        return "waits for approvals"
    return "ready" if row.ready_at <= now_s else "waits for its delay"
