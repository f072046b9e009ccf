import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Tolerance
from ledger.errors import Malformed, SketchTooSmall
from reconciliation.matching.match import match
from reconciliation.matching.side import side_of
from reconciliation.sketching.sketch import (
    KeyDifferences,
    SketchOf,
    cells_for,
    differing_keys,
    record_keys,
    rows_of_keys,
    sketch_records,
)
from reconciliation.sketching.sketch_file import read_sketch, write_sketch
from tests.reconciliation.records import Call, table

SEED = 0x1122334455667788


def found(ours: list[Call], theirs: list[Call], of: SketchOf = SketchOf.COUNTS, cells: int = 96) -> KeyDifferences:
    return differing_keys(*(sketch_records(table(calls), SEED, cells, of) for calls in (ours, theirs)))


def key_of(call: Call) -> int:
    return int(record_keys(table([call]), SEED)[0])


def calls(numbers: range) -> list[Call]:
    return [Call(a=f"861390000{number // 3:04}", b=f"4477009{number:05}") for number in numbers]


def test_a_sketch_too_small_for_what_differs_says_so_and_names_a_size() -> None:
    with pytest.raises(SketchTooSmall, match="too small") as refusal:
        found(calls(range(500)), calls(range(400, 900)))
    assert "--cells 192" in refusal.value.todo


@pytest.mark.parametrize("other", [{"seed": 8}, {"cells": 100}, {"of": SketchOf.CHARGES}])
def test_sketches_under_other_parameters_do_not_compare(other: dict[str, object]) -> None:
    values: dict[str, object] = {"seed": SEED, "cells": 96, "of": SketchOf.COUNTS}
    ours, theirs = (sketch_records(table([Call()]), **each) for each in (values, values | other))  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="do not compare"):
        differing_keys(ours, theirs)


@pytest.mark.parametrize("cells", [0, 92, 97, 4 * 2**24 + 4])
def test_a_size_that_no_sketch_has_is_refused(cells: int) -> None:
    with pytest.raises(Malformed, match="not a size"):
        sketch_records(table([]), SEED, cells)


def test_a_month_that_both_hold_leaves_nothing() -> None:
    assert len(found(calls(range(5_000)), calls(range(4_999, -1, -1))).keys) == 0


def test_a_record_that_only_one_side_holds_is_the_key_found() -> None:
    both, mine, yours = calls(range(1_000)), Call(a="1", b="2"), Call(a="3", b="4")
    differences = found([*both, mine], [yours, yours, *both])
    assert sorted(differences.keys.tolist()) == sorted([key_of(mine), key_of(yours)])
    assert (differences.ours_more, differences.theirs_more) == (1, 2)


def test_another_charge_shows_among_charges_and_not_among_counts() -> None:
    ours, theirs = [*calls(range(50)), Call(amount=7)], [*calls(range(50)), Call(amount=8)]
    assert found(ours, theirs).keys.tolist() == []
    assert found(ours, theirs, SketchOf.CHARGES).keys.tolist() == [key_of(Call())]


def test_a_sketch_finds_exactly_the_keys_that_the_full_match_finds() -> None:
    both = calls(range(2_000))
    ours, theirs = both[:1_950] + both[40:45], both[60:] + calls(range(5_000, 5_030))
    pairing = match(side_of(table(ours)), side_of(table(theirs)), Tolerance())
    alone = [ours[row] for row in (*pairing.missing_at_theirs, *pairing.duplicates_at_ours)]
    alone += [theirs[row] for row in (*pairing.missing_at_ours, *pairing.duplicates_at_theirs)]
    differences = found(ours, theirs, cells=cells_for(len(alone)))
    assert set(differences.keys.tolist()) == {key_of(call) for call in alone}
    assert differences.ours_more + differences.theirs_more == len(alone) == 145


def test_revealing_the_differing_keys_alone_keeps_the_whole_difference() -> None:
    ours, theirs = calls(range(900)), calls(range(30, 910))
    keys = found(ours, theirs, cells=cells_for(40)).keys
    revealed = [len(rows_of_keys(table(side), SEED, keys)) for side in (ours, theirs)]
    assert revealed == [30, 10]


few = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(few, few)
def test_keys_found_are_those_whose_charges_differ_and_swapping_sides_mirrors(
    mine: list[tuple[int, int, int]], yours: list[tuple[int, int, int]]
) -> None:
    ours, theirs = ([Call(a=str(a), b=str(b), amount=amount) for a, b, amount in side] for side in (mine, yours))
    over, under = Counter(mine) - Counter(yours), Counter(yours) - Counter(mine)
    expected = {key_of(Call(a=str(a), b=str(b))) for a, b, _ in (*over, *under)}
    differences, turned = (
        found(first, second, SketchOf.CHARGES, 300) for first, second in ((ours, theirs), (theirs, ours))
    )
    assert set(differences.keys.tolist()) == expected
    assert (differences.ours_more, differences.theirs_more) == (over.total(), under.total())
    assert (turned.ours_more, turned.theirs_more) == (under.total(), over.total())


def test_cells_for_a_number_of_differences_show_that_many() -> None:
    generator = np.random.default_rng(2026)
    failures = 0
    for differences in (1, 10, 60, 500, 4_000) * 40:
        seed = int(generator.integers(2**63))
        mine = sketch_records(table(calls(range(differences))), seed, cells_for(differences))
        try:
            differing_keys(mine, sketch_records(table([]), seed, cells_for(differences)))
        except SketchTooSmall:
            failures += 1
    assert failures <= 1


def test_an_altered_cell_never_names_a_key_that_does_not_differ() -> None:
    both = calls(range(300))
    theirs = sketch_records(table(both), SEED, 96)
    theirs.cells[5, 1] += np.uint64(1)
    with pytest.raises(SketchTooSmall):
        differing_keys(sketch_records(table(both), SEED, 96), theirs)


def test_a_sketch_is_read_back_from_its_file(tmp_path: Path) -> None:
    sketch = sketch_records(table(calls(range(100))), SEED, 96, SketchOf.CHARGES)
    write_sketch(sketch, tmp_path / "ours.sketch")
    again = read_sketch(tmp_path / "ours.sketch")
    assert (again.of, again.seed, again.records) == (SketchOf.CHARGES, SEED, 100)
    assert np.array_equal(again.cells, sketch.cells)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1" + struct.pack("<Q", 7),
        {"count": pa.array([1], pa.uint64())},
        {name: pa.array([1], pa.uint64()) for name in ("count", "key", "value", "check")},
    ],
)
def test_a_file_that_is_no_sketch_is_refused(content: bytes | dict[str, pa.Array], tmp_path: Path) -> None:
    path = tmp_path / "theirs.sketch"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(pa.table(content), path)
    with pytest.raises(Malformed, match="not a sketch"):
        read_sketch(path)
