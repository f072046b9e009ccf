"""Are the demonstration's expectations what the simulated truth says?"""

import pytest

from ledger.identity import CarrierCode
from scripts.demo.expecting import Expectations, Way, expect, net_positions
from scripts.traffic import Planted, simulate

CN_T, GB_B, US_A = (CarrierCode(code) for code in ("CN-T", "GB-B", "US-A"))


@pytest.fixture(scope="module")
def truth() -> Expectations:
    return expect(simulate(5, 1_200))


def test_weeks_add_up_to_the_month_on_both_sides(truth: Expectations) -> None:
    assert len(truth.directions) == 6
    for way in truth.directions:
        for side in way:
            weeks = truth.weekly[way, side]
            assert len(weeks) == 5
            assert sum(weeks) == truth.total(way, side).amount_micros > 0


def test_a_batch_is_held_as_soon_as_the_line_would_be_passed_by_one_micro(truth: Expectations) -> None:
    way = Way(CN_T, GB_B)
    first, second = truth.weekly[way, GB_B][:2]
    assert truth.held_at(way, first - 1) == 0
    assert truth.held_at(way, first) == 1
    assert truth.held_at(way, first + second - 1) == 1
    assert truth.held_at(way, 10 * truth.total(way, GB_B).amount_micros) == 5


def test_what_costs_the_debtor_nothing_is_not_to_be_disputed(truth: Expectations) -> None:
    for way in truth.directions:
        kinds = truth.disputed(way).keys()
        assert not kinds & {Planted.CLOCK_OFFSET, Planted.TIME_ZONE, Planted.SECONDS, Planted.MISSING_AT_CREDITOR}
    assert Planted.INVENTED in truth.disputed(Way(CN_T, US_A))


def test_net_positions_sum_to_zero_and_are_owed_minus_owing() -> None:
    agreed = {Way(CN_T, GB_B): 100, Way(GB_B, CN_T): 30, Way(US_A, GB_B): 5}
    positions = net_positions(agreed)
    assert positions == {GB_B: 75, CN_T: -70, US_A: -5}
    assert sum(positions.values()) == 0
