"""Which disputes does a period have, as the chain says?"""

from dataclasses import dataclass

from gateway.desk.shapes import hexed
from gateway.desk.views.moods import Mood, State
from ledger.chain.bindings import DisputeState
from ledger.identity import CarrierCode
from ledger.store.settlement import DisputeRow as StoredDispute
from reconciliation.finding import Cause, mirrored

OPEN_DISPUTES = (DisputeState.GENERATED, DisputeState.UNDER_INVESTIGATION)


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute of the period, as the chain has it."""

    id: str
    creditor: str
    reason: str
    amount_micros: int
    credited_micros: int
    due_micros: int
    state: State
    opened_at: int
    """Seconds, chain time."""


def dispute_row(row: StoredDispute, carrier: CarrierCode) -> DisputeRow:
    """The reason stands on chain as the debtor sees it; the creditor's desk shows it from its own side."""
    return DisputeRow(
        id=hexed(row.dispute_id),
        creditor=row.creditor,
        reason=reason_of(row, carrier),
        amount_micros=row.amount_micros,
        credited_micros=row.credited_micros,
        due_micros=row.due_micros,
        state=dispute_state(row.state),
        opened_at=row.opened_at,
    )


def is_small(row: StoredDispute, limit_micros: int) -> bool:
    """Whether an open dispute may be let go with others: below the amount from which the agreement raises one.

    What bears marks of forgery, or was not revealed, is raised in full whatever its amount: each is decided by itself.
    """
    forged = row.reason in (Cause.INVENTED, Cause.NOT_REVEALED)
    return row.state in OPEN_DISPUTES and row.amount_micros < limit_micros and not forged


def reason_of(row: StoredDispute, carrier: CarrierCode) -> str:
    """A dispute's cause from our side: a key of the catalogue, "other" for a word of the partner's own."""
    if row.reason not in {cause.value for cause in Cause}:
        return "other"
    return mirrored(Cause(row.reason)).value if row.creditor == carrier else row.reason


def dispute_state(state: DisputeState) -> State:
    """How a dispute's state looks."""
    mood = Mood.WARN if state in OPEN_DISPUTES else Mood.GOOD
    return State(state.name.lower(), mood)
