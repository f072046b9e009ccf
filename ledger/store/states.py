"""In which states do batches and submissions stand, and in which role does somebody call?"""

from enum import StrEnum


class BatchState(StrEnum):
    """Where one of our usage batches stands."""

    SEALED = "sealed"
    """Archive written, root known, nothing said yet."""
    DECLARED = "declared"
    """Declaration signed and in the outbox; from then on the outbox and the chain tell more."""


class Role(StrEnum):
    """As what somebody speaks with a gateway."""

    DESK = "desk"
    """Our own desk: reads everything and may write."""
    AUDITOR = "auditor"
    """Whom our desk let in: reads everything, writes nothing."""
    CARRIER = "carrier"
    """Another registered carrier: reads what is between it and us."""


class EntryAct(StrEnum):
    """What an entry of a dispute's thread does."""

    NOTE = "note"
    """Says something, or hands over a file."""
    KEEP = "keep"
    """The author stands by its figure."""
    OFFER = "offer"
    """The author has signed a resolution: so much is credited, the rest is due."""


class SubmissionState(StrEnum):
    """Where a submission to the chain stands."""

    BUILT = "built"
    """Recorded; waits for its last signature."""
    SIGNED = "signed"
    """The call is complete; waits for its turn in its stream."""
    QUEUED = "queued"
    """A preflight passed; nonce taken and raw transaction stored, not yet known to have reached the node."""
    SENT = "sent"
    """The node took the raw transaction."""
    MINED = "mined"
    """In a block that is not final yet."""
    FINAL = "final"
    """In a block with enough confirmations: done."""
    HELD = "held"
    """The contract would refuse it now (credit); tried again when the chain advances. No nonce is used."""
    REVERTED = "reverted"
    """The contract refuses it; it needs other content."""
    ORPHANED = "orphaned"
    """Its block vanished in a reorganisation; the same bytes are sent again."""
    NEEDS_OPERATOR = "needs_operator"
    """The node refuses the transaction itself: no funds, or the nonce was used elsewhere."""


IN_FLIGHT = (
    SubmissionState.QUEUED,
    SubmissionState.SENT,
    SubmissionState.MINED,
    SubmissionState.ORPHANED,
    SubmissionState.NEEDS_OPERATOR,
)
"""States with a stored raw transaction whose outcome is open."""
WAITING = (SubmissionState.SIGNED, SubmissionState.HELD)
"""States that the next preflight decides."""
