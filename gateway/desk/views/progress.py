"""What is on its way to the chain? Submissions of one agreement that are not final yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway
from gateway.desk.shapes import hexed
from gateway.desk.views.batches import submission_state
from gateway.desk.views.moods import State
from ledger.identity import AgreementId
from ledger.store.engine import reading
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.store.states import SubmissionState

SHOWN_KINDS = ("statement", "dispute", "resolution")
"""What a page of a desk's decisions waits for; batches and payments have tables of their own."""


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """One submission: what it is, where it stands, why it waits."""

    id: int
    kind: str
    subject: str
    state: State
    reason: str
    transaction: str
    block: int | None


@dataclass(frozen=True, slots=True)
class ProgressView:
    """What a page polls until nothing is on its way any more."""

    rows: Sequence[OnItsWay]
    ids: str
    """Of all rows, as the poll asks for them again."""
    over: bool
    """Nothing moves any more: final, refused, or waiting for a person."""


def on_its_way(
    connection: Connection, agreement_id: AgreementId, subjects: Sequence[bytes] | None = None
) -> ProgressView:
    """Decisions of an agreement that are not final; only about some subjects if they are named."""
    rows = [
        row
        for row in list_submissions(connection, agreement_id=agreement_id)
        if row.kind in SHOWN_KINDS
        and row.state is not SubmissionState.FINAL
        and (subjects is None or row.subject in subjects)
    ]
    return _view(rows)


def progress_view(gateway: Gateway, ids: Sequence[int]) -> ProgressView:
    """Where some submissions stand now."""
    with reading(gateway.engine) as connection:
        rows = [row for row in list_submissions(connection) if row.id in ids]
    return _view(rows)


def _view(rows: Sequence[SubmissionRow]) -> ProgressView:
    ends = (SubmissionState.FINAL, SubmissionState.REVERTED)
    return ProgressView(
        rows=[
            OnItsWay(
                id=row.id,
                kind=row.kind,
                subject=hexed(row.subject),
                state=submission_state(row),
                reason=row.reason or row.error or "",
                transaction=hexed(row.tx_hash) if row.tx_hash else "",
                block=row.block_number,
            )
            for row in rows
        ],
        ids="-".join(str(row.id) for row in rows),
        over=all(row.state in ends for row in rows),
    )
