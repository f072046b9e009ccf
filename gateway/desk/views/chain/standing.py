"""Which batches stand on the chain, what waits in the outbox, and what did each call cost?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, partnerships
from gateway.desk.shapes import hexed
from gateway.desk.views.batches import BatchRow, batch_rows, submission_state
from gateway.desk.views.moods import State
from ledger.chain.seen import Receipt
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.outbox import SubmissionRow, list_submissions, submission_of_transaction
from ledger.store.states import SubmissionState

WAITING = tuple(state for state in SubmissionState if state is not SubmissionState.FINAL)


@dataclass(frozen=True, slots=True)
class PlacedBatch:
    """A batch and whose month it is of."""

    partner: str
    period: str
    service: str
    batch: BatchRow


@dataclass(frozen=True, slots=True)
class BatchesView:
    """Every sealed batch of every agreement."""

    rows: Sequence[PlacedBatch]


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """A submission on its way, and the key of what to do about it."""

    row: SubmissionRow
    state: State
    partner: str
    todo: str


@dataclass(frozen=True, slots=True)
class QueueView:
    """What waits to be said to the chain."""

    rows: Sequence[QueuedRow]


@dataclass(frozen=True, slots=True)
class SpentRow:
    """What one kind of call took."""

    kind: str
    calls: int
    gas: int
    most: int
    wei: int

    @property
    def each(self) -> int:
        """Gas of one call, on average."""
        return self.gas // max(self.calls, 1)


@dataclass(frozen=True, slots=True)
class GasView:
    """Gas by kind, and by call."""

    spent: Sequence[SpentRow]
    calls: Sequence[SubmissionRow]
    gas: int
    wei: int
    price_wei: int


@dataclass(frozen=True, slots=True)
class TransactionView:
    """One transaction: its receipt, and what of ours it carried."""

    hash: str
    receipt: Receipt | None
    submission: SubmissionRow | None
    price_wei: int


def batches_view(gateway: Gateway) -> BatchesView:
    """Batches of both sides, the latest month first."""
    rows: list[PlacedBatch] = []
    with reading(gateway.engine) as connection:
        for partner, held in partnerships(gateway.settings).items():
            declared = list_declarations(connection, held.id)
            periods = sorted({row.scope.period for row in declared}, reverse=True)
            for period in periods:
                mine = [row for row in declared if row.scope.period == period]
                services = {hexed(row.root): row.scope.service.word for row in mine}
                rows += [
                    PlacedBatch(partner, str(period), services.get(each.root, ""), each)
                    for each in batch_rows(connection, gateway, held, period, mine)
                ]
    return BatchesView(rows)


def queue_view(gateway: Gateway) -> QueueView:
    """What is not final, oldest first."""
    partners = {held.id: partner for partner, held in partnerships(gateway.settings).items()}
    with reading(gateway.engine) as connection:
        rows = list_submissions(connection, WAITING)
    return QueueView(
        [
            QueuedRow(
                row, submission_state(row), partners.get(row.agreement_id, "") if row.agreement_id else "", _todo(row)
            )
            for row in rows
        ]
    )


def gas_view(gateway: Gateway) -> GasView:
    """What every call took that a block holds."""
    with reading(gateway.engine) as connection:
        calls = _held_calls(connection)
    price = gateway.network.gas_price_wei
    kinds: dict[str, list[int]] = {}
    for call in calls:
        kinds.setdefault(call.kind, []).append(call.gas_used or 0)
    spent = [SpentRow(kind, len(used), sum(used), max(used), sum(used) * price) for kind, used in kinds.items()]
    total = sum(each.gas for each in spent)
    return GasView(sorted(spent, key=lambda each: -each.gas), calls, total, total * price, price)


def transaction_view(gateway: Gateway, tx_hash: bytes) -> TransactionView:
    """What the chain says of a transaction now. Raises Unavailable if it does not answer."""
    receipt = gateway.client.receipt(tx_hash)
    with reading(gateway.engine) as connection:
        submission = submission_of_transaction(connection, tx_hash)
    return TransactionView(hexed(tx_hash), receipt, submission, gateway.network.gas_price_wei)


def _held_calls(connection: Connection) -> list[SubmissionRow]:
    return [row for row in list_submissions(connection)[::-1] if row.gas_used is not None]


def _todo(row: SubmissionRow) -> str:
    """The key of what a person should do."""
    match row.state:
        case SubmissionState.HELD | SubmissionState.REVERTED | SubmissionState.NEEDS_OPERATOR | SubmissionState.BUILT:
            return row.state.value
        case _:
            return "wait"
