from ledger.detector_terms import DetectorTerms
from reconciliation.arbitrage.rate_dates import find_rate_date_stuffing
from reconciliation.suspicion import SuspicionKind
from tests.reconciliation.arbitrage.selling import CENT, DAY_S, FIXED, MOBILE, decks, plain_deck, sold, usual
from tests.reconciliation.records import MONTH_START_MS, Call

CHANGE_MS = MONTH_START_MS + 14 * DAY_S * 1000
RISE = decks((0, plain_deck()), (CHANGE_MS, plain_deck(mobile=3 * CENT)))
FALL = decks((0, plain_deck(mobile=3 * CENT)), (CHANGE_MS, plain_deck()))
BACKGROUND = [*usual(range(31)), *usual(range(31), code=FIXED)]
TERMS = DetectorTerms()


def machine(day: float, count: int = 150) -> list[Call]:
    """Ten-minute calls of three machines, from a day of the month on."""
    at = (day - 10) * DAY_S - 12 * 3_600
    return [Call(at=at + 500 * k, lasts=600, a=f"861381234567{k % 3}", b=f"{MOBILE}9{k:08d}") for k in range(count)]


def test_a_month_without_a_change_says_nothing() -> None:
    assert find_rate_date_stuffing(sold([*BACKGROUND, *machine(12)]), TERMS) == ()


def test_an_ordinary_change_says_nothing() -> None:
    assert find_rate_date_stuffing(sold(BACKGROUND, RISE), TERMS) == ()


def test_a_fair_that_fills_all_destinations_says_nothing() -> None:
    """The rest of the direction moves what is expected."""
    both = [call.but(a="86137" + call.a[5:]) for call in BACKGROUND if 12 <= (call.at / DAY_S) + 10.5 < 14]
    assert find_rate_date_stuffing(sold([*BACKGROUND, *both], RISE), TERMS) == ()


def test_less_traffic_for_good_after_a_rise_says_nothing() -> None:
    kept = [
        call for k, call in enumerate(BACKGROUND) if k % 3 or call.b.startswith(FIXED) or call.at < 4 * DAY_S - 43_200
    ]
    assert find_rate_date_stuffing(sold(kept, RISE), TERMS) == ()


def test_traffic_sent_before_a_rise_is_told_with_its_calls_and_what_it_saved() -> None:
    stuffed = machine(12.1)
    month = sold([*BACKGROUND, *stuffed], RISE)
    (found,) = find_rate_date_stuffing(month, TERMS)
    assert (found.kind, found.subject, found.confidence) == (
        SuspicionKind.RATE_DATE_STUFFING,
        "United Kingdom Mobile",
        90,
    )
    assert found.rows.tolist() == list(range(len(BACKGROUND), len(BACKGROUND) + len(stuffed)))
    assert abs(found.money_at_risk_micros - 1_500 * 20_000) < 1_000_000
    assert "rises by USD 0.0200 a minute on 2026-10-15; the 48 hours before it" in found.explanation


def test_traffic_held_back_until_a_fall_is_told() -> None:
    (found,) = find_rate_date_stuffing(sold([*BACKGROUND, *machine(14.1)], FALL), TERMS)
    assert "falls by USD 0.0200 a minute on 2026-10-15; the 48 hours after it" in found.explanation


def test_the_threshold_is_the_agreements() -> None:
    month = sold([*BACKGROUND, *machine(12.1)], RISE)
    assert find_rate_date_stuffing(month, DetectorTerms(surge_percent=1_000)) == ()
