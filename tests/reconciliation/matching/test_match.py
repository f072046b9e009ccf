import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from ledger.agreement import Tolerance
from reconciliation.matching import match as matching_module
from reconciliation.matching.match import PairClass, Pairing, Rule, match
from reconciliation.matching.side import side_of
from tests.reconciliation.records import Call, many, table

FAR = 10**9


def paired(ours: list[Call], theirs: list[Call], tolerance: Tolerance | None = None) -> Pairing:
    return match(side_of(table(ours)), side_of(table(theirs)), tolerance or Tolerance())


def pairs_of(pairing: Pairing) -> list[tuple[int, int]]:
    return list(zip(pairing.ours.tolist(), pairing.theirs.tolist(), strict=True))


def test_a_call_only_we_hold_has_no_partner() -> None:
    pairing = paired([Call()], [])
    assert pairs_of(pairing) == []
    assert pairing.missing_at_theirs.tolist() == [0]


def test_two_empty_sides_match_nothing() -> None:
    pairing = paired([], [])
    assert (len(pairing.ours), len(pairing.missing_at_ours), len(pairing.missing_at_theirs)) == (0, 0, 0)


def test_calls_four_seconds_apart_are_not_one_call_under_a_window_of_three() -> None:
    assert pairs_of(paired([Call(at=0)], [Call(at=3)])) == [(0, 0)]
    assert pairs_of(paired([Call(at=0)], [Call(at=3.001)])) == []


def test_another_called_number_is_another_call() -> None:
    assert pairs_of(paired([Call(b="447700900001")], [Call(b="447700900002")])) == []


def test_the_reverse_direction_is_another_call() -> None:
    assert pairs_of(paired([Call(a="1", b="2")], [Call(a="2", b="1")])) == []


def test_a_rewritten_calling_number_is_found_by_the_called_one() -> None:
    pairing = paired([Call(a="8613900000001")], [Call(a="")])
    assert pairs_of(pairing) == [(0, 0)]
    assert pairing.rules.tolist() == [Rule.CALLED_NUMBER]


def test_a_rewritten_calling_number_needs_an_equal_quantity() -> None:
    assert pairs_of(paired([Call(a="1", lasts=60)], [Call(a="", lasts=63)])) == []


def test_redials_pair_in_the_way_that_deviates_least_even_if_that_crosses() -> None:
    ours = [Call(at=0, lasts=10), Call(at=2, lasts=300)]
    theirs = [Call(at=0.5, lasts=300), Call(at=1.5, lasts=10)]
    assert pairs_of(paired(ours, theirs)) == [(0, 1), (1, 0)]


def test_more_pairs_come_before_nearer_pairs() -> None:
    ours = [Call(at=0, lasts=60), Call(at=2.9, lasts=60)]
    theirs = [Call(at=2.9, lasts=60), Call(at=5.5, lasts=60)]
    assert pairs_of(paired(ours, theirs)) == [(0, 0), (1, 1)]


def test_a_repeated_record_is_a_duplicate_and_its_original_is_paired() -> None:
    pairing = paired([Call(), Call()], [Call()])
    assert len(pairing.ours) == 1
    assert len(pairing.duplicates_at_ours) == 1
    assert len(pairing.missing_at_theirs) == 0


def test_a_repeated_record_without_any_partner_is_one_missing_and_one_duplicate() -> None:
    pairing = paired([], [Call(), Call(at=0.4)])
    assert pairing.missing_at_ours.tolist() == [0]
    assert pairing.duplicates_at_theirs.tolist() == [1]


def test_a_redial_seconds_later_is_no_duplicate() -> None:
    pairing = paired([Call(at=0, lasts=5), Call(at=20, lasts=5)], [Call(at=0, lasts=5)])
    assert pairing.duplicates_at_ours.tolist() == []
    assert pairing.missing_at_theirs.tolist() == [1]


@pytest.mark.parametrize(
    ("apart_s", "expected"),
    [(0, PairClass.EXACT), (1, PairClass.PARTIAL), (2, PairClass.PARTIAL), (3, PairClass.MISMATCH)],
)
def test_pair_classes_are_the_trades_c15(apart_s: float, expected: PairClass) -> None:
    assert paired([Call(lasts=60)], [Call(lasts=60 + apart_s)]).classes.tolist() == [expected]


def test_one_per_cent_of_a_long_call_is_within_tolerance() -> None:
    assert paired([Call(lasts=3600)], [Call(lasts=3636)]).classes.tolist() == [PairClass.PARTIAL]
    assert paired([Call(lasts=3600)], [Call(lasts=3640)]).classes.tolist() == [PairClass.MISMATCH]


def test_the_published_run_of_c15_leaves_what_it_must() -> None:
    """783,198 records against 767,785 give 765,979 pairs; here a thousandth of it."""
    calls = many(785)
    pairing = paired(calls[:783], calls[17:])
    assert (len(pairing.ours), len(pairing.missing_at_theirs), len(pairing.missing_at_ours)) == (766, 17, 2)


def test_a_crowd_on_one_key_is_matched_in_order_and_completely() -> None:
    ours = [Call(at=k * 0.5, lasts=60) for k in range(1_000)]
    theirs = [call.but(at=call.at + 0.1) for call in ours]
    assert pairs_of(paired(ours, theirs)) == [(k, k) for k in range(1_000)]


def test_numbers_whose_sort_words_collide_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: sort words that hold no bit of the hash at all."""
    monkeypatch.setattr(matching_module, "row_bits", lambda *_: 63)
    ours = [Call(b="447700900001", lasts=10), Call(b="447700900002", lasts=20)]
    theirs = [Call(b="447700900002", lasts=10), Call(b="447700900001", lasts=20)]
    assert pairs_of(paired(ours, theirs)) == [(0, 1), (1, 0)]


call_of_two_keys = st.builds(
    Call,
    at=st.integers(0, 25),
    lasts=st.integers(1, 12),
    a=st.sampled_from(["8613900000001", "8613900000002"]),
    b=st.just("447700900001"),
)
calls = st.lists(call_of_two_keys, min_size=1, max_size=12)


def cost(ours: list[Call], theirs: list[Call], pairs: list[tuple[int, int]]) -> int:
    return sum(
        round(abs(ours[i].at - theirs[j].at) * 1000) + abs(ours[i].lasts_ms - theirs[j].lasts_ms) for i, j in pairs
    )


def best(ours: list[Call], theirs: list[Call]) -> list[tuple[int, int]]:
    """The oracle: one assignment over everything, of both numbers."""
    costs = np.full((len(ours), len(theirs)), float(FAR))
    for i, x in enumerate(ours):
        for j, y in enumerate(theirs):
            if (x.a, x.b) == (y.a, y.b) and abs(x.at - y.at) <= 3:
                costs[i, j] = cost(ours, theirs, [(i, j)])
    rows, columns = linear_sum_assignment(costs)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if costs[i, j] < FAR]


def by_both_numbers(pairing: Pairing) -> list[tuple[int, int]]:
    both = pairing.rules == Rule.BOTH_NUMBERS
    return list(zip(pairing.ours[both].tolist(), pairing.theirs[both].tolist(), strict=True))


@settings(max_examples=200, deadline=None)
@given(calls, calls)
def test_the_match_is_as_good_as_an_exact_assignment(ours: list[Call], theirs: list[Call]) -> None:
    found, expected = by_both_numbers(paired(ours, theirs)), best(ours, theirs)
    assert len(found) == len(expected)
    assert cost(ours, theirs, found) == cost(ours, theirs, expected)


def test_the_oracle_bites_when_the_match_takes_the_first_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: pairs in order of time, without an assignment."""
    ours = [Call(at=0, lasts=10), Call(at=2, lasts=300)]
    theirs = [Call(at=0.5, lasts=300), Call(at=1.5, lasts=10)]
    in_order = [(0, 0), (1, 1)]
    assert cost(ours, theirs, in_order) > cost(ours, theirs, best(ours, theirs))


@settings(max_examples=100, deadline=None)
@given(calls, calls)
def test_every_record_is_in_exactly_one_place(ours: list[Call], theirs: list[Call]) -> None:
    p = paired(ours, theirs)
    assert sorted([*p.ours, *p.missing_at_theirs, *p.duplicates_at_ours]) == list(range(len(ours)))
    assert sorted([*p.theirs, *p.missing_at_ours, *p.duplicates_at_theirs]) == list(range(len(theirs)))


@settings(max_examples=100, deadline=None)
@given(calls, calls)
def test_swapping_the_sides_matches_as_well(ours: list[Call], theirs: list[Call]) -> None:
    there, back = by_both_numbers(paired(ours, theirs)), by_both_numbers(paired(theirs, ours))
    assert len(there) == len(back)
    assert cost(ours, theirs, there) == cost(theirs, ours, back)


@settings(max_examples=100, deadline=None)
@given(calls, calls, st.randoms())
def test_the_order_of_rows_changes_nothing(ours: list[Call], theirs: list[Call], chance: "object") -> None:
    mixed, others = list(ours), list(theirs)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    chance.shuffle(others)  # type: ignore[attr-defined]

    def said(us: list[Call], them: list[Call]) -> list[tuple[Call, Call]]:
        return sorted(((us[i], them[j]) for i, j in pairs_of(paired(us, them))), key=str)

    assert said(mixed, others) == said(ours, theirs)


@settings(max_examples=100, deadline=None)
@given(calls, calls)
def test_a_wider_window_loses_no_pair(ours: list[Call], theirs: list[Call]) -> None:
    sizes = [len(by_both_numbers(paired(ours, theirs, Tolerance(window_ms=w)))) for w in (0, 1_000, 3_000, 6_000)]
    assert sizes == sorted(sizes)


@settings(max_examples=100, deadline=None)
@given(calls)
def test_a_side_matches_itself_exactly(ours: list[Call]) -> None:
    pairing = paired(ours, ours)
    assert len(pairing.ours) == len(ours)
    assert set(pairing.classes.tolist()) <= {PairClass.EXACT}


@settings(max_examples=100, deadline=None)
@given(calls, calls)
def test_matching_what_is_left_again_finds_nothing(ours: list[Call], theirs: list[Call]) -> None:
    first = paired(ours, theirs)
    left = [c for k, c in enumerate(ours) if k not in set(first.ours.tolist())]
    right = [c for k, c in enumerate(theirs) if k not in set(first.theirs.tolist())]
    assert pairs_of(paired(left, right)) == []


@settings(max_examples=100, deadline=None)
@given(calls, calls)
def test_mirroring_twice_is_where_we_began(ours: list[Call], theirs: list[Call]) -> None:
    pairing = paired(ours, theirs)
    twice = pairing.mirrored().mirrored()
    assert pairs_of(twice) == pairs_of(pairing)
    assert twice.missing_at_ours.tolist() == pairing.missing_at_ours.tolist()


def test_duckdb_finds_the_same_pairs_where_no_number_calls_another_twice() -> None:
    ours = many(2_000)
    theirs = [c.but(at=c.at + (k % 5 - 2)) for k, c in enumerate(ours) if k % 50]
    us, them = table(ours), table(theirs)  # noqa: F841 - DuckDB reads them by name
    found = duckdb.sql(
        "select us.line - 2, them.line - 2 from us join them using (a_party, b_party) "
        "where abs(us.start_ms - them.start_ms) <= 3000 order by 1"
    ).fetchall()
    assert pairs_of(paired(ours, theirs)) == found
    assert len(found) == 1_960
