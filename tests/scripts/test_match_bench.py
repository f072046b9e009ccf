"""Does the benchmark know the truth of the month it makes, and does a matcher that errs show in it?"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.usage import RATED_SCHEMA
from scripts.bench import match
from scripts.bench.sides.contest import PEERS, Contender, contest
from scripts.bench.sides.judging import judge
from scripts.bench.sides.measuring import Failed, measure, spend
from scripts.bench.sides.month import SIDES, MadeMonth, MonthPlan, made_month
from scripts.bench.sides.net_race import by_house, by_solver, made_obligations
from scripts.bench.sides.peers import WINDOW_MS

CALLS = 6_000
WITHHELD, REWRITTEN = "", "852"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> MadeMonth:
    return made_month(MonthPlan(CALLS, seed=3), tmp_path_factory.mktemp("months"))


def write_pairs(path: Path, ours: np.ndarray, theirs: np.ndarray) -> Path:
    pq.write_table(pa.table({"ours_row": ours, "theirs_row": theirs}), path)
    return path


def true_pairs(month: MadeMonth) -> tuple[np.ndarray, np.ndarray]:
    """First rows of each call that both sides have: found with numpy alone."""
    _, ours, theirs = np.intersect1d(month.events("ours"), month.events("theirs"), return_indices=True)
    return ours, theirs


def test_the_truth_is_what_an_independent_count_of_the_files_says(month: MadeMonth) -> None:
    """Records of both files whose numbers stand once in each, at one time: pairs, without asking the truth."""
    rows: dict[tuple[str, ...], tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
    for at, side in enumerate(SIDES):
        table = pq.read_table(month.records(side), columns=["a_party", "b_party", "right_ms"])
        for row, (*key, at_ms) in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
            rows.setdefault(tuple(key), ([], []))[at].append((row, at_ms))
    once = [(ours[0], theirs[0]) for ours, theirs in rows.values() if len(ours) == len(theirs) == 1]
    alone = [(ours, theirs) for (ours, at_ms), (theirs, other_ms) in once if abs(at_ms - other_ms) <= WINDOW_MS]
    assert len(alone) > CALLS / 4
    known = {side: month.events(side) for side in SIDES}
    assert all(known["ours"][ours] == known["theirs"][theirs] for ours, theirs in alone)


def test_each_side_writes_what_it_is_said_to_write(month: MadeMonth) -> None:
    ours, theirs = (pq.read_table(month.records(side)) for side in SIDES)
    assert ours.select(RATED_SCHEMA.names).schema.equals(RATED_SCHEMA)
    here, there = true_pairs(month)
    withheld = theirs["a_party"].take(there).to_numpy(zero_copy_only=False).astype(str)
    lost = np.char.startswith(withheld, REWRITTEN) | (withheld == WITHHELD)
    assert 0.005 < lost.mean() < 0.025, "about 1.3 % of the numbers are lost on the way"
    setup = theirs["right_ms"].to_numpy()[there] - ours["right_ms"].to_numpy()[here]
    assert np.abs(setup).max() < WINDOW_MS, "by right clocks every pair is within the window"
    ahead = {int(each) for each in theirs["start_ms"].to_numpy() - theirs["right_ms"].to_numpy()}
    assert {0, 8 * 3_600_000, 2_220_250, 900, 1_800} < ahead, "zone, odd offset, drift"
    counts = {side: len(month.events(side)) - len(np.unique(month.events(side))) for side in SIDES}
    assert min(counts.values()) > 0, "duplicates on both sides"
    assert ours["quantity"].to_numpy().max() > theirs["quantity"].to_numpy().max(), "only theirs splits long calls"


def test_one_plan_makes_one_month(month: MadeMonth, tmp_path: Path) -> None:
    again = made_month(month.plan, tmp_path)
    for side in SIDES:
        assert again.records(side).read_bytes() == month.records(side).read_bytes()
    other = made_month(MonthPlan(CALLS, seed=4), tmp_path)
    assert other.records("ours").read_bytes() != month.records("ours").read_bytes()


def test_a_busy_key_has_its_share(tmp_path: Path) -> None:
    busy = made_month(MonthPlan(2_000, busy_share=0.1), tmp_path)
    table = pq.read_table(busy.records("ours"))
    assert 150 < sum(number == "8613900000000" for number in table["a_party"].to_pylist()) < 250


def test_the_truth_itself_scores_one(month: MadeMonth, tmp_path: Path) -> None:
    ours, theirs = true_pairs(month)
    assert judge(month, write_pairs(tmp_path / "pairs", ours, theirs)) == (len(ours), 1.0, 1.0)


def test_a_pair_that_is_wrong_costs_precision_and_one_that_is_missing_recall(month: MadeMonth, tmp_path: Path) -> None:
    """The planted faults: a matcher that swaps two partners in a hundred, and one that finds 98 in a hundred."""
    ours, theirs = true_pairs(month)
    swapped = theirs.copy()
    swapped[0:100:50], swapped[1:100:50] = theirs[1:100:50], theirs[0:100:50]
    score = judge(month, write_pairs(tmp_path / "swapped", ours, swapped))
    assert score.precision == score.recall == pytest.approx(1 - 4 / len(ours), abs=1e-12)
    kept = np.arange(len(ours)) % 50 > 0
    score = judge(month, write_pairs(tmp_path / "few", ours[kept], theirs[kept]))
    assert (score.precision, score.recall) == (1.0, pytest.approx(0.98, abs=0.001))


def test_a_record_in_two_pairs_is_no_matching(month: MadeMonth, tmp_path: Path) -> None:
    ours, theirs = true_pairs(month)
    theirs[1] = theirs[0]
    with pytest.raises(ValueError, match="in two pairs"):
        judge(month, write_pairs(tmp_path / "twice", ours, theirs))


def test_the_growth_of_a_cost_is_told_as_a_power() -> None:
    sizes = [1_000, 3_000, 10_000]
    assert match.exponent(sizes, [2.0 * size for size in sizes]) == pytest.approx(1)
    assert match.exponent(sizes, [size**1.5 for size in sizes]) == pytest.approx(1.5)


def test_a_way_that_fails_says_so_and_stops_nobody(month: MadeMonth) -> None:
    with pytest.raises(Failed, match="nobody"):
        measure(Path(match.sys.executable), PEERS, ["nobody", "a", "b", "c"])


def test_the_whole_runs_and_tells_more_of_us_than_of_who_needs_both_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--records", str(CALLS), "--rounds", "1", "--peers", "", "--growth", "", "--busy", "", "--markdown"]
    match.main([*arguments, "--cache", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[3].strip() for line in lines if line.startswith("| gsc: findings |")] == ["1.00 ×"]
    table = next(line for line in reversed(lines) if line.startswith("gsc: findings, and every pair"))
    month = made_month(MonthPlan(CALLS), tmp_path)
    (peer,) = contest([Contender("DuckDB", month, PEERS, "duckdb-range")], 1)
    assert peer.score is not None
    assert float(table.split()[-6]) > 0.997 > 0.992 > peer.score.recall > 0.97, table
    assert lines[-1].startswith("first call of a process")


def test_netting_leaves_what_the_solver_leaves() -> None:
    rows = made_obligations(40)
    assert by_house(rows) == by_solver(rows) > 0


def test_work_that_takes_less_than_a_clock_tick_still_took_something() -> None:
    """A ratio to it would have no divisor."""
    assert spend(lambda: sum(range(100)))[1].core_seconds > 0
