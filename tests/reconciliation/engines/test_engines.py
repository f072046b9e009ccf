"""Is the answer the same whoever matches the buckets? Ray and Spark themselves: `make test-ray`, `make test-spark`."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import Refused, Unavailable
from ledger.kernel import IS_COMPILED
from reconciliation.engines import choosing
from reconciliation.engines.choosing import Engine, runner_of
from reconciliation.engines.on_duckdb import by_duckdb
from reconciliation.streaming.sifting import BucketAnswer, Conditions, match_bucket
from reconciliation.streaming.stream import Load, in_threads
from scripts.bench.sides.month import MadeMonth
from tests.reconciliation.engines.two_sides import small_month, whole_answer


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> MadeMonth:
    return small_month(tmp_path_factory.mktemp("engines"))


@pytest.fixture(scope="module")
def usual(month: MadeMonth) -> str:
    return whole_answer(month, None)


@pytest.mark.parametrize(("name", "address"), [("dask", None), (None, "ray://head:10001"), ("threads", "here")])
def test_an_engine_that_is_none_or_has_no_address_is_refused(name: str | None, address: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        runner_of(name, address)
    assert "ray" in str(refusal.value.expected)


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "find_spec", lambda package: None)
    with pytest.raises(Unavailable) as refusal:
        runner_of("spark", "spark://host:7077")
    assert refusal.value.todo.startswith("pip install pyspark, here and on each worker")


def test_a_name_chooses_its_runner() -> None:
    assert runner_of(None) is None
    assert (runner_of("threads"), runner_of("duckdb")) == (in_threads, by_duckdb)
    assert list(Engine) == ["threads", "duckdb", "ray", "spark"]


def test_buckets_that_travel_and_answers_in_any_order_say_the_same(month: MadeMonth, usual: str) -> None:
    """What a cluster does to them, in this process: all is pickled, and the last bucket is answered first."""

    def far_away(buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
        for at in reversed(range(buckets)):
            bucket, known = pickle.loads(pickle.dumps((load(at), conditions)))
            yield pickle.loads(pickle.dumps(match_bucket(bucket, known)))

    assert whole_answer(month, far_away) == usual


def test_an_engine_that_loses_a_pair_is_noticed(month: MadeMonth) -> None:
    """The planted fault: a cluster that answers for all buckets, and drops one quiet pair of them."""

    def careless(buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
        for at, answer in enumerate(in_threads(buckets, load, conditions)):
            yield replace(answer, quiet=answer.quiet - 1) if at == 0 else answer

    with pytest.raises(AssertionError):
        whole_answer(month, careless)


@pytest.mark.parametrize("bucket_rows", [64, 10_000])
def test_duckdb_says_the_same(month: MadeMonth, usual: str, bucket_rows: int) -> None:
    assert whole_answer(month, by_duckdb, bucket_rows) == usual


def test_without_numba_duckdb_is_chosen_and_the_answer_is_the_same(month: MadeMonth, usual: str) -> None:
    assert IS_COMPILED, "here numba is there"
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_NUMBA, str(month.folder.parent)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert told.stdout.split() == ["by_duckdb", usual], told.stderr


WITHOUT_NUMBA = """
import sys
from pathlib import Path
sys.modules["numba"] = sys.modules["llvmlite"] = None
from ledger.kernel import IS_COMPILED
from reconciliation.streaming import stream
from tests.reconciliation.engines.two_sides import small_month, whole_answer
assert not IS_COMPILED
print(stream._usual_runner().__name__, whole_answer(small_month(Path(sys.argv[1])), None))
"""
