"""On the simulator's month with all its faults: do sketches find just the keys that the full match finds?"""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ledger.errors import SketchTooSmall
from reconciliation.sketching.sketch import SketchOf, cells_for, differing_keys, record_keys, sketch_records
from scripts.traffic.carriers import DIRECTIONS, Direction
from tests.reconciliation.test_seeded_month import month, rated, simulation

SEED = 0x5EED_2026_1031
ROUNDS = pytest.mark.parametrize("of", SketchOf)
WAYS = pytest.mark.parametrize("way", DIRECTIONS, ids=lambda way: way.word)


@cache
def books(way: Direction) -> tuple[pa.Table, pa.Table]:
    """As the creditor and the debtor sealed them."""
    _, legs = simulation()
    mine = legs.filter(pc.equal(legs["direction"], way.word))
    return rated(mine, "creditor"), rated(mine, "debtor")


def keys_of(table: pa.Table, rows: pa.ChunkedArray) -> set[int]:
    return set(record_keys(table.take(rows.combine_chunks()), SEED).tolist())


def matched_keys(way: Direction, of: SketchOf) -> set[int]:
    """Keys of the records that the full match leaves alone and, where charges count, of pairs that cost otherwise."""
    ours, theirs = books(way)
    told = month(way).answer.exceptions
    mine, others = told["ours_row"], told["theirs_row"]
    found = keys_of(ours, mine.filter(pc.is_null(others))) | keys_of(theirs, others.filter(pc.is_null(mine)))
    if of is SketchOf.CHARGES:
        both = told.filter(pc.and_(pc.is_valid(mine), pc.is_valid(others)))
        amounts = (side["amount_micros"].take(both[row]) for side, row in ((ours, "ours_row"), (theirs, "theirs_row")))
        found |= keys_of(ours, both.filter(pc.not_equal(*amounts))["ours_row"])
    return found


def sketched_keys(ours: pa.Table, theirs: pa.Table, of: SketchOf, cells: int) -> list[int]:
    found: list[int] = differing_keys(*(sketch_records(side, SEED, cells, of) for side in (ours, theirs))).keys.tolist()
    return found


@WAYS
@ROUNDS
def test_a_sketch_of_a_faulty_month_finds_exactly_the_keys_that_the_full_match_finds(
    way: Direction, of: SketchOf
) -> None:
    expected = matched_keys(way, of)
    found = sketched_keys(*books(way), of, cells_for(4 * len(expected)))
    assert len(expected) > 5
    assert (set(found), len(found)) == (expected, len(expected))


@ROUNDS
def test_a_sketch_of_the_whole_month_that_is_too_small_says_so(of: SketchOf) -> None:
    expected: set[int] = set().union(*(matched_keys(way, of) for way in DIRECTIONS))
    ours, theirs = (pa.concat_tables([books(way)[side] for way in DIRECTIONS]) for side in (0, 1))
    with pytest.raises(SketchTooSmall, match="too small"):
        sketched_keys(ours, theirs, of, 96)
    assert set(sketched_keys(ours, theirs, of, cells_for(4 * len(expected)))) == expected


@WAYS
def test_a_record_that_the_match_does_not_know_shows(way: Direction) -> None:
    """The planted fault: one record less than the match was given, of a key that agreed."""
    ours, theirs = books(way)
    expected = matched_keys(way, SketchOf.COUNTS)
    keys = record_keys(theirs, SEED).tolist()
    at = next(row for row, key in enumerate(keys) if key not in expected)
    less = pa.concat_tables([theirs.slice(0, at), theirs.slice(at + 1)])
    found = sketched_keys(ours, less, SketchOf.COUNTS, cells_for(4 * len(expected)))
    assert set(found) - expected == {keys[at]}
