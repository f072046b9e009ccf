"""How does what a carrier decided reach the chain exactly once, whatever dies in between?

A transactional outbox. The caller's rows and the submission commit together; a raw transaction is stored before it is
sent; what is sent again is the same bytes; only one writer holds the lease of a sending key, and nonces are handed out
under it. States: ledger.store.states.SubmissionState.

    built → signed → queued → sent → mined → final
             ↕  └→ reverted      ↑       │
            held                 orphaned┘          queued | sent → needs_operator

Submissions of one stream go in the order of their positions, one at a time; streams do not wait for each other. A held
one has used no nonce: a preflight call showed that the contract would refuse it now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.submitter import ENDED, Chain, Step, Submitter, settle
from ledger.errors import Conflict, RequestConflict, SequenceConflict
from ledger.identity import Address, AgreementId, CarrierCode
from ledger.store.declarations import last_seq
from ledger.store.engine import lock
from ledger.store.outbox import (
    SubmissionRow,
    add_submission,
    attempts_of,
    close_attempt,
    find_submission,
    move,
    positions_taken,
    submission_of,
)
from ledger.store.states import SubmissionState

__all__ = [
    "ENDED",
    "Chain",
    "Step",
    "Submission",
    "Submitter",
    "enqueue",
    "enqueue_declaration",
    "enqueue_numbered",
    "find_submission",
    "retry",
    "settle",
    "submission_of",
]


@dataclass(frozen=True, slots=True)
class Submission:
    """A call to be made. `subject` is the digest of what was signed: it names the submission among its kind."""

    kind: str
    """The verb: "declare", "close_period", "agree_statement", ..."""
    subject: bytes
    target: Address
    calldata: bytes | None
    """None while a signature is missing; `enqueue` it again with the calldata."""
    gas: int
    """Fixed limit."""
    stream: str | None = None
    """Submissions of one stream go in order; None waits for nobody."""
    position: int | None = None
    """In the stream; None is the next free one."""
    agreement_id: AgreementId | None = None


def enqueue(connection: Connection, submission: Submission, now_ms: int) -> int:
    """Put a submission into the outbox, in the transaction of what it says; its id.

    The same again changes nothing; one that was refused, or waited for its calldata, gets the new calldata and its
    turn. Raises RequestConflict if the subject stands for another call, SequenceConflict
    if its position in the stream is taken.
    """
    stream = submission.stream or f"{submission.kind}:{submission.subject.hex()}"
    lock(connection, f"stream {stream}")
    before = find_submission(connection, submission.kind, submission.subject)
    state = SubmissionState.BUILT if submission.calldata is None else SubmissionState.SIGNED
    if before is not None:
        return _again(connection, before, submission, state, now_ms)
    return add_submission(
        connection,
        kind=submission.kind,
        subject=submission.subject,
        agreement_id=submission.agreement_id,
        stream=stream,
        position=_position(connection, stream, submission.position),
        target=submission.target,
        calldata=submission.calldata,
        gas=submission.gas,
        state=state,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def enqueue_numbered(
    connection: Connection, stream: str, last_on_chain: int, make: Callable[[int], Submission], now_ms: int
) -> tuple[int, int]:
    """Give the next number of a gapless sequence to what `make` builds and signs; (id, number).

    The number is the first after `last_on_chain` that no living submission of the stream has, chosen and stored in
    one transaction: so no two get one number, and a refused one's number is given again.
    """
    lock(connection, f"stream {stream}")
    taken = positions_taken(connection, stream)
    number = last_on_chain + 1
    while number in taken:
        number += 1
    submission = replace(make(number), stream=stream, position=number)
    return enqueue(connection, submission, now_ms), number


def enqueue_declaration(
    connection: Connection,
    agreement_id: AgreementId,
    declarer: CarrierCode,
    creditor: CarrierCode,
    make: Callable[[int], Submission],
    now_ms: int,
) -> tuple[int, int]:
    """Give the next sequence number of a direction to the declaration that `make` builds and signs; (id, seq)."""
    stream = f"declare:{agreement_id.hex()}:{declarer}:{creditor}"
    lock(connection, f"stream {stream}")
    last = last_seq(connection, agreement_id, declarer, creditor)
    return enqueue_numbered(connection, stream, last, make, now_ms)


def retry(connection: Connection, submission_id: int, now_ms: int) -> None:
    """Give a submission whose nonce was used elsewhere, or that was refused, another turn. Raises Conflict.

    Not for one whose raw transaction can still be mined: that would do it twice.
    """
    row = submission_of(connection, submission_id)
    open_ones = [attempt for attempt in attempts_of(connection, submission_id) if attempt.open]
    if row.state != SubmissionState.REVERTED and row.error != "NonceUsed":
        raise Conflict("this submission is still on its way", expected="reverted or NonceUsed", got=row.state)
    for attempt in open_ones:
        close_attempt(connection, attempt.tx_hash)
    move(connection, row, SubmissionState.SIGNED, now_ms, error=None, reason=None, tried_at_block=None)


def _again(
    connection: Connection, before: SubmissionRow, submission: Submission, state: SubmissionState, now_ms: int
) -> int:
    if before.target != submission.target or before.agreement_id != submission.agreement_id:
        raise RequestConflict("this subject was submitted with another call", expected=before.target)
    renewed = before.state in (SubmissionState.BUILT, SubmissionState.REVERTED) and submission.calldata is not None
    if renewed:
        place: dict[str, object] = {}
        if before.state == SubmissionState.REVERTED:  # its place was free to be given away
            place = {"position": _position(connection, before.stream, submission.position)}
        move(connection, before, state, now_ms, calldata=submission.calldata, error=None, reason=None, **place)
    elif submission.calldata is not None and submission.calldata[:4] != (before.calldata or b"")[:4]:
        raise RequestConflict("this subject was submitted with another call", expected=before.kind)
    return before.id


def _position(connection: Connection, stream: str, wanted: int | None) -> int:
    taken = positions_taken(connection, stream)
    if wanted is None:
        return max(taken, default=0) + 1
    if wanted in taken:
        raise SequenceConflict(
            "this number was given to another submission",
            expected="a number that is free",
            got=wanted,
            todo="Take the next number and sign again.",
        )
    return wanted
