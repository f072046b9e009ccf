"""Who are the members, and what have they proposed, approved and executed? As the chain said."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.chain.bindings import (
    MemberInvited,
    MemberJoined,
    MemberRemoved,
    ProposalApproved,
    ProposalExecuted,
    ProposalMade,
    ThresholdChanged,
)
from ledger.errors import NotFound
from ledger.identity import Address
from ledger.store.latest import chain_order, rows_of


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """The members between two changes."""

    members: tuple[Address, ...]
    threshold: int
    """Approvals that a proposal needs."""
    invited: tuple[Address, ...]
    """Who may still join under this membership."""
    changes: int
    """How often members or threshold changed, 0 for the founders."""


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A call that a member proposed."""

    proposal_id: bytes
    call: bytes
    proposer: Address
    approved_by: tuple[Address, ...]
    ready_at: int | None
    """Seconds; None until enough members have approved."""
    executed: bool
    outdated: bool
    """Members or threshold have changed since: it can be neither approved nor executed."""

    @property
    def open(self) -> bool:
        return not self.executed and not self.outdated


def membership_of(connection: Connection) -> MembershipRow:
    """The members as they are."""
    members: dict[Address, None] = {}
    threshold = 0
    changes = _changes(connection)
    for row in changes:
        if "replaces" in row._mapping:
            members.pop(row.replaces, None)
            members[row.member] = None
        elif "member" in row._mapping:
            members.pop(row.member, None)
        threshold = row.threshold
    last = chain_order(changes[-1]) if changes else (0, 0)
    invited = [row.member for row in rows_of(connection, MemberInvited) if chain_order(row) > last]
    return MembershipRow(tuple(members), threshold, tuple(dict.fromkeys(invited)), len(changes) - _founders(changes))


def list_decided(connection: Connection) -> list[ProposalRow]:
    """Every proposal of the members, oldest first."""
    changes = _changes(connection)
    last = chain_order(changes[-1]) if changes else (0, 0)
    approvals: dict[bytes, list[Row[Any]]] = {}
    for row in rows_of(connection, ProposalApproved):
        approvals.setdefault(row.proposal_id, []).append(row)
    executed = {row.proposal_id for row in rows_of(connection, ProposalExecuted)}
    found = []
    for row in rows_of(connection, ProposalMade):
        approved = approvals.get(row.proposal_id, [])
        ready = max((each.ready_at for each in approved), default=0)
        found.append(
            ProposalRow(
                proposal_id=row.proposal_id,
                call=row.call,
                proposer=row.member,
                approved_by=tuple(each.member for each in approved),
                ready_at=ready or None,
                executed=row.proposal_id in executed,
                outdated=row.proposal_id not in executed and chain_order(row) < last,
            )
        )
    return found


def decided_of(connection: Connection, proposal_id: bytes) -> ProposalRow:
    """One proposal. Raises NotFound."""
    for row in list_decided(connection):
        if row.proposal_id == proposal_id:
            return row
    raise NotFound("no such proposal of the members", got=f"0x{proposal_id.hex()}", todo="See `gsc members list`.")


def _changes(connection: Connection) -> list[Row[Any]]:
    """Every change of members or threshold, in chain order."""
    rows = [row for event in (MemberJoined, MemberRemoved, ThresholdChanged) for row in rows_of(connection, event)]
    return sorted(rows, key=chain_order)


def _founders(changes: list[Row[Any]]) -> int:
    """How many of the changes are the founders' joining: all in the block of the first."""
    return sum(row.block_number == changes[0].block_number for row in changes)
