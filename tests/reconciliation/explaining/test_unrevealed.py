"""Is what a creditor does not reveal disputed in full, in the same words whatever the order, and within its bound?"""

from hypothesis import given
from hypothesis import strategies as st

from ledger.identity import BatchId
from ledger.money import Micros
from reconciliation.explaining.unrevealed import UnrevealedBatch, unrevealed_proposal
from reconciliation.finding import Cause
from tests.reconciliation.records import scope

BATCHES = st.lists(
    st.builds(
        UnrevealedBatch,
        st.binary(min_size=32, max_size=32).map(BatchId),
        st.integers(1, 100),
        st.integers(0, 10**9).map(Micros),
        st.none() | st.just("the root is another one"),
    ),
    max_size=5,
    unique_by=lambda batch: batch.batch_id,
)


@given(BATCHES, st.integers(-5, 10**10))
def test_a_proposal_is_the_declared_amount_within_its_room(batches: list[UnrevealedBatch], room: int) -> None:
    proposal = unrevealed_proposal(scope(), "USD", batches, room)
    total = sum(batch.amount_micros for batch in batches)

    if min(total, room) <= 0:
        assert proposal is None
        return
    assert proposal is not None
    assert (proposal.cause, proposal.amount_micros) == (Cause.NOT_REVEALED, min(total, room))
    assert proposal.count == sum(batch.count for batch in batches)


@given(BATCHES.filter(lambda batches: sum(each.amount_micros for each in batches) > 0))
def test_the_evidence_is_the_same_in_any_order(batches: list[UnrevealedBatch]) -> None:
    first, second = (unrevealed_proposal(scope(), "USD", each, 10**10) for each in (batches, batches[::-1]))

    assert first is not None and second is not None
    assert first.rows.equals(second.rows)
    assert first.rows["batch_id"].to_pylist() == sorted(batch.batch_id.hex() for batch in batches)
