"""What waits to be said to the chain, what was said, and who may say it?

Rows only; `gateway.outbox` decides. An attempt is a raw transaction, stored before it is sent; a submission has at
most one open attempt, and a (sender, nonce) has at most one attempt ever.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, insert, select, update

from ledger.errors import NotFound
from ledger.identity import Address, AgreementId
from ledger.store.engine import lock
from ledger.store.rows import all_of, one_of
from ledger.store.states import WAITING, SubmissionState
from ledger.store.tables import attempts, outbox, sending_keys


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """A call of a contract and where it stands. `position` orders it in its stream."""

    id: int
    kind: str
    subject: bytes
    agreement_id: AgreementId | None
    stream: str
    position: int
    target: Address
    calldata: bytes | None
    gas: int
    state: SubmissionState
    error: str | None
    """Name of the contract's error, or of what the node refused."""
    reason: str | None
    """The same in words, with arguments."""
    tried_at_block: int | None
    tx_hash: bytes | None
    block_number: int | None
    block_hash: bytes | None
    created_at_ms: int
    updated_at_ms: int
    gas_used: int | None = None
    """Of the receipt, once a block holds it."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """A signed raw transaction of a submission; `open` until its outcome is final."""

    tx_hash: bytes
    outbox_id: int
    sender: Address
    nonce: int
    raw: bytes
    signed_at_ms: int
    open: bool


def _heads() -> Select[Any]:
    done = outbox.c.state.in_((SubmissionState.FINAL, SubmissionState.REVERTED))
    passing = and_(outbox.c.state == SubmissionState.MINED, outbox.c.error.is_(None))
    position = func.min(outbox.c.position).label("position")
    first = select(outbox.c.stream, position).where(~done & ~passing).group_by(outbox.c.stream).subquery()
    at_first = (outbox.c.stream == first.c.stream) & (outbox.c.position == first.c.position)
    return select(outbox).join(first, at_first).where(outbox.c.state.in_(WAITING)).order_by(outbox.c.id)


_HEADS = _heads()
_ONE = select(outbox).where(outbox.c.id == bindparam("id"))
_IS_OPEN = (attempts.c.sender == bindparam("sender")) & attempts.c.open.in_((True,))
_OPEN = select(attempts).where(_IS_OPEN).order_by(attempts.c.nonce)
_ON_THEIR_WAY = select(outbox).join(attempts, attempts.c.outbox_id == outbox.c.id).where(_IS_OPEN)
"""Asked at every step, so built once."""


def add_submission(connection: Connection, **columns: object) -> int:
    """Store a submission; its id."""
    added: int = connection.execute(insert(outbox).values(columns).returning(outbox.c.id)).scalar_one()
    return added


def find_submission(connection: Connection, kind: str, subject: bytes) -> SubmissionRow | None:
    """The submission of a subject (a digest), None if there is none."""
    same = (outbox.c.kind == kind) & (outbox.c.subject == subject)
    found = connection.execute(select(outbox).where(same)).one_or_none()
    return None if found is None else one_of(SubmissionRow, found)


def find_submissions(connection: Connection, kind: str, subjects: Collection[bytes]) -> dict[bytes, SubmissionRow]:
    """The submissions of many subjects of a kind, by subject."""
    wanted = (outbox.c.kind == kind) & outbox.c.subject.in_(subjects)
    return {row.subject: row for row in all_of(SubmissionRow, connection.execute(select(outbox).where(wanted)))}


def submission_of(connection: Connection, submission_id: int) -> SubmissionRow:
    """One submission. Raises NotFound."""
    found = connection.execute(_ONE, {"id": submission_id}).one_or_none()
    if found is None:
        raise NotFound("no such submission", got=submission_id)
    return one_of(SubmissionRow, found)


def list_submissions(
    connection: Connection,
    states: Collection[SubmissionState] | None = None,
    agreement_id: AgreementId | None = None,
    kind: str | None = None,
) -> list[SubmissionRow]:
    """Submissions, oldest first."""
    query = select(outbox).order_by(outbox.c.id)
    if states is not None:
        query = query.where(outbox.c.state.in_(states))
    if agreement_id is not None:
        query = query.where(outbox.c.agreement_id == agreement_id)
    if kind is not None:
        query = query.where(outbox.c.kind == kind)
    return all_of(SubmissionRow, connection.execute(query))


def count_by_state(connection: Connection) -> dict[SubmissionState, int]:
    """How many submissions there are in each state; states without any are left out."""
    counted = select(outbox.c.state, func.count()).group_by(outbox.c.state).order_by(func.min(outbox.c.id))
    return {row[0]: row[1] for row in connection.execute(counted)}


def submission_of_transaction(connection: Connection, tx_hash: bytes) -> SubmissionRow | None:
    """The submission that a transaction carries, None if it is not ours."""
    found = connection.execute(select(outbox).where(outbox.c.tx_hash == tx_hash)).first()
    return None if found is None else one_of(SubmissionRow, found)


def heads_of_streams(connection: Connection) -> list[SubmissionRow]:
    """The submissions whose turn it is: in each stream the first that is neither done nor refused, if it waits.

    One that is mined without an error lets the next one go: nonces keep their order whatever the chain does.
    """
    return all_of(SubmissionRow, connection.execute(_HEADS))


def positions_taken(connection: Connection, stream: str) -> frozenset[int]:
    """The positions of a stream that are in use: all but the refused ones'."""
    alive = (outbox.c.stream == stream) & (outbox.c.state != SubmissionState.REVERTED)
    return frozenset(connection.execute(select(outbox.c.position).where(alive)).scalars())


def move(connection: Connection, row: SubmissionRow, state: SubmissionState, now_ms: int, **columns: object) -> bool:
    """Change a submission if nobody else did since `row` was read; whether it was changed."""
    unchanged = (outbox.c.id == row.id) & (outbox.c.state == row.state) & (outbox.c.updated_at_ms == row.updated_at_ms)
    stamp = case((outbox.c.updated_at_ms < now_ms, now_ms), else_=outbox.c.updated_at_ms + 1)
    values = {"state": state, "updated_at_ms": stamp, **columns}
    return connection.execute(update(outbox).where(unchanged).values(values)).rowcount == 1


# ATTEMPTS


def add_attempt(connection: Connection, attempt: AttemptRow) -> None:
    """Store a raw transaction, before it is sent for the first time."""
    names = AttemptRow.__dataclass_fields__
    connection.execute(insert(attempts).values({name: getattr(attempt, name) for name in names}))


def open_attempts(connection: Connection, sender: Address) -> list[AttemptRow]:
    """What a key sent whose outcome is open, in order of nonce."""
    return all_of(AttemptRow, connection.execute(_OPEN, {"sender": sender}))


def on_their_way(connection: Connection, sender: Address) -> list[tuple[AttemptRow, SubmissionRow]]:
    """The open attempts of a key, in order of nonce, each with its submission."""
    rows = {row.id: row for row in all_of(SubmissionRow, connection.execute(_ON_THEIR_WAY, {"sender": sender}))}
    return [(attempt, rows[attempt.outbox_id]) for attempt in open_attempts(connection, sender)]


def attempts_of(connection: Connection, submission_id: int) -> list[AttemptRow]:
    """Every raw transaction a submission ever had, in order of nonce."""
    wanted = attempts.c.outbox_id == submission_id
    return all_of(AttemptRow, connection.execute(select(attempts).where(wanted).order_by(attempts.c.nonce)))


def close_attempt(connection: Connection, tx_hash: bytes) -> None:
    """Say that a raw transaction's outcome is final."""
    connection.execute(update(attempts).where(attempts.c.tx_hash == tx_hash).values(open=False))


# THE RIGHT TO WRITE


def take_lease(connection: Connection, sender: Address, holder: str, now_ms: int, lease_ms: int) -> bool:
    """Become or stay the one writer of a sending key for `lease_ms`; False while another one's lease runs."""
    lock(connection, f"lease {sender}")
    found = connection.execute(select(sending_keys).where(sending_keys.c.sender == sender)).one_or_none()
    lease = {"lease_holder": holder, "lease_until_ms": now_ms + lease_ms}
    if found is None:
        connection.execute(insert(sending_keys).values(sender=sender, next_nonce=0, **lease))
        return True
    if found.lease_holder not in (None, holder) and found.lease_until_ms > now_ms:
        return False
    connection.execute(update(sending_keys).where(sending_keys.c.sender == sender).values(lease))
    return True


def give_up_lease(connection: Connection, sender: Address, holder: str) -> None:
    """Let another writer start at once; harmless if the lease is not ours."""
    mine = (sending_keys.c.sender == sender) & (sending_keys.c.lease_holder == holder)
    connection.execute(update(sending_keys).where(mine).values(lease_holder=None, lease_until_ms=0))


def take_nonce(connection: Connection, sender: Address, holder: str, now_ms: int, chain_nonce: int) -> int | None:
    """The next nonce of a sending key, in the transaction that stores its attempt; None if the lease was lost."""
    lock(connection, f"lease {sender}")
    mine = (
        (sending_keys.c.sender == sender)
        & (sending_keys.c.lease_holder == holder)
        & (sending_keys.c.lease_until_ms > now_ms)
    )
    found = connection.execute(select(sending_keys.c.next_nonce).where(mine)).scalar_one_or_none()
    if found is None:
        return None
    nonce: int = max(found, chain_nonce)
    connection.execute(update(sending_keys).where(mine).values(next_nonce=nonce + 1))
    return nonce
