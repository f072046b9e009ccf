"""Are the figures of the money pages what they say? Values in, values out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.desk.shapes import money_exact, nanos
from gateway.desk.views.arrears import ladder, next_step_at
from gateway.desk.views.decks import changes_between
from gateway.desk.views.lines import HEIGHT, WIDTH, curve, what_if
from ledger.chain.bindings import LimitPolicy
from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.prices.deck import Nanos, Rate, RateDeck, rate_deck
from ledger.store.credit import CreditRow
from reconciliation.settling.ageing import ArrearsStage

LINE = CreditRow(
    AgreementId(bytes(32)), CarrierCode("GB-B"), Micros(100), LimitPolicy.REFUSE, Micros(60), stopped=False, nonce=1
)


def deck(**prices: int) -> RateDeck:
    """Codes by destination: UK=44 at so many nanos a minute."""
    codes = {"uk": "44", "mobile": "447", "china": "86"}
    return rate_deck("USD", [Rate(name, codes[name], Nanos(price)) for name, price in prices.items()])


def test_a_deck_is_priced_on_last_months_traffic_code_by_code() -> None:
    minute = 60_000
    traffic = {"44": (10 * minute, 7), "447": (3 * minute, 2)}

    changes, unchanged = changes_between(
        deck(uk=20_000_000, mobile=50_000_000), deck(uk=30_000_000, china=5_000_000), traffic
    )

    assert [(each.code, each.kind, each.records, each.micros) for each in changes] == [
        ("44", "dearer", 7, 100_000),  # 10 minutes at 0.01 more
        ("447", "gone", 2, 0),
        ("86", "new", 0, 0),
    ]
    assert unchanged == 0


def test_the_same_deck_changes_nothing() -> None:
    assert changes_between(deck(uk=1), deck(uk=1), {"44": (1, 1)}) == ([], 1)


@pytest.mark.parametrize(("further", "over", "left"), [(0, 0, 40), (40, 0, 0), (41, 1, -1)])
def test_what_if_says_what_is_left_and_by_how_much_a_line_is_passed(further: int, over: int, left: int) -> None:
    then = what_if(LINE, CarrierCode("CN-T"), further, 0, now_ms=0)

    assert (then.over_micros, then.row.left_micros, then.row.full_at) == (over, left, None if left > 0 else 0)


def test_what_if_at_a_pace_says_the_day() -> None:
    assert what_if(LINE, CarrierCode("CN-T"), 20, 10, now_ms=0).row.full_at == 2 * 86_400


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**15), max_size=30), st.integers(0, 10**15), st.none() | st.integers(1, 10**7))
def test_a_curve_stays_on_its_drawing(steps: list[int], limit: int, ahead: int | None) -> None:
    drawn = curve(steps, limit, ahead, now_s=0)

    points = [tuple(map(int, point.split(","))) for point in f"{drawn.points} {drawn.onward}".split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert 0 <= drawn.limit_y <= HEIGHT


def test_the_ladder_tells_what_was_taken_what_is_ripe_and_when_the_next_step_is() -> None:
    assert [standing for _, standing in ladder(ArrearsStage.OVERDUE, ArrearsStage.CREDIT_STOPPED)] == [
        "done",
        "done",
        "now",
        "todo",
    ]
    assert next_step_at(1000, ArrearsStage.OVERDUE, 15, 30) == 1000 + 15 * 86_400
    assert next_step_at(1000, ArrearsStage.TERMINATED, 15, 30) is None


@pytest.mark.parametrize(
    ("micros", "shown"), [(1_204_100_000, "1,204.10"), (1_234_567, "1.234567"), (-5, "−0.000005"), (500_000, "0.50")]
)
def test_what_is_signed_is_never_shown_rounded(micros: int, shown: str) -> None:
    assert money_exact(micros) == shown


def test_a_price_has_four_places_or_as_many_as_it_needs() -> None:
    assert (nanos(30_000_000), nanos(12_345), nanos(2_000_000_000)) == ("0.0300", "0.000012345", "2.0000")
