import numpy as np
import pytest

from ledger.agreement import Tolerance
from reconciliation.matching.clocks import Clocks, estimate
from reconciliation.matching.match import Rule, match
from reconciliation.matching.side import side_of
from tests.reconciliation.records import Call, many, table

DAY_S, HOUR_S = 86_400, 3_600
NOON_DAY = 11
"""NOON_MS of the records module is on 11 October."""


def clocks(ours: list[Call], theirs: list[Call]) -> Clocks:
    return estimate(side_of(table(ours)), side_of(table(theirs)), Tolerance())


def day_of(call: Call) -> int:
    return NOON_DAY + int((call.at + 12 * HOUR_S) // DAY_S)


def errors_of(found: Clocks) -> list[tuple[str, int]]:
    """(route, offset in seconds) of each stretch."""
    return [(error.route, error.offset_ms // 1000) for error in found.errors]


def relative(found: Clocks) -> set[int]:
    """Seconds by which their clock was found ahead of ours, whoever was blamed."""
    return {(-1 if error.ours else 1) * error.offset_ms // 1000 for error in found.errors}


def assert_all_pair(ours: list[Call], theirs: list[Call], found: Clocks, told_twice_s: int) -> None:
    """Every call finds itself; only those of hours that a clock told twice need a second attempt."""
    pairing = match(side_of(table(ours)), side_of(table(theirs)), Tolerance(), found)
    assert pairing.ours.tolist() == pairing.theirs.tolist() == list(range(len(ours)))
    assert np.abs(pairing.delta_ms).max() == 0
    again = int((pairing.rules == Rule.OTHER_OFFSET).sum())
    assert again <= told_twice_s * len(ours) // (30 * DAY_S) + 2


def test_equal_clocks_have_no_error() -> None:
    calls = many(300)
    assert clocks(calls, calls).errors == ()


def test_jitter_within_the_window_is_no_error() -> None:
    calls = many(300)
    late = [call.but(at=call.at + k % 3 - 1) for k, call in enumerate(calls)]
    assert clocks(calls, late).errors == ()


def test_too_few_calls_tell_nothing() -> None:
    calls = many(5)
    assert clocks(calls, [call.but(at=call.at + 47) for call in calls]).errors == ()


def test_two_empty_sides_have_no_clock() -> None:
    assert clocks([], []).errors == ()


@pytest.mark.parametrize("offset_s", [47, -47, 3_600, -3_600, 8 * 3_600, -8 * 3_600, 5 * 3_600 + 30 * 60, 4])
def test_a_constant_offset_is_found_exactly_and_taken_out(offset_s: int) -> None:
    calls = many(300)
    found = clocks(calls, [call.but(at=call.at + offset_s) for call in calls])
    assert relative(found) == {offset_s}
    left = offset_s * 1000 - found.theirs + found.ours
    assert not left.any()


def test_the_route_that_is_off_is_named_where_routes_are_shared() -> None:
    """Our T2 alone is an hour ahead; both our routes lead to their single one."""
    calls = [call.but(route=f"T{k % 2 + 1}") for k, call in enumerate(many(600))]
    ours = [call.but(at=call.at + 3_600) if call.route == "T2" else call for call in calls]
    found = clocks(ours, [call.but(route="X") for call in calls])
    assert errors_of(found) == [("T2", 3_600)]
    assert found.errors[0].ours


@pytest.mark.parametrize("wrong", ["ours", "theirs"])
@pytest.mark.parametrize("offset_s", [47, -3_600])
def test_the_side_whose_file_is_out_of_order_is_blamed(wrong: str, offset_s: int) -> None:
    """Route by route the two sides differ by the same seconds whoever is wrong; their files' order tells."""
    right = [call.but(route=f"T{k * 7 % 3}") for k, call in enumerate(many(12_000))]
    shifted = [call.but(at=call.at + offset_s) if call.route == "T2" else call for call in right]
    ours, theirs = (shifted, right) if wrong == "ours" else (right, shifted)
    (error,) = clocks(ours, [call.but(route="X" + call.route) for call in theirs]).errors
    assert (error.ours, error.offset_ms) == (wrong == "ours", offset_s * 1_000)
    assert error.route == ("T2" if wrong == "ours" else "XT2")


def test_files_in_no_order_blame_nobody_and_still_correct() -> None:
    right = [call.but(route=f"T{k * 7 % 3}") for k, call in enumerate(many(600))]
    shifted = [call.but(at=call.at + 47) if call.route == "T2" else call for call in right]
    chance = np.random.default_rng(3)
    mixed = [shifted[k] for k in chance.permutation(len(shifted)).tolist()]
    assert relative(clocks(right, mixed)) == {47}


def test_each_route_has_its_own_clock() -> None:
    calls = [call.but(route=f"T{k % 3}") for k, call in enumerate(many(900))]
    theirs = [call.but(at=call.at + (0, 47, -3_600)[int(call.route[1])]) for call in calls]
    assert relative(clocks(calls, theirs)) == {47, -3_600}


def test_a_zone_error_of_some_days_begins_and_ends_where_it_did() -> None:
    calls = many(3_000)
    theirs = [call.but(at=call.at - 3_600) if 10 <= day_of(call) <= 14 else call for call in calls]
    found = clocks(calls, theirs)
    assert relative(found) == {-3_600}
    assert_all_pair(calls, theirs, found, told_twice_s=HOUR_S)


def test_a_zone_error_that_begins_within_a_day_is_cut_at_its_hour() -> None:
    """The clock jumps eight hours ahead at 16:00 UTC, midnight in Shanghai, and falls back three days later: the eight
    hours it then tells twice cannot be told apart by the clock, but the match tries both."""
    calls = many(3_000)
    begin, end = 4 * HOUR_S, 4 * HOUR_S + 3 * DAY_S
    theirs = [call.but(at=call.at + 8 * HOUR_S) if begin <= call.at < end else call for call in calls]
    found = clocks(calls, theirs)
    assert relative(found) == {8 * HOUR_S}
    assert_all_pair(calls, theirs, found, told_twice_s=8 * HOUR_S)


def test_one_call_held_six_times_is_one_sign_of_an_error_and_not_six() -> None:
    assert clocks([Call()], [Call(at=4)] * 6).errors == ()


def test_a_daylight_saving_step_shows_as_two_stretches() -> None:
    calls = many(3_000)
    step = 14 * DAY_S + 13 * HOUR_S
    theirs = [call.but(at=call.at + (HOUR_S if call.at >= step else 0)) for call in calls]
    found = clocks(calls, theirs)
    assert relative(found) == {HOUR_S}
    assert len(found.errors) == 1


def test_a_drifting_clock_is_followed_from_day_to_day() -> None:
    calls = many(6_000)
    theirs = [call.but(at=call.at + 2.0 * (day_of(call) - 1)) for call in calls]
    found = clocks(calls, theirs)
    apart = (np.array([c.at for c in theirs]) - np.array([c.at for c in calls])) * 1000 - found.theirs + found.ours
    assert (np.abs(apart) > 3_000).sum() == 0
    assert len(found.errors) > 10


def test_a_biased_counter_does_not_hide_the_clock() -> None:
    calls = many(300)
    theirs = [call.but(at=call.at + 47, lasts=call.lasts + 7) for call in calls]
    assert relative(clocks(calls, theirs)) == {47}


def test_calls_that_repeat_each_hour_do_not_look_like_a_zone_error() -> None:
    """An alarm dialler: the same numbers each hour, of one length; half of the calls are lost at random."""
    calls = [Call(at=k * HOUR_S, lasts=30, a=f"8613{n:09d}") for n in range(40) for k in range(3)]
    ours = [call for k, call in enumerate(calls) if k * 2_654_435_761 % 7 < 5]
    theirs = [call for k, call in enumerate(calls) if k * 2_246_822_519 % 7 < 5]
    assert clocks(ours, theirs).errors == ()
