from reconciliation.arbitrage.circles import Scheme
from reconciliation.arbitrage.tromboning import find_trombones
from tests.reconciliation.records import CN, GB, US, Call, many, table

ALASKA = "United States Alaska"


def leg(k: int, amount: int, later: float = 0.0) -> Call:
    return Call(at=k * 60 + later, lasts=120, b=f"1907{k:07d}", code="1907", destination=ALASKA, amount=amount)


def test_traffic_that_ends_with_us_is_no_trombone() -> None:
    assert find_trombones(GB, {CN: table(many(50))}, {US: table(many(50, b="12125550100"))}) == ()


def test_the_same_numbers_an_hour_later_are_another_call() -> None:
    assert find_trombones(GB, {CN: table([leg(1, 5)])}, {US: table([leg(1, 5, later=3_600)])}) == ()


def test_a_call_that_comes_in_and_goes_out_within_seconds_is_found() -> None:
    incoming = table([*many(50), leg(1, 100_000), leg(2, 100_000)])
    outgoing = table([leg(1, 60_000, later=4), leg(2, 60_000, later=9)])
    (finding,) = find_trombones(GB, {CN: incoming}, {US: outgoing})
    assert (finding.scheme, finding.cycle, finding.destination) == (Scheme.TROMBONE, (CN, GB, US), ALASKA)
    assert (finding.rows.tolist(), finding.minutes, finding.lost_micros) == ([50, 51], 4, 0)
    assert finding.explanation == (
        "2 calls to United States Alaska came from CN-T and went on to US-A within seconds; "
        "they brought 0.20 and cost 0.12"
    )


def test_a_way_out_that_costs_more_than_the_way_in_brings_is_a_loss() -> None:
    (finding,) = find_trombones(GB, {CN: table([leg(1, 50_000)])}, {US: table([leg(1, 90_000, later=2)])})
    assert (finding.lost_micros, finding.gain_nanos) == (40_000, 20_000_000)


def test_a_call_that_returns_where_it_came_from_is_found() -> None:
    (finding,) = find_trombones(GB, {CN: table([leg(1, 5)])}, {CN: table([leg(1, 9, later=1)])})
    assert finding.cycle == (CN, GB, CN)


def test_a_call_of_another_length_is_another_call() -> None:
    assert find_trombones(GB, {CN: table([leg(1, 5)])}, {US: table([leg(1, 5, later=1).but(lasts=300)])}) == ()
