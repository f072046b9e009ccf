"""Does a month of any size say what the exact engine says of all its records at once, however the work is cut?"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Tolerance
from ledger.errors import Malformed
from ledger.money import Nanos
from ledger.prices.deck import Rate, deck_history, rate_deck
from reconciliation.finding import Cause
from reconciliation.reconcile import Reconciliation, reconcile, reconcile_parquet
from reconciliation.streaming import exchange
from reconciliation.streaming import stream as module
from reconciliation.streaming.exchange import Spilled
from reconciliation.streaming.packing import NARROW, WIDE
from reconciliation.streaming.plan import plan_of
from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions, match_bucket
from reconciliation.streaming.sources import table_source
from reconciliation.streaming.stream import Load, Way
from tests.reconciliation.records import MONTH_END_MS, MONTH_START_MS, UTC_ZONE, Call, agreement, many, scope, table

EVERYTHING = Way(sifted=False)
"""The reference: no record is spared the exact engine."""
ONE_KEY_EACH = Way(bucket_rows=1)
SPILLED = Way(bucket_rows=3, memory_bytes=0)
HUGE_MICROS = 10**15
"""No 32 bits hold it."""

call = st.builds(
    Call,
    at=st.sampled_from([0, 0.4, 1, 2.5, 3, 7, 600, 3_601, 86_400, 90_000, 1_756_799]),
    lasts=st.sampled_from([0, 10, 61, 62, 300]),
    a=st.sampled_from(["8613900000001", "8613900000002", ""]),
    b=st.sampled_from(["447700900001", "447700900002"]),
    route=st.sampled_from(["T1", "T2"]),
    destination=st.sampled_from(["United Kingdom Mobile", "United Kingdom"]),
    code=st.sampled_from(["447", "4477"]),
    amount=st.sampled_from([None, 100, 101]),
)
shared = st.lists(call, max_size=16)
"""Both sides have these: most of them need no explanation."""
own = st.lists(call, max_size=4)


def said(ours: Sequence[Call], theirs: Sequence[Call], way: Way, tolerance: Tolerance | None = None) -> Reconciliation:
    return reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(tolerance), way=way)


def same(one: Reconciliation, other: Reconciliation) -> bool:
    """To the byte: findings, every exception with its row, line and offset, totals and counts."""
    return replace(one, exceptions=None) == replace(other, exceptions=None) and one.exceptions.equals(  # type: ignore[arg-type]
        other.exceptions
    )


def written(folder: Path, name: str, calls: Sequence[Call], files: int, group: int) -> list[Path]:
    whole, paths = table(calls), []
    cuts = np.linspace(0, len(whole), files + 1).astype(int).tolist()
    for at, (first, end) in enumerate(pairwise(cuts)):
        paths.append(folder / f"{name}{at}.parquet")
        pq.write_table(whole.slice(first, end - first), paths[-1], row_group_size=group)
    return paths


def faulty_month() -> tuple[list[Call], list[Call]]:
    """Two sides with a little of everything, and a crowd that agrees."""
    ours = [*many(400), *many(40, a="", route="T2")]
    theirs = [each.but(at=each.at + 1) for each in ours]
    theirs[3] = theirs[3].but(lasts=theirs[3].lasts + 1)
    theirs[9] = theirs[9].but(lasts=10.0)
    theirs[12] = theirs[12].but(a="")
    theirs[20:60] = [each.but(lasts=each.lasts + 5, route="R9") for each in theirs[20:60]]
    theirs[80:100] = [each.but(at=each.at + 3_600, route="R8") for each in theirs[80:100]]
    theirs[110:130] = [each.but(amount=each.lasts_ms // 2) for each in theirs[110:130]]
    theirs[140:150] = [each.but(lasts=each.lasts + 2) for each in theirs[140:150]]
    return [*ours[:200], ours[7], *ours[205:]], [*theirs[:300], theirs[301], *theirs[301:]]


@settings(max_examples=60, deadline=None)
@given(
    shared, own, own, st.sampled_from([ONE_KEY_EACH, SPILLED, Way()]), st.sampled_from([None, Tolerance(window_ms=400)])
)
def test_sifting_changes_nothing_however_the_work_is_cut(
    both: list[Call], mine: list[Call], other: list[Call], way: Way, tolerance: Tolerance | None
) -> None:
    ours, theirs = [*both, *mine], [*reversed(both), *other]
    assert same(said(ours, theirs, way, tolerance), said(ours, theirs, EVERYTHING, tolerance))


@pytest.mark.parametrize("way", [ONE_KEY_EACH, SPILLED, Way(bucket_rows=50), Way(bucket_rows=50, memory_bytes=0)])
def test_a_faulty_month_is_explained_alike_by_all_ways(way: Way) -> None:
    whole = said(*faulty_month(), EVERYTHING)
    assert {Cause.DURATION_BIAS, Cause.RATE, Cause.TIME_ZONE, Cause.DUPLICATE_AT_OURS} <= {
        f.cause for f in whole.findings
    }
    assert same(said(*faulty_month(), way), whole)


@pytest.mark.parametrize(("files", "group"), [(1, 1_000), (1, 7), (3, 64)])
def test_parquet_files_say_what_tables_say(tmp_path: Path, files: int, group: int) -> None:
    ours, theirs = faulty_month()
    paths = [written(tmp_path, name, calls, files, group) for name, calls in (("ours", ours), ("theirs", theirs))]
    answer = reconcile_parquet(*paths, scope=scope(), agreement=agreement(), way=Way(bucket_rows=100))
    assert same(answer, said(ours, theirs, EVERYTHING))


def test_what_is_spilled_in_many_batches_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SPILLED_ROWS", 100)
    ours, theirs = faulty_month()
    paths = [written(tmp_path, name, calls, 2, 30) for name, calls in (("ours", ours), ("theirs", theirs))]
    answer = reconcile_parquet(*paths, scope=scope(), agreement=agreement(), way=SPILLED)
    assert same(answer, said(ours, theirs, EVERYTHING))


def test_a_batch_in_the_place_of_another_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault of the test before."""
    monkeypatch.setattr(exchange, "Spilled", lambda file, first_row: Spilled(file, max(0, first_row - 1)))
    with pytest.raises(AssertionError):
        test_what_is_spilled_in_many_batches_says_the_same(tmp_path, monkeypatch)


def test_numbers_beyond_32_bits_are_packed_wide() -> None:
    ours, theirs = faulty_month()
    ours[50] = ours[50].but(amount=HUGE_MICROS)
    bounds = MONTH_START_MS, MONTH_END_MS
    plans = [
        plan_of(table_source(table(calls)), table_source(table(theirs)), scope().service, bounds, UTC_ZONE)
        for calls in (theirs, ours)
    ]
    assert [plan.layout.words for plan in plans] == [NARROW, WIDE]
    assert same(said(ours, theirs, Way(bucket_rows=20)), said(ours, theirs, EVERYTHING))


def test_a_file_that_understates_its_numbers_is_read_again_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = faulty_month()
    ours[50] = ours[50].but(amount=HUGE_MICROS)
    whole = said(ours, theirs, EVERYTHING)
    true_bounds = module.plan_of

    def understated(*given: object) -> object:
        plan = true_bounds(*given)  # type: ignore[arg-type]
        narrow = plan.layout._replace(words=NARROW, base_ms=MONTH_START_MS)
        return replace(plan, layout=narrow)

    monkeypatch.setattr(module, "plan_of", understated)
    assert same(said(ours, theirs, Way()), whole)


def test_a_rule_is_counted_on_quiet_pairs_too() -> None:
    """The named rule's count is of all pairs of the codes, most of which never reach the exact engine."""
    mobile = Rate("United Kingdom Mobile", "447", Nanos(21_234_000), first=1_000, next=1_000)
    dear = replace(mobile, nanos=Nanos(30_000_000))
    decks = deck_history(
        [(0, rate_deck("USD", [mobile])), (MONTH_START_MS + 20 * 86_400_000, rate_deck("USD", [dear]))]
    )
    ours = [each.but(amount=each.lasts_ms * (21_234 if each.at < 777_600 else 30_000) // 60_000) for each in many(200)]
    theirs = [each.but(amount=each.lasts_ms * 21_234 // 60_000) for each in ours]
    whole, sifted = (
        reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(), decks=decks, way=way)
        for way in (EVERYTHING, Way(bucket_rows=30))
    )
    assert "200 of 200" in whole.findings[0].explanation
    assert same(sifted, whole)


def test_every_pair_is_told_once_whichever_way() -> None:
    def told(way: Way) -> list[dict[str, object]]:
        heard: list[pa.Table] = []
        ours, theirs = faulty_month()
        reconcile(table(ours), table(theirs), scope=scope(), agreement=agreement(), pairs=heard.append, way=way)
        listed: list[dict[str, object]] = pa.concat_tables(heard).sort_by("ours_row").to_pylist()
        return listed

    assert told(Way(bucket_rows=10)) == told(EVERYTHING)


def test_most_records_never_reach_the_exact_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    loud: list[int] = []

    def counting(bucket: Bucket, conditions: Conditions) -> BucketAnswer:
        answer = match_bucket(bucket, conditions)
        loud.append(len(answer.ours))
        return answer

    monkeypatch.setattr(module, "match_bucket", counting)
    ours = many(1_000)
    assert said(ours, ours[1:], Way()).pairs == 999
    assert sum(loud) == 1


def test_a_runner_may_answer_in_any_order() -> None:
    def backwards(buckets: int, load: Load, conditions: Conditions) -> list[BucketAnswer]:
        return [match_bucket(load(at), conditions) for at in reversed(range(buckets))]

    ways = Way(bucket_rows=20, runner=backwards), Way(bucket_rows=20)
    assert same(*(said(*faulty_month(), way) for way in ways))


@pytest.mark.parametrize("lost", ["ours", "theirs"])
def test_a_bucket_that_loses_a_record_is_an_error_of_ours(lost: str) -> None:
    """Planted: a runner that drops the last record to be explained."""

    def losing(buckets: int, load: Load, conditions: Conditions) -> list[BucketAnswer]:
        whole = [match_bucket(load(at), conditions) for at in range(buckets)]
        return [replace(each, **{lost: getattr(each, lost)[:-1]}) for each in whole]

    with pytest.raises(AssertionError, match="neither quiet nor explained"):
        said(*faulty_month(), Way(runner=losing))


def test_a_bucket_that_calls_a_difference_quiet_is_an_error_of_ours() -> None:
    """Planted: a runner that leaves out what differs, and counts it as pairs without difference."""

    def hushing(buckets: int, load: Load, conditions: Conditions) -> list[BucketAnswer]:
        whole = [match_bucket(load(at), conditions) for at in range(buckets)]
        none = whole[0].ours[:0]
        return [replace(each, ours=none, theirs=none, quiet=each.quiet + len(each.ours)) for each in whole]

    calls = many(50)
    with pytest.raises(AssertionError):
        said(calls, [calls[0].but(amount=1), *calls[1:]], Way(runner=hushing))


def test_a_bucket_cut_by_row_instead_of_by_key_would_lose_pairs() -> None:
    """Planted: records of one key in two buckets."""

    def cut(buckets: int, load: Load, conditions: Conditions) -> list[BucketAnswer]:
        whole = load(0)
        none = whole.ours[:0]
        return [
            match_bucket(Bucket(whole.ours, none), conditions),
            match_bucket(Bucket(none, whole.theirs), conditions),
        ]

    calls = many(50)
    assert said(calls, calls, Way(runner=cut)).pairs == 50  # all come back, and the exact engine pairs them
    with pytest.raises(AssertionError):
        assert said(calls, calls, Way(runner=cut)).exceptions.num_rows == 1


def test_an_empty_cell_in_a_file_is_refused_by_its_column(tmp_path: Path) -> None:
    holed = table(many(3)).set_column(1, "a_party", pa.array(["1", None, "2"], pa.string()))
    pq.write_table(holed, tmp_path / "ours.parquet")
    with pytest.raises(Malformed, match="empty cells") as caught:
        reconcile_parquet([tmp_path / "ours.parquet"], [], scope=scope(), agreement=agreement())
    assert caught.value.got == "a_party"


def test_a_file_without_amounts_is_refused(tmp_path: Path) -> None:
    pq.write_table(table(many(3)).drop_columns(["amount_micros"]), tmp_path / "ours.parquet")
    with pytest.raises(Malformed, match="not a Parquet file of rated records"):
        reconcile_parquet([tmp_path / "ours.parquet"], [], scope=scope(), agreement=agreement())
