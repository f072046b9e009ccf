import pytest

from ledger.errors import Conflict
from reconciliation.settling.exposure import Exposure, exposure, forecast

DAY_MS = 86_400_000


def used(declared: int, limit: int = 10_000) -> Exposure:
    return exposure(declared, 0, 0, limit)


def test_more_paid_than_declared_is_refused() -> None:
    with pytest.raises(Conflict):
        exposure(100, 60, 41, 1_000)


def test_exposure_is_declared_less_credited_less_paid() -> None:
    current = exposure(9_000, 1_000, 3_000, 10_000)
    assert (current.used_micros, current.left_micros) == (5_000, 5_000)


def test_alerts_of_c28_come_at_half_and_three_quarters_of_ten_thousand() -> None:
    assert used(4_999).alerts == ()
    assert used(5_000).alerts == (5_000,)
    assert used(7_500).alerts == (5_000, 7_500)
    assert used(9_000).alerts == (5_000, 7_500, 9_000)
    assert used(10_000).alerts == (5_000, 7_500, 9_000, 10_000)


def test_a_line_of_zero_is_full_at_once() -> None:
    assert used(1, limit=0).alerts == (5_000, 7_500, 9_000, 10_000)
    assert used(0, limit=0).alerts == ()


def test_what_netting_took_leaves_the_direction_and_what_it_put_there_joins_it() -> None:
    assert exposure(9_000, 1_000, 0, 10_000, -5_000).used_micros == 3_000
    assert exposure(0, 0, 2_000, 10_000, 5_000).used_micros == 3_000
    with pytest.raises(Conflict):
        exposure(9_000, 0, 0, 10_000, -9_001)


def test_the_forecast_extends_the_mean_day_to_the_limit() -> None:
    ahead = forecast(used(4_000), declared_lately=3_000, days=3, now_ms=0)
    assert (ahead.daily_micros, ahead.full_at_ms) == (1_000, 6 * DAY_MS)


def test_no_usage_never_fills_a_line_and_a_full_line_is_full_now() -> None:
    assert forecast(used(4_000), 0, 7, 5).full_at_ms is None
    assert forecast(used(12_000), 0, 7, 5).full_at_ms == 5
