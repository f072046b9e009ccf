"""Are crossings, resold peerings, detours and rings of seeded months found, and no honest one; and does a broken
detector fail here?"""

from dataclasses import replace
from functools import cache

import pytest

from ledger.detector_terms import DetectorTerms
from reconciliation.arbitrage.crossings import Registers, Valid
from scripts.traffic.arbitrage import count_arbitrage
from scripts.traffic.arbitrage.crossings import CLOSED, CLOSING, OPEN, Crossings, count_crossings, draw_crossings
from scripts.traffic.arbitrage.detours import count_detours, draw_detours
from scripts.traffic.arbitrage.flows import count_flows, draw_flows
from scripts.traffic.arbitrage.rings import Market, count_rings, draw_market
from scripts.traffic.counting import Counted
from scripts.traffic.simulation import OCTOBER

SEED = 20261031
ALWAYS = (Valid(0, None),)


@cache
def counted() -> tuple[Counted, ...]:
    print(f"seed {SEED}")
    return count_arbitrage(SEED, OCTOBER)


@cache
def market() -> Market:
    return draw_market(SEED, codes=20)


@cache
def crossings() -> Crossings:
    return draw_crossings(SEED, OCTOBER)


KINDS = (
    "unlicensed_crossing: data of GB-B",
    "unlicensed_crossing: data of US-A",
    "unlicensed_crossing: ipl of GB-B",
    "peering_resale: octets",
    "refile, the middle's deck unknown",
    "tromboning that costs the middle",
    "tromboning back again",
    "tromboning back again, at the other end",
    "ring over all decks",
    "refile over all decks",
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_is_found_and_nobody_else_is_accused(kind: str) -> None:
    (found,) = (each for each in counted() if each.kind == kind)
    assert found.planted > 0
    assert found.found * 100 >= found.planted * 95
    assert found.false_alarms == 0


def test_every_kind_is_counted_and_no_other_detour_is_told() -> None:
    assert [each.kind for each in counted() if each.planted] == list(KINDS)
    assert [each.false_alarms for each in counted() if not each.planted] == [0]


def test_registers_that_forget_when_something_ends_miss_what_crossed_later() -> None:
    """The fault: without ends, what left by a closing gateway or after a lapse counts as covered."""
    registers = crossings().registers
    endless = {carrier: [Valid(each[0].begin, None)] for carrier, each in registers.licences.items()}
    found = count_crossings(crossings(), Registers(endless, dict.fromkeys((OPEN, CLOSING, CLOSED), ALWAYS)))
    assert [each.found < each.planted for each in found] == [True, True, True]


def test_registers_that_forget_a_renewal_accuse_a_line_that_runs_through_it() -> None:
    registers = crossings().registers
    lapsed = {carrier: each[:1] for carrier, each in registers.licences.items()}
    lines = count_crossings(crossings(), replace(registers, licences=lapsed))[-1]
    assert lines.false_alarms > 0


def test_a_threshold_of_everything_or_of_nothing_fails_on_the_peerings() -> None:
    drawn = draw_flows(SEED, OCTOBER)
    assert count_flows(drawn, DetectorTerms(peering_foreign_bps=9_000)).found == 0
    assert count_flows(drawn, DetectorTerms(peering_foreign_bps=1)).false_alarms > 0


def test_without_decks_a_refile_is_not_seen_and_a_trombone_still_is() -> None:
    refile, *trombones, _ = count_detours(draw_detours(SEED, OCTOBER), decks={})
    assert refile.found == 0
    assert [each.found for each in trombones] == [each.planted for each in trombones]


def test_a_node_that_looks_no_further_than_three_sales_misses_the_longer_chains() -> None:
    short = count_rings(market(), longest=3)
    assert all(0 < each.found < each.planted for each in short)


def test_a_node_that_looks_further_names_the_ring_that_lies_beyond() -> None:
    ring, _ = count_rings(market(), longest=6)
    assert (ring.found, ring.false_alarms > 0) == (ring.planted, True)


def test_who_forgets_its_own_codes_is_told_of_a_ring_that_starts_at_home() -> None:
    homeless = Market(market().prices, market().planted)
    assert count_rings(homeless)[0].false_alarms > 0
