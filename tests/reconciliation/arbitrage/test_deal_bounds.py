from ledger.detector_terms import DetectorTerms
from ledger.money import Nanos
from ledger.prices.deal_terms import Deal, Tier
from reconciliation.arbitrage.deal_bounds import find_deal_stuffing
from reconciliation.arbitrage.sold import Sold
from reconciliation.suspicion import SuspicionKind
from tests.reconciliation.arbitrage.selling import CENT, DAY_S, FIXED, MOBILE, sold, usual
from tests.reconciliation.records import CN, GB, Call

TERMS = DetectorTerms()
BACKGROUND = [*usual(range(31)), *usual(range(31), code=FIXED)]
HALF = Nanos(CENT // 2)


def machine(count: int = 150) -> list[Call]:
    """Ten-minute calls of three machines in the month's last days."""
    at = 18 * DAY_S - 12 * 3_600
    return [Call(at=at + 900 * k, lasts=600, a=f"861381234567{k % 3}", b=f"{MOBILE}9{k:08d}") for k in range(count)]


def volume_ms(calls: list[Call], code: str = MOBILE) -> int:
    return sum(call.lasts_ms for call in calls if call.b.startswith(code))


def with_tier(calls: list[Call], share: float, *, back: bool = True) -> Sold:
    """A tier that begins at this share of the honest volume."""
    begin = round(volume_ms(BACKGROUND) * share)
    deal = Deal("volume", GB, frozenset({"United Kingdom Mobile"}), (Tier(begin, HALF),), back_to_first=back)
    return sold(calls, deals=(deal,))


def test_an_honest_month_past_a_tier_says_nothing() -> None:
    assert find_deal_stuffing(with_tier(BACKGROUND, 0.99), None, TERMS) == ()


def test_a_surge_that_changes_no_tier_says_nothing() -> None:
    calls = [*BACKGROUND, *machine()]
    assert find_deal_stuffing(with_tier(calls, 0.5), None, TERMS) == ()
    assert find_deal_stuffing(with_tier(calls, 9.0), None, TERMS) == ()


def test_calls_that_carry_a_volume_over_a_tier_are_told() -> None:
    stuffed = machine()
    (found,) = find_deal_stuffing(with_tier([*BACKGROUND, *stuffed], 1.05), None, TERMS)
    assert (found.kind, found.subject, found.count) == (SuspicionKind.TIER_STUFFING, "volume", len(stuffed))
    assert abs(found.money_at_risk_micros - volume_ms(BACKGROUND) // 60_000 * 5_000) < 500_000
    assert found.explanation.startswith("volume: the last 3 days carry")


def test_a_tier_that_prices_only_what_is_beyond_it_puts_only_that_at_risk() -> None:
    calls = [*BACKGROUND, *machine()]
    (back,) = find_deal_stuffing(with_tier(calls, 1.05), None, TERMS)
    (beyond,) = find_deal_stuffing(with_tier(calls, 1.05, back=False), None, TERMS)
    assert beyond.money_at_risk_micros < back.money_at_risk_micros // 2


def balanced(mine: list[Call], others: list[Call], *, dearer: bool = True) -> tuple[Sold, Sold]:
    deal = Deal("balance", GB, tiers=(Tier(0, HALF),), unbalanced=(Tier(0, CENT if dearer else Nanos(CENT // 4)),))
    return sold(mine, deals=(deal,)), sold(others, deals=(deal,), turned=True)


def test_an_honest_balance_says_nothing() -> None:
    assert find_deal_stuffing(*balanced(BACKGROUND * 2, BACKGROUND), TERMS) == ()


def test_a_surge_of_the_other_direction_that_balances_more_is_told_with_its_calls() -> None:
    month, other = balanced([*BACKGROUND, *usual(range(31), each=20, code="4415")], [*usual(range(31)), *machine()])
    (found,) = find_deal_stuffing(month, other, TERMS)
    assert (found.kind, found.creditor, found.debtor) == (SuspicionKind.BALANCED_VOLUME, CN, GB)
    assert found.count == 150
    assert abs(found.money_at_risk_micros - 1_500 * 5_000) < 500_000


def test_a_balance_that_gains_nothing_or_was_there_already_says_nothing() -> None:
    others = [*usual(range(31)), *machine()]
    assert find_deal_stuffing(*balanced(BACKGROUND, others, dearer=False), TERMS) == ()
    assert find_deal_stuffing(*balanced(usual(range(31), each=10), others), TERMS) == ()


def test_deals_of_the_other_creditor_are_not_asked_here() -> None:
    month = with_tier([*BACKGROUND, *machine()], 1.05)
    turned = Sold(CN, GB, month.table, month.agreement, month.period, month.decks)
    assert find_deal_stuffing(turned, None, TERMS) == ()
