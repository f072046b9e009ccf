"""Do the engine's properties hold whatever two sides hold, and does a planted fault break each of them?

Each property is a function of two sides that asserts; hypothesis draws the sides, and below a fault is planted in the
engine that the same function must notice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Tolerance
from reconciliation import reconcile as engine
from reconciliation.finding import Cause, mirrored
from reconciliation.matching.match import Pairing, match
from reconciliation.matching.side import Side, side_of
from reconciliation.reconcile import Reconciliation, reconcile
from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions, match_bucket
from reconciliation.streaming.stream import USUAL_WAY, Load, Way
from tests.reconciliation.records import CN, GB, Call, agreement, many, scope, table

call = st.builds(
    Call,
    at=st.integers(0, 20),
    lasts=st.integers(0, 8),
    a=st.sampled_from(["8613900000001", ""]),
    b=st.sampled_from(["447700900001", "447700900002"]),
    route=st.sampled_from(["T1", "T2"]),
    amount=st.sampled_from([0, 1_000, 1_001, 5_000]),
    code=st.sampled_from(["447", "4477"]),
    charged=st.sampled_from([None, 6.0]),
)
side = st.lists(call, max_size=12)
Calls = Sequence[Call]
for_any_sides = settings(max_examples=50, deadline=None)


def said(
    ours: Calls, theirs: Calls, *, us: str = GB, tolerance: Tolerance | None = None, way: Way = USUAL_WAY
) -> Reconciliation:
    """What we hear; GB-B claims, CN-T owes."""
    asked = scope(us=CN if us == CN else GB)
    return reconcile(table(ours), table(theirs), scope=asked, agreement=agreement(tolerance), way=way)


# THE PROPERTIES


def swapping_sides_mirrors(ours: Calls, theirs: Calls) -> None:
    there, back = said(ours, theirs), said(theirs, ours, us=CN)
    assert [
        (mirrored(f.cause), f.count, f.theirs_micros, f.ours_micros, f.severity, f.route) for f in back.findings
    ] == [(f.cause, f.count, f.ours_micros, f.theirs_micros, f.severity, f.route) for f in there.findings]
    assert back.pairs == there.pairs


def order_changes_nothing(ours: Calls, theirs: Calls, chance: Random) -> None:
    mixed, others = (chance.sample(list(each), len(each)) for each in (ours, theirs))
    assert said(mixed, others).findings == said(ours, theirs).findings


def a_wider_tolerance_loses_no_pair(ours: Calls, theirs: Calls) -> None:
    ours, theirs = ([c.but(a="8613900000001") for c in each] for each in (ours, theirs))
    steps = ((1_000, 1_000), (4_000, 3_000))
    pairs = [said(ours, theirs, tolerance=Tolerance(window_ms=w, duration_ms=d)).pairs for w, d in steps]
    assert pairs == sorted(pairs)


def twice_is_once(ours: Calls, theirs: Calls, matching: Callable[[Side, Side, Tolerance], Pairing] = match) -> None:
    """What a match leaves alone has no partner in what it leaves alone, and is left alone again."""
    first = matching(side_of(table(ours)), side_of(table(theirs)), Tolerance())
    left = [c for k, c in enumerate(ours) if k not in set(first.ours.tolist())]
    right = [c for k, c in enumerate(theirs) if k not in set(first.theirs.tolist())]
    assert len(matching(side_of(table(left)), side_of(table(right)), Tolerance()).ours) == 0


def any_partition_says_the_same(ours: Calls, theirs: Calls, part_of: Callable[[tuple[int, int]], int]) -> None:
    """`part_of` may send each key, as both hashes, anywhere."""

    def cut(buckets: int, load: Load, conditions: Conditions) -> list[BucketAnswer]:
        whole = [load(at) for at in range(buckets)]
        sides = [np.concatenate([getattr(each, name) for each in whole]) for name in Bucket._fields]
        keys = [[part_of((int(a), int(b))) for a, b in records[:, :2]] for records in sides]
        return [
            match_bucket(
                Bucket(*(records[np.array(k, np.int64) == part] for records, k in zip(sides, keys, strict=True))),
                conditions,
            )
            for part in range(PARTS)
        ]

    whole, parts = said(ours, theirs), said(ours, theirs, way=Way(runner=cut))
    assert (parts.findings, parts.pairs, parts.exact) == (whole.findings, whole.pairs, whole.exact)
    assert parts.exceptions.equals(whole.exceptions)


PARTS = 4


def every_record_is_once_in_a_pair_or_missing(ours: Calls, theirs: Calls) -> None:
    heard: list[pa.Table] = []
    answer = reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(), pairs=heard.append)
    for calls, mine, other in ((ours, "ours_row", "theirs_row"), (theirs, "theirs_row", "ours_row")):
        paired = [row for each in heard for row in each[mine].to_pylist()]
        alone = answer.exceptions.filter(pc.is_null(answer.exceptions[other]))[mine].to_pylist()
        assert sorted([*paired, *alone]) == list(range(len(calls)))


def findings_sum_to_the_difference(ours: Calls, theirs: Calls) -> None:
    answer = said(ours, theirs)
    whole = sum(c.amount or 0 for c in ours) - sum(c.amount or 0 for c in theirs)
    assert sum(finding.difference_micros for finding in answer.findings) == whole
    assert answer.totals.difference_micros == whole
    rows = answer.exceptions.to_pylist()
    assert sum(row["ours_micros"] - row["theirs_micros"] for row in rows) == whole
    for at, finding in enumerate(answer.findings):
        mine = [row for row in rows if row["finding"] == at]
        assert sum(row["ours_micros"] for row in mine) == finding.ours_micros
        assert len(mine) == (0 if finding.cause in (Cause.CLOCK_OFFSET, Cause.TIME_ZONE) else finding.count)


# FOR WHATEVER SIDES


@for_any_sides
@given(side, side)
def test_the_other_side_sees_every_finding_mirrored(ours: Calls, theirs: Calls) -> None:
    swapping_sides_mirrors(ours, theirs)


@for_any_sides
@given(side, side, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_finding(ours: Calls, theirs: Calls, chance: Random) -> None:
    order_changes_nothing(ours, theirs, chance)


@for_any_sides
@given(side, side)
def test_a_wider_tolerance_never_loses_a_pair(ours: Calls, theirs: Calls) -> None:
    a_wider_tolerance_loses_no_pair(ours, theirs)


@for_any_sides
@given(side, side)
def test_matching_twice_is_matching_once(ours: Calls, theirs: Calls) -> None:
    twice_is_once(ours, theirs)


@for_any_sides
@given(side, side, st.randoms(use_true_random=False))
def test_any_partition_by_key_gives_the_same_answer(ours: Calls, theirs: Calls, chance: Random) -> None:
    places: dict[tuple[int, int], int] = {}
    any_partition_says_the_same(ours, theirs, lambda key: places.setdefault(key, chance.randrange(PARTS)))


@for_any_sides
@given(side, side)
def test_every_record_is_in_exactly_one_pair_or_one_missing_finding(ours: Calls, theirs: Calls) -> None:
    every_record_is_once_in_a_pair_or_missing(ours, theirs)


@for_any_sides
@given(side, side)
def test_findings_and_waterfall_explain_the_whole_difference(ours: Calls, theirs: Calls) -> None:
    findings_sum_to_the_difference(ours, theirs)


def test_reconciling_twice_says_the_same() -> None:
    once, again = said(OURS, THEIRS), said(OURS, THEIRS)
    assert (again.findings, again.exceptions.equals(once.exceptions)) == (once.findings, True)


# FAULTS THAT THEY NOTICE

OURS = many(30, amount=9_000)
THEIRS = [*OURS[2:20], *(call.but(amount=7_000) for call in OURS[20:])]
LOOSE = [call.but(at=call.at + 2, lasts=call.lasts + 1) for call in OURS]


def test_a_cause_that_is_not_mirrored_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    swapping_sides_mirrors(OURS, THEIRS)
    monkeypatch.setattr(engine, "seen", lambda cause, *, is_creditor: cause)
    with pytest.raises(AssertionError):
        swapping_sides_mirrors(OURS, THEIRS)


def test_findings_in_the_order_of_rows_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "rank", lambda each: int(each.creditor_rows.min()))
    with pytest.raises(AssertionError):
        for seed in range(8):
            order_changes_nothing(OURS, THEIRS, Random(seed))


def test_a_match_that_takes_a_wide_window_for_a_narrow_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_wider_tolerance_loses_no_pair(OURS, LOOSE)

    def turned(ours: Side, theirs: Side, tolerance: Tolerance, *rest: object) -> Pairing:
        return match(ours, theirs, replace(tolerance, window_ms=5_000 - tolerance.window_ms), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "match", turned)
    with pytest.raises(AssertionError):
        a_wider_tolerance_loses_no_pair(OURS, LOOSE)


def test_a_match_that_stops_too_soon_is_noticed_when_asked_again() -> None:
    def hasty(ours: Side, theirs: Side, tolerance: Tolerance) -> Pairing:
        whole = match(ours, theirs, tolerance)
        return replace(whole, ours=whole.ours[:10], theirs=whole.theirs[:10])

    with pytest.raises(AssertionError):
        twice_is_once(OURS, THEIRS, hasty)


def test_a_partition_that_cuts_a_key_is_noticed() -> None:
    """Two calls of one key: the second finds its own partner at the first's, once the first is elsewhere."""
    ours, theirs = [Call(at=0), Call(at=2)], [Call(at=0.9)]
    row = iter(range(100))
    any_partition_says_the_same(ours, theirs, lambda key: 0)
    with pytest.raises(AssertionError):
        any_partition_says_the_same(ours, theirs, lambda key: min(next(row), 1))


def test_a_pair_that_is_told_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    tell = engine.tell_pairs

    def twice(*asked: object, **how: object) -> None:
        for _ in range(2):
            tell(*asked, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "tell_pairs", twice)
    with pytest.raises(AssertionError):
        every_record_is_once_in_a_pair_or_missing(OURS, THEIRS)


def test_an_explanation_that_leaves_money_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the engine's own check switched off."""
    explain = engine.explain
    monkeypatch.setattr(engine, "explain", lambda books, evidence: explain(books, evidence)[:-1])
    monkeypatch.setattr(engine, "_check_complete", lambda *_: None)
    with pytest.raises(AssertionError):
        findings_sum_to_the_difference(OURS, THEIRS)
