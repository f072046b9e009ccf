"""Does the simulated month hold what its truth says, in the files as in the numbers?"""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ledger.agreement_file import load_agreement
from ledger.prices.deck_file import parse_deck
from reconciliation.finding import Cause
from scripts.traffic import OCTOBER, Planted, Simulation, SimulationFiles, simulate, write
from scripts.traffic.carriers import CARRIERS, CN_T, DIRECTIONS, GB_B, US_A, Switch
from scripts.traffic.faults import BIAS_S, OFFSET_S, ZONE_S
from scripts.traffic.prices import CHANGED_DIRECTION, NAMES, amounts_micros, change_ms
from scripts.traffic.switches import MALFORMED
from scripts.traffic.truth import legs_table

SEED, CALLS = 7, 3_000


@pytest.fixture(scope="module")
def month() -> Simulation:
    return simulate(SEED, CALLS)


@pytest.fixture(scope="module")
def files(month: Simulation, tmp_path_factory: pytest.TempPathFactory) -> SimulationFiles:
    return write(month, tmp_path_factory.mktemp("month"))


@pytest.fixture(scope="module")
def legs(files: SimulationFiles) -> pa.Table:
    return pq.read_table(files.legs)


def _of(legs: pa.Table, planted: Planted) -> pa.Table:
    return legs.filter(pa.array([p == planted for p in legs["planted"].to_pylist()]))


def _price(direction: int, name: str, seconds: int, day: int = 3, *, creditor: bool = True) -> int:
    start_s = int(datetime(2026, 10, day, tzinfo=UTC).timestamp())
    columns = (np.array([v], np.int64) for v in (direction, NAMES.index(name), start_s, seconds))
    return int(amounts_micros(*columns, OCTOBER, creditor=creditor)[0])


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    one, two, other = (write(simulate(s, 600), tmp_path / n) for s, n in ((1, "one"), (1, "two"), (2, "other")))
    for carrier in CARRIERS:
        content = one.switches[carrier.code].path.read_bytes()
        assert content == two.switches[carrier.code].path.read_bytes()
        assert content != other.switches[carrier.code].path.read_bytes()


def test_each_pair_has_at_least_the_calls_that_were_asked_for(month: Simulation) -> None:
    for pair in ((CN_T, GB_B), (CN_T, US_A), (GB_B, US_A)):
        directions = (month.truth.of(x.code, y.code) for x, y in (pair, pair[::-1]))
        assert sum(d.debtor_total.count for d in directions) >= CALLS


def test_every_kind_of_fault_is_planted(month: Simulation) -> None:
    planted = {plant.planted for plant in month.truth.plants()}
    unseen = {Planted.NOTHING, Planted.UNRATED}
    assert planted == set(Planted) - unseen
    assert month.truth.tromboned_calls > 0


def test_the_plants_add_up_to_the_whole_difference_of_the_two_totals(month: Simulation) -> None:
    for direction in month.truth.directions:
        whole = direction.creditor_total.amount_micros - direction.debtor_total.amount_micros
        assert whole != 0
        assert sum(plant.difference_micros for plant in direction.plants) == whole


def test_where_nothing_is_planted_both_sides_tell_the_same_within_a_second(legs: pa.Table) -> None:
    clean = _of(legs, Planted.NOTHING)
    clean = clean.filter(pc.greater(clean["debtor_duration_s"], 0))
    apart = np.abs(clean["debtor_start_ms"].to_numpy() - clean["creditor_start_ms"].to_numpy())
    assert clean.num_rows > 2 * CALLS
    assert apart.max() == 1000
    for column in ("duration_s", "count", "micros"):
        assert clean[f"debtor_{column}"].equals(clean[f"creditor_{column}"])


def test_faulty_trunks_are_wrong_by_what_they_are_said_to_be(legs: pa.Table) -> None:
    for planted, column, unit, amount in (
        (Planted.DURATION_BIAS, "duration_s", 1, BIAS_S),
        (Planted.CLOCK_OFFSET, "start_ms", 1000, OFFSET_S),
        (Planted.TIME_ZONE, "start_ms", 1000, ZONE_S),
    ):
        rows = _of(legs, planted)
        differences = (rows[f"creditor_{column}"].to_numpy() - rows[f"debtor_{column}"].to_numpy()) // unit
        assert rows.num_rows > 50
        assert np.abs(differences - amount).max() <= 1
        assert len(rows["creditor_route"].unique()) == 1


def test_invented_calls_are_in_nobodys_file_but_the_creditors(legs: pa.Table) -> None:
    invented = _of(legs, Planted.INVENTED)
    assert set(invented["debtor_line"].to_pylist()) == {0}
    assert min(invented["creditor_line"].to_pylist()) > 0
    assert len({b // 100 for b in invented["b"].to_pylist()}) == 1


def test_a_fault_has_its_mirror_name_on_the_other_side(month: Simulation) -> None:
    missing = next(p for p in month.truth.plants() if p.planted is Planted.MISSING_AT_DEBTOR)
    assert missing.causes(missing.debtor) == {Cause.MISSING_AT_OURS}
    assert missing.causes(missing.creditor) == {Cause.MISSING_AT_THEIRS}


@pytest.mark.parametrize(
    ("direction", "name", "seconds", "micros"),
    [
        (0, "United Kingdom Fixed", 61, 12_505),  # 61 * 0.0123 / 60 = 0.012505
        (0, "United Kingdom Premium", 61, 330_000),  # 2 minutes at 0.14, and 0.05 for the connection
        (1, "China Mobile", 31, 11_520),  # 36 s at 0.0192
        (1, "China Mobile", 5, 9_600),  # the first increment is 30 s
        (2, "United States", 7, 1_960),  # 12 s at 0.0098
        (0, "United Kingdom Mobile", 0, 0),
        (0, "United Kingdom Non-Geographic", 60, 0),
    ],
)
def test_a_call_costs_what_the_deck_says(direction: int, name: str, seconds: int, micros: int) -> None:
    assert _price(direction, name, seconds) == micros


def test_a_call_is_rounded_once_and_to_the_nearest_micro() -> None:
    # a second at 0.0175 a minute is 291.67 micros, at 0.0119 it is 198.33, at 0.0183 it is 305
    assert [_price(1, "China Fixed", s) for s in (1, 2, 3)] == [292, 583, 875]
    assert [_price(5, "United Kingdom Fixed", 1), _price(3, "China Fixed", 1)] == [198, 305]


def test_only_the_creditor_knows_of_the_rate_change() -> None:
    before, after = 14, 15
    assert change_ms(OCTOBER) == int(datetime(2026, 10, after, tzinfo=UTC).timestamp()) * 1000
    minute = {
        (day, creditor): _price(CHANGED_DIRECTION, "United Kingdom Mobile", 60, day, creditor=creditor)
        for day in (before, after)
        for creditor in (False, True)
    }
    assert minute == {(14, False): 21_000, (14, True): 21_000, (15, False): 21_000, (15, True): 26_000}


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda c: c.code)
def test_each_line_holds_its_call_in_the_switchs_own_way(
    carrier: object, files: SimulationFiles, month: Simulation
) -> None:
    plan = next(c for c in CARRIERS if c == carrier)
    file = files.switches[plan.code]
    lines = file.path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(file.lines) + len(MALFORMED)
    start, billed = (5, 8) if plan.switch is Switch.FREESWITCH else (10, 13)
    for row in range(0, len(file.lines), 97):
        fields = next(csv.reader([lines[file.lines[row] - 1].decode()]))
        assert len(fields) == (16 if plan.switch is Switch.FREESWITCH else 18)
        assert int(fields[billed]) == file.rows.duration_s[row]
        if file.rows.duration_s[row]:
            local = datetime.fromtimestamp(int(file.rows.start_s[row]), UTC).astimezone(plan.zone)
            assert fields[start] == local.strftime("%Y-%m-%d %H:%M:%S")
        else:
            assert fields[start] == ""


def test_malformed_and_repeated_lines_stand_where_the_truth_says(files: SimulationFiles) -> None:
    for file in files.switches.values():
        lines = file.path.read_bytes().split(b"\n")
        assert sorted(what for _, what in file.malformed) == sorted(MALFORMED)
        for number, what in file.malformed:
            assert (lines[number - 1].count(b'"') % 2 == 1) == (what == "cut off inside a quotation")
            assert (b"\xff" in lines[number - 1]) == (what == "bytes that are no text")
        for number in file.repeats:
            assert lines[number - 1] in lines[number - 3 : number - 1]
    assert [bool(file.repeats) for file in files.switches.values()] == [True, False, False]


def test_numbers_are_written_in_national_and_in_international_ways(files: SimulationFiles) -> None:
    habits = {
        CN_T.code: (b'"0', b'"0044', b'"+86'),
        GB_B.code: (b'"07', b'"0086', b'"+1'),
        US_A.code: (b'"01186', b'"+1'),
    }
    for code, beginnings in habits.items():
        content = files.switches[code].path.read_bytes()
        assert all(beginning in content for beginning in beginnings)


def test_the_papers_can_be_read(files: SimulationFiles) -> None:
    agreement = load_agreement(files.papers.agreements[CN_T.code, GB_B.code])
    assert (agreement.low, agreement.high, agreement.currency) == ("CN-T", "GB-B", "USD")
    assert [paper.missed_by_debtor for paper in files.papers.decks].count(True) == 1
    assert len(files.papers.decks) == len(DIRECTIONS) + 1
    for paper in files.papers.decks:
        deck = parse_deck(paper.path)
        assert deck.currency == "USD"
        assert len(deck.rates) >= 5


def test_the_truth_table_is_the_simulations(legs: pa.Table, month: Simulation) -> None:
    assert legs.drop_columns(["debtor_line", "creditor_line", "second_line"]).equals(legs_table(month.books, OCTOBER))
