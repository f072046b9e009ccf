from ledger.identity import CarrierCode
from ledger.money import Nanos
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from reconciliation.arbitrage.circles import Direction, Scheme, Traffic, find_arbitrage, minute_nanos
from tests.reconciliation.records import CN, GB, NOON_MS, US, Call, table

ALASKA = "United States Alaska"


def deck(**prices: float) -> DeckHistory:
    """Codes c1907=... with the price of a minute in hundredths."""
    rates = [
        Rate(ALASKA if "1907" in code else "Other", code[1:], Nanos(round(c * 10**7))) for code, c in prices.items()
    ]
    return deck_history([(0, rate_deck("USD", rates))])


DIRECT, RESOLD, BOUGHT = 9.0, 5.0, 3.0
REFILE: dict[Direction, DeckHistory] = {
    (US, CN): deck(c1907=DIRECT),
    (GB, CN): deck(c1907=RESOLD),
    (US, GB): deck(c1907=BOUGHT),
}


def to_alaska(count: int, **same: object) -> list[Call]:
    return [
        Call(at=k * 60, lasts=60, b=f"1907{k:07d}", code="1907", destination=ALASKA).but(**same) for k in range(count)
    ]


def test_decks_that_pay_nobody_have_no_scheme() -> None:
    fair = {**REFILE, (GB, CN): deck(c1907=DIRECT)}
    assert find_arbitrage(fair, NOON_MS) == ()
    at_a_loss = {**REFILE, (US, GB): deck(c1907=RESOLD)}
    assert find_arbitrage(at_a_loss, NOON_MS) == ()


def test_a_triangle_through_the_third_carrier_is_found() -> None:
    (finding,) = find_arbitrage(REFILE, NOON_MS)
    assert (finding.scheme, finding.cycle, finding.destination) == (Scheme.REFILE, (CN, GB, US), ALASKA)
    assert finding.gain_nanos == 60_000_000
    assert (finding.minutes, finding.lost_micros, finding.direction) == (0, 0, None)
    assert finding.explanation == (
        "United States Alaska costs CN-T less through GB-B than from US-A, which forgoes 0.0600 a minute"
    )


def test_minutes_sent_the_long_way_are_money_lost_and_those_sent_direct_at_risk() -> None:
    traffic = Traffic({(GB, CN): table([*to_alaska(10), Call()]), (US, CN): table(to_alaska(4))}, {})
    (finding,) = find_arbitrage(REFILE, NOON_MS, traffic)
    assert (finding.minutes, finding.lost_micros) == (10, 600_000)
    assert (finding.exposed_minutes, finding.at_risk_micros) == (4, 240_000)
    assert (finding.direction, finding.rows.tolist()) == ((GB, CN), list(range(10)))


def test_the_carrier_that_loses_sees_it_by_the_calling_numbers() -> None:
    """US-A sees neither the others' deck traffic nor their contracts: Chinese callers arrive from GB-B."""
    handed = table([*to_alaska(6, a="447700900009"), *to_alaska(3, a="8613900000001")])
    traffic = Traffic({(US, GB): handed}, {CN: ("86",)})
    (finding,) = find_arbitrage(REFILE, NOON_MS, traffic)
    assert (finding.direction, finding.rows.tolist(), finding.minutes) == ((US, GB), [6, 7, 8], 3)


def test_a_shorter_code_of_another_deck_prices_the_same_number() -> None:
    coarse = {**REFILE, (US, GB): deck(c1=BOUGHT)}
    (finding,) = find_arbitrage(coarse, NOON_MS)
    assert finding.codes == ("1907",)


def test_a_price_not_yet_in_force_makes_no_scheme() -> None:
    later = deck_history(
        [
            (0, rate_deck("USD", [Rate(ALASKA, "1907", Nanos(90_000_000))])),
            (NOON_MS, rate_deck("USD", [Rate(ALASKA, "1907", Nanos(50_000_000))])),
        ]
    )
    decks = {**REFILE, (GB, CN): later}
    assert find_arbitrage(decks, NOON_MS - 1) == ()
    assert len(find_arbitrage(decks, NOON_MS)) == 1


def test_a_carrier_that_buys_back_its_own_destination_dearer_is_in_a_ring() -> None:
    decks = {(US, GB): deck(c1907=3), (GB, CN): deck(c1907=4), (CN, US): deck(c1907=6)}
    (finding,) = find_arbitrage(decks, NOON_MS)
    assert (finding.scheme, finding.cycle, finding.gain_nanos) == (Scheme.RING, (US, GB, CN), 30_000_000)


def test_several_codes_of_a_destination_are_one_finding_with_the_largest_gain() -> None:
    decks = {
        (US, CN): deck(c1907=9, c19075=9),
        (GB, CN): deck(c1907=5, c19075=4),
        (US, GB): deck(c1907=3, c19075=1),
    }
    (finding,) = find_arbitrage(decks, NOON_MS)
    assert (finding.codes, finding.gain_nanos) == (("1907", "19075"), 80_000_000)


def test_the_costliest_scheme_comes_first() -> None:
    decks = {
        (US, CN): deck(c1907=9, c1212=2),
        (GB, CN): deck(c1907=5, c1212=1.5),
        (US, GB): deck(c1907=3, c1212=1),
    }
    calls = [*to_alaska(2), *[Call(at=k, b=f"1212{k:07d}", lasts=60) for k in range(50)]]
    found = find_arbitrage(decks, NOON_MS, Traffic({(GB, CN): table(calls)}, {}))
    assert [(finding.destination, finding.lost_micros) for finding in found] == [("Other", 500_000), (ALASKA, 120_000)]


def test_a_price_for_another_unit_is_brought_to_the_minute() -> None:
    assert minute_nanos(Rate("X", "1", Nanos(100), per=1_000)) == 6_000


def test_every_order_of_three_carriers_is_tried() -> None:
    names = [CarrierCode(f"C{k}") for k in range(6)]
    decks = {(a, b): deck(c1=1) for a in names for b in names if a != b}
    assert find_arbitrage(decks, NOON_MS) == ()
    decks |= {(each, names[0]): deck(c1=9) for each in names[1:]}
    decks[(names[4], names[0])] = deck(c1=8)
    decks[(names[5], names[4])] = deck(c1=7)
    cycles = {finding.scheme: finding.cycle for finding in find_arbitrage(decks, NOON_MS)}
    assert cycles == {
        Scheme.REFILE: (names[0], names[4], names[5]),
        Scheme.RING: (names[0], names[5], names[4]),
    }


def test_a_ring_is_none_for_who_buys_the_code_cheaper_elsewhere_or_terminates_it() -> None:
    decks = {(US, GB): deck(c1907=3), (GB, CN): deck(c1907=4), (CN, US): deck(c1907=6)}
    assert find_arbitrage({**decks, (GB, US): deck(c1907=2)}, NOON_MS) == ()
    assert find_arbitrage(decks, NOON_MS, Traffic({}, {US: ("1",)})) == ()
