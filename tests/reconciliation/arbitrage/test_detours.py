from ledger.money import Nanos
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from reconciliation.arbitrage.circles import Direction, Scheme, Traffic
from reconciliation.arbitrage.detours import find_detours, loser
from tests.reconciliation.records import CN, GB, MONTH_END_MS, MONTH_START_MS, NOON_MS, US, Call, table

ALASKA = "United States Alaska"
NUMBERS = {CN: ("86",), GB: ("44",)}
SPAN = (MONTH_START_MS, MONTH_END_MS)


def deck(*prices: tuple[int, int]) -> DeckHistory:
    """(from when, cents a minute to Alaska)."""
    return deck_history((at, rate_deck("USD", [Rate(ALASKA, "1907", Nanos(c * 10**7))])) for at, c in prices)


OURS: dict[Direction, DeckHistory] = {(US, CN): deck((0, 9)), (US, GB): deck((0, 3))}
"""What US-A knows: it does not know what GB-B charges CN-T."""


def alaska(*, at: float = 0, a: str = "8613900000001", amount: int = 30_000) -> Call:
    return Call(at=at, a=a, b="19070000001", code="1907", destination=ALASKA, amount=amount)


def test_own_callers_of_the_middle_are_no_arbitrage() -> None:
    traffic = Traffic({(US, GB): table([alaska(a="447700900001")] * 5)}, NUMBERS)
    assert find_detours(US, OURS, traffic, *SPAN) == ()


def test_calls_that_cost_the_middle_no_less_are_no_arbitrage() -> None:
    traffic = Traffic({(US, GB): table([alaska()])}, NUMBERS)
    assert find_detours(US, {**OURS, (US, GB): deck((0, 9))}, traffic, *SPAN) == ()


def test_guests_in_the_middles_network_are_no_arbitrage_while_its_price_is_unknown() -> None:
    """One call in twenty may come round honestly; more may not."""
    direct = table([alaska(at=60 * minute) for minute in range(19)])
    guest, guests = (table([alaska()] * count) for count in (1, 2))
    assert find_detours(US, OURS, Traffic({(US, GB): guest, (US, CN): direct}, NUMBERS), *SPAN) == ()
    assert len(find_detours(US, OURS, Traffic({(US, GB): guests, (US, CN): direct}, NUMBERS), *SPAN)) == 1
    known = {**OURS, (GB, CN): deck((0, 5))}
    assert len(find_detours(US, known, Traffic({(US, GB): guest, (US, CN): direct}, NUMBERS), *SPAN)) == 1


def test_a_low_price_that_nobody_uses_is_no_arbitrage_while_the_middles_price_is_unknown() -> None:
    assert find_detours(US, OURS, Traffic({(US, CN): table([alaska()])}, NUMBERS), *SPAN) == ()


def test_the_carrier_that_loses_finds_the_calls_by_its_own_decks() -> None:
    handed = table([alaska(a="447700900001"), alaska(at=60), alaska(at=120)])
    traffic = Traffic({(US, GB): handed, (US, CN): table([alaska(at=600)])}, NUMBERS)
    (finding,) = find_detours(US, OURS, traffic, *SPAN)
    assert (finding.scheme, finding.cycle, loser(finding)) == (Scheme.REFILE, (CN, GB, US), US)
    assert (finding.minutes, finding.lost_micros, finding.at_risk_micros) == (2, 120_000, 60_000)
    assert (finding.direction, finding.rows.tolist()) == ((US, GB), [1, 2])
    assert finding.explanation == (
        "calls of CN-T to United States Alaska arrive through GB-B: US-A forgoes 0.0600 a minute; "
        "2 minutes went that way"
    )


def test_the_whole_triangle_is_found_without_calls_once_its_third_deck_is_known() -> None:
    (finding,) = find_detours(US, {**OURS, (GB, CN): deck((0, 5))}, Traffic({}, NUMBERS), *SPAN)
    assert (finding.cycle, finding.gain_nanos, finding.minutes) == ((CN, GB, US), 60_000_000, 0)
    at_cost = {**OURS, (GB, CN): deck((0, 3))}
    assert find_detours(US, at_cost, Traffic({(US, GB): table([alaska()])}, NUMBERS), *SPAN) == ()


def test_each_call_counts_by_the_prices_of_its_day() -> None:
    decks = {**OURS, (US, GB): deck((0, 3), (NOON_MS, 7), (NOON_MS + 86_400_000, 9))}
    calls = [alaska(at=-60), alaska(at=60), alaska(at=90_000)]
    (finding,) = find_detours(US, decks, Traffic({(US, GB): table(calls)}, NUMBERS), *SPAN)
    assert (finding.rows.tolist(), finding.minutes) == ([0, 1], 2)
    assert (finding.gain_nanos, finding.lost_micros) == (60_000_000, 80_000)
    assert finding.explanation.endswith("2 minutes went that way")


def test_transit_that_earns_is_business_and_transit_that_costs_is_found() -> None:
    incoming, cheap, dear = (table([alaska(amount=amount)]) for amount in (50_000, 30_000, 90_000))
    assert find_detours(GB, {}, Traffic({(GB, CN): incoming, (US, GB): cheap}, {}), *SPAN) == ()
    (finding,) = find_detours(GB, {}, Traffic({(GB, CN): incoming, (US, GB): dear}, {}), *SPAN)
    assert (finding.scheme, loser(finding), finding.lost_micros) == (Scheme.TROMBONE, GB, 40_000)


def test_a_call_that_goes_back_where_it_came_from_is_found_though_it_earns() -> None:
    both = {(GB, CN): table([alaska(amount=50_000)]), (CN, GB): table([alaska(amount=30_000)])}
    (finding,) = find_detours(GB, {}, Traffic(both, {}), *SPAN)
    assert (finding.scheme, finding.cycle, finding.lost_micros) == (Scheme.TROMBONE, (CN, GB, CN), 0)
