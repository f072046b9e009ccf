import pytest

from ledger.agreement import Tolerance
from ledger.money import Micros
from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile
from reconciliation.settling.disputes import DisputeProposal, dispute_proposals, grounds_of, volume_is_disputed
from tests.reconciliation.records import CN, Call, agreement, many, scope, table


def proposed(ours: list[Call], theirs: list[Call], tolerance: Tolerance | None = None) -> tuple[DisputeProposal, ...]:
    """GB-B's claim, seen by GB-B."""
    terms = agreement(tolerance)
    return dispute_proposals(reconcile(table(ours), table(theirs), scope=scope(), agreement=terms), terms)


def test_a_volume_below_share_and_amount_is_let_pass() -> None:
    calls = many(1_000)
    assert proposed(calls, calls[1:]) == ()


def test_a_volume_from_one_per_cent_of_the_claim_is_disputed() -> None:
    calls = many(100)
    (proposal,) = proposed(calls, calls[3:])
    assert (proposal.cause, proposal.count) == (Cause.MISSING_AT_OURS, 3)
    assert proposal.amount_micros == sum(call.lasts_ms // 3 for call in calls[:3])
    assert proposal.rule == "volume disputes reach 1.00 % of the invoice or 1000.00"


def test_a_volume_from_the_amount_is_disputed_whatever_its_share() -> None:
    tolerance = Tolerance(volume_micros=Micros(1))
    calls = many(1_000)
    assert len(proposed(calls, calls[1:], tolerance)) == 1


def test_a_rate_is_always_disputed() -> None:
    calls = many(1_000)
    ours = [call.but(amount=call.lasts_ms // 3 + 2_000) if k == 0 else call for k, call in enumerate(calls)]
    (proposal,) = proposed(ours, calls)
    assert (proposal.cause, proposal.amount_micros) == (Cause.RATE, 2_000)


def test_what_they_count_more_than_the_creditor_is_no_dispute() -> None:
    calls = many(100)
    assert proposed(calls[5:], calls) == ()


def test_each_finding_is_disputed_by_its_own_rule_or_let_pass() -> None:
    calls = many(1_000)
    ours = [call.but(amount=call.lasts_ms // 3 + 2_000) if k == 0 else call for k, call in enumerate(calls)]
    answer = reconcile(table(ours), table(calls[:-1]), scope=scope(), agreement=agreement())

    grounds = grounds_of(answer.findings, answer.scope, answer.totals.ours_micros, agreement().tolerance)

    said = {finding.cause: grounds.get(at) for at, finding in enumerate(answer.findings)}
    assert said == {Cause.MISSING_AT_THEIRS: None, Cause.RATE: "a rate dispute is always raised"}


def test_both_sides_propose_the_same_causes_and_amounts() -> None:
    calls = many(200)
    theirs = [call.but(amount=call.lasts_ms // 4) if k % 5 == 0 else call for k, call in enumerate(calls[4:])]
    terms = agreement()
    as_creditor = proposed(calls, theirs)
    debtor = reconcile(table(theirs), table(calls), scope=scope(us=CN), agreement=terms)
    as_debtor = dispute_proposals(debtor, terms)
    assert [(p.cause, p.amount_micros, p.count, p.rule) for p in as_debtor] == [
        (p.cause, p.amount_micros, p.count, p.rule) for p in as_creditor
    ]
    assert [p.cause for p in as_debtor] == [Cause.MISSING_AT_OURS, Cause.RATE]


def test_the_evidence_rows_sum_to_the_amount() -> None:
    calls = many(100)
    (proposal,) = proposed(calls, calls[3:])
    assert sum(row["ours_micros"] - row["theirs_micros"] for row in proposal.rows.to_pylist()) == proposal.amount_micros
    assert proposal.rows["ours_row"].to_pylist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("volume", "claim", "disputed"),
    [(0, 0, False), (99, 10_000, False), (100, 10_000, True), (999, 10**9, False), (1_000, 10**9, True)],
)
def test_the_rule_for_volumes_at_its_bounds(volume: int, claim: int, disputed: bool) -> None:
    assert volume_is_disputed(volume, claim, Tolerance(volume_bps=100, volume_micros=Micros(1_000))) is disputed
