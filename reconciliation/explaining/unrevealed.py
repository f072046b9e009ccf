"""What does the debtor dispute if the creditor does not show the records of what it declared?"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ledger.identity import BatchId
from ledger.money import Micros, show_micros
from ledger.usage import BatchScope
from reconciliation.finding import Cause
from reconciliation.settling.disputes import DisputeProposal

RULE = "what is declared and not revealed is disputed in full"


@dataclass(frozen=True, slots=True)
class UnrevealedBatch:
    """A batch of the creditor, as the chain has it, whose records we do not hold."""

    batch_id: BatchId
    count: int
    amount_micros: Micros
    refusal: str | None
    """Why the file that came is not what was declared; None if none came."""


def unrevealed_proposal(
    scope: BatchScope, currency: str, batches: Sequence[UnrevealedBatch], room_micros: int
) -> DisputeProposal | None:
    """One dispute over all of them, None if nothing is left to dispute.

    `scope` is of the creditor's batches, `room_micros` what it declared minus what other disputes keep out: a bound.
    """
    amount = min(sum(batch.amount_micros for batch in batches), room_micros)
    if amount <= 0:
        return None
    ordered = sorted(batches, key=lambda batch: batch.batch_id)
    refused = sum(batch.refusal is not None for batch in batches)
    return DisputeProposal(
        cause=Cause.NOT_REVEALED,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        amount_micros=Micros(amount),
        count=sum(batch.count for batch in batches),
        findings=(),
        rows=pa.table(
            {
                "batch_id": pa.array([batch.batch_id.hex() for batch in ordered], pa.string()),
                "refusal": pa.array([batch.refusal or "" for batch in ordered], pa.string()),
            }
        ),
        explanation=f"{currency} {show_micros(amount, 2)}: {scope.creditor} declared {len(batches)} batches whose "
        f"records it did not reveal; {refused} of their files came and are not what was declared",
        rule=RULE,
    )
