import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreement import PaymentTerms
from ledger.identity import CarrierCode
from ledger.money import Micros
from reconciliation.settling.ageing import ArrearsStage, Band, Payable, age, band_of, interest_micros, stage_at

DAY = 86_400
DUE = 1_764_547_200
TEN_THOUSAND = 10_000_000_000


def payable(due_at: int = DUE, amount: int = TEN_THOUSAND, name: str = "P1") -> Payable:
    return Payable(name, CarrierCode("GB-B"), CarrierCode("CN-T"), Micros(amount), due_at)


def test_nothing_is_late_before_and_at_the_due_second() -> None:
    for at in (DUE - 1, DUE):
        item = age([payable()], at * 1000).items[0]
        assert (item.band, item.interest_micros, item.stage) == (Band.CURRENT, 0, ArrearsStage.CURRENT)


def test_ten_thousand_45_days_late_bear_225_c30() -> None:
    item = age([payable()], (DUE + 45 * DAY) * 1000).items[0]
    assert item.interest_micros == 225_000_000
    assert item.total_micros == 10_225_000_000


def test_interest_is_floored_as_the_contract_does() -> None:
    assert interest_micros(1, 30 * DAY, 150) == 0
    assert interest_micros(TEN_THOUSAND, 1, 150) == TEN_THOUSAND * 150 // (10_000 * 30 * DAY)
    assert interest_micros(TEN_THOUSAND, -1, 150) == 0


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, Band.CURRENT),
        (1, Band.DAYS_1_30),
        (30, Band.DAYS_1_30),
        (31, Band.DAYS_31_60),
        (60, Band.DAYS_31_60),
        (61, Band.DAYS_61_90),
        (90, Band.DAYS_61_90),
        (91, Band.OVER_90),
        (9_999, Band.OVER_90),
    ],
)
def test_bands_end_where_their_names_say(days: int, band: Band) -> None:
    assert band_of(days) is band


def test_the_ladder_climbs_at_its_days_and_not_a_second_before() -> None:
    terms = PaymentTerms(stop_credit_days=15, terminate_days=30)
    assert stage_at(DUE, DUE + 1, terms) is ArrearsStage.OVERDUE
    assert stage_at(DUE, DUE + 15 * DAY - 1, terms) is ArrearsStage.OVERDUE
    assert stage_at(DUE, DUE + 15 * DAY, terms) is ArrearsStage.CREDIT_STOPPED
    assert stage_at(DUE, DUE + 30 * DAY - 1, terms) is ArrearsStage.CREDIT_STOPPED
    assert stage_at(DUE, DUE + 30 * DAY, terms) is ArrearsStage.TERMINATED


def test_ageing_lists_the_oldest_first_and_sums_the_bands() -> None:
    ageing = age([payable(DUE, 5, "late"), payable(DUE - 40 * DAY, 7, "older")], (DUE + DAY) * 1000)
    assert [item.payable.payable_id for item in ageing.items] == ["older", "late"]
    assert ageing.bands == (0, 5, 7, 0, 0)
    assert ageing.overdue_micros == 12


@given(st.lists(st.tuples(st.integers(-100, 200), st.integers(0, 10**15)), max_size=20))
def test_bands_hold_every_payable_once(owed: list[tuple[int, int]]) -> None:
    ageing = age([payable(DUE - late * DAY, amount, str(k)) for k, (late, amount) in enumerate(owed)], DUE * 1000)
    assert sum(ageing.bands) == sum(amount for _, amount in owed)
    assert ageing.interest_micros == sum(interest_micros(amount, late * DAY, 150) for late, amount in owed)
