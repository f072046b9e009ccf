"""Is a port charged what its samples and its deck say, and can the other side compute the same from the samples?"""

from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Agreement
from ledger.errors import Malformed, UnknownDestination
from ledger.money import show_micros
from ledger.prices.data_rating import (
    PortCharge,
    bandwidth,
    charge_bandwidth,
    charge_records,
    port_charges,
    rate_data,
    recompute_charge,
    wrong_charges,
)
from ledger.prices.deck import DeckHistory
from ledger.prices.service_terms import DataBasis, DataTerms, MissingSamples, PercentileDefinition, SampleDirection
from ledger.sealing import seal
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA
from tests.ledger.prices.service_records import CN_T, GB_B, OCTOBER, agreed, decks, samples, table, usage_of
from tests.ledger.records import SCOPE, SECRET

HEADER = "destination,port,rate,unit,commit,overage_rate,overage_increment\n"
DAY = 288
"""Samples of a day."""
MBPS_SAMPLE = 10**6 * 300 // 8
"""Octets that one Mbps carries in five minutes."""


def by_percentile(**changes: object) -> Agreement:
    return agreed(data=replace(DataTerms(missing=MissingSamples.ZERO, direction=SampleDirection.IN), **changes))  # type: ignore[arg-type]


def ports(line: str) -> DeckHistory:
    return decks(Service.DATA, ("2026-09-01", HEADER + line))


def charge_of(deck: DeckHistory, agreement: Agreement, *rows: list[dict[str, object]]) -> PortCharge:
    charges, refused = port_charges(table(*rows), deck, agreement, GB_B, OCTOBER)
    assert not refused, refused
    (charge,) = charges
    return charge


def test_a_volume_is_charged_in_blocks() -> None:
    """C-07: 0.002 for each 10 units: 640,113 are 64,012 blocks, 128.024; and 2,048 at 1 for each 1,024 are 2."""
    text = "destination,port,rate,unit,increment\nX,p1,0.002,10,10\nX,p2,1,1024,1024\n"
    usage = usage_of([(GB_B, CN_T, "2026-10-05", 640_113, "p1"), (GB_B, CN_T, "2026-10-05", 2_048, "p2")])

    rating = rate_data(usage, decks(Service.DATA, ("2026-09-01", text)), agreed(data=DataTerms(DataBasis.VOLUME)))

    assert [show_micros(each) for each in rating.rated["amount_micros"].to_pylist()] == ["128.024000", "2.000000"]
    assert rating.rated["charged_quantity"].to_pylist() == [640_120, 2_048]


def test_a_gigabyte_is_decimal_and_a_gibibyte_binary() -> None:
    text = "destination,port,rate,unit\nX,p1,2,GB\nX,p2,2,GiB\n"
    usage = usage_of([(GB_B, CN_T, "2026-10-05", 2**30, "p1"), (GB_B, CN_T, "2026-10-05", 2**30, "p2")])

    rating = rate_data(usage, decks(Service.DATA, ("2026-09-01", text)), agreed(data=DataTerms(DataBasis.VOLUME)))

    assert rating.rated["amount_micros"].to_pylist() == [2_147_484, 2_000_000]


def test_samples_for_a_percentile_are_rated_at_nothing_and_an_unknown_port_is_refused() -> None:
    rows = samples("p1", "2026-10-01", [7, 8]) + samples("p9", "2026-10-01", [9])
    rating = rate_data(table(rows), ports("Transit,p1,3,Mbps,1000,,\n"), by_percentile())

    assert rating.rated.select(["quantity", "destination", "code", "amount_micros"]).to_pylist() == [
        {"quantity": 7, "destination": "Transit", "code": "p1", "amount_micros": 0},
        {"quantity": 8, "destination": "Transit", "code": "p1", "amount_micros": 0},
    ]
    assert rating.refused["reason"].to_pylist() == ["unknown port"]


def test_a_deck_of_the_other_kind_is_refused_rather_than_misread() -> None:
    volume = decks(Service.DATA, ("2026-09-01", "destination,port,rate,unit\nX,p1,2,GB\n"))
    usage = table(samples("X", "2026-10-05", [1]))
    with pytest.raises(Malformed, match="prices something else than agreed"):
        rate_data(usage, volume, by_percentile())
    with pytest.raises(Malformed, match="prices something else than agreed"):
        port_charges(usage, volume, by_percentile(), GB_B, OCTOBER)


def test_a_deck_of_another_kind_from_before_an_amendment_is_no_hindrance() -> None:
    before = "destination,port,rate,unit\nX,p1,2,GB\n"
    both = decks(Service.DATA, ("2026-08-01", before), ("2026-10-01", HEADER + "X,p1,3,Mbps,,,\n"))
    assert charge_of(both, by_percentile()).amount_micros == 0
    assert len(rate_data(table(samples("p1", "2026-10-05", [1])), both, by_percentile()).rated) == 1
    with pytest.raises(Malformed, match="prices something else than agreed"):
        rate_data(table(samples("p1", "2026-09-30", [1])), both, by_percentile())


@pytest.mark.parametrize(
    ("deck", "mbps", "amount"),
    [
        ("3,Mbps,1000,3,", Fraction(1000), "3000.000000"),
        ("3,Mbps,1000,3,", Fraction(2), "3000.000000"),
        ("3,Mbps,1000,,", Fraction(2000), "6000.000000"),
        ("3,Mbps,1000,4.5,", Fraction(2000), "7500.000000"),
        ("3,Mbps,1000,3,1", Fraction(100_001, 100), "3003.000000"),
        ("3,Mbps,1000,3,", Fraction(100_001, 100), "3000.030000"),
        ("3,Mbps,0,,", Fraction(0), "0.000000"),
        ("3,Mbps,,,", Fraction(5, 2), "7.500000"),
    ],
)
def test_commit_and_overage_cost_what_the_question_asked(deck: str, mbps: Fraction, amount: str) -> None:
    """C-25: commit 1,000 Mbps at USD 3; 2,000 is 6,000 linear and 7,500 at list + 50 %; 1,000.01 is 1 Mbps over."""
    rate = ports(f"Transit,p1,{deck}\n").decks[0].deck.rates[0]
    nanos = charge_bandwidth(mbps * 10**6, rate)
    assert show_micros(int(nanos // 1000)) == amount


def test_a_binary_megabit_is_dearer_than_none_and_larger_than_a_decimal_one() -> None:
    decimal, binary = (ports(f"Transit,p1,3,{unit},,,\n").decks[0].deck.rates[0] for unit in ("Mbps", "Mibps"))
    assert charge_bandwidth(Fraction(2**20), binary) == 3 * 10**9
    assert charge_bandwidth(Fraction(2**20), decimal) == 3 * 10**9 * Fraction(2**20, 10**6)


@pytest.mark.parametrize(
    ("definition", "octets"), [("nearest-rank", 5), ("drop-top", 4), ("round", 5), ("linear", "24/5"), ("floor", 4)]
)
def test_the_definition_decides_the_bandwidth(definition: str, octets: int | str) -> None:
    terms = DataTerms(
        definition=PercentileDefinition(definition), direction=SampleDirection.IN, missing=MissingSamples.SKIP
    )
    found, missing = bandwidth({number: number + 1 for number in range(5)}, {}, 8_928, terms)
    assert (found, missing) == (Fraction(octets) * 8 / 300, 8_923)


@pytest.mark.parametrize(
    ("direction", "octets"),
    [(SampleDirection.IN, 30), (SampleDirection.OUT, 25), (SampleDirection.MAX, 30), (SampleDirection.SUM, 45)],
)
def test_in_out_max_and_sum_are_what_their_names_say(direction: SampleDirection, octets: int) -> None:
    inward, outward = {0: 10, 1: 20, 2: 30}, {0: 25, 1: 25, 2: 5}
    terms = DataTerms(direction=direction, missing=MissingSamples.SKIP)
    assert bandwidth(inward, outward, 3, terms)[0] == Fraction(octets * 8, 300)


def test_missing_samples_are_zero_skipped_or_refused_as_agreed() -> None:
    book = dict.fromkeys(range(50), 100)
    zero = DataTerms(direction=SampleDirection.IN, missing=MissingSamples.ZERO)
    skip = replace(zero, missing=MissingSamples.SKIP)

    assert bandwidth(book, {}, 1_000, zero) == (Fraction(0), 950)
    assert bandwidth(book, {}, 1_000, skip) == (Fraction(800, 300), 950)
    refuse = DataTerms(direction=SampleDirection.IN, missing=MissingSamples.REFUSE, missing_bps=9_500)
    assert bandwidth(book, {}, 1_000, refuse) == (Fraction(800, 300), 950)
    with pytest.raises(Malformed, match="950 missing"):
        bandwidth(book, {}, 1_000, replace(refuse, missing_bps=9_499))


def test_a_sum_leaves_out_an_interval_that_lacks_one_direction_unless_missing_is_zero() -> None:
    inward, outward = {0: 10, 1: 90}, {0: 10}
    skip = DataTerms(direction=SampleDirection.SUM, missing=MissingSamples.SKIP)
    assert bandwidth(inward, outward, 2, skip) == (Fraction(160, 300), 1)
    assert bandwidth(inward, outward, 2, replace(skip, missing=MissingSamples.ZERO)) == (Fraction(720, 300), 0)


def test_two_samples_of_one_interval_give_a_port_no_price() -> None:
    rows = samples("p1", "2026-10-01", [1, 2]) + samples("p1", "2026-10-01T00:09:59", [2])
    charges, refused = port_charges(table(rows), ports("Transit,p1,3,Mbps,,,\n"), by_percentile(), GB_B, OCTOBER)
    assert charges == ()
    assert "two samples of p1 in one interval" in refused["p1"]


def test_a_port_without_samples_still_owes_its_commit_if_missing_is_zero_and_has_no_price_if_refused() -> None:
    deck = ports("Transit,p1,3,Mbps,1000,,\n")
    charge = charge_of(deck, by_percentile())
    assert (charge.samples, show_micros(charge.amount_micros)) == (0, "3000.000000")

    charges, refused = port_charges(table(), deck, by_percentile(missing=MissingSamples.REFUSE), GB_B, OCTOBER)
    assert (charges, list(refused)) == ((), ["p1"])


def test_a_port_that_no_deck_names_is_refused_never_zero() -> None:
    deck = ports("Transit,p1,3,Mbps,,,\n")
    rows = table(samples("p2", "2026-10-01", [1]))
    charges, refused = port_charges(rows, deck, by_percentile(), GB_B, OCTOBER)
    assert [each.port for each in charges] == ["p1"]
    assert "no rate for this port" in refused["p2"]
    with pytest.raises(UnknownDestination):
        recompute_charge(rows, "p2", deck, by_percentile(), GB_B, OCTOBER)


def test_a_price_that_changes_within_the_month_counts_by_the_time_it_is_in_force() -> None:
    cheap, dear = (HEADER + f"T,p1,{price},Mbps,1000,,\n" for price in (3, 6))
    deck = decks(Service.DATA, ("2026-09-01", cheap), ("2026-10-11", dear))
    charge = charge_of(deck, by_percentile())
    assert show_micros(charge.amount_micros) == "5032.258065"  # (10 × 3,000 + 21 × 6,000) / 31
    only = decks(Service.DATA, ("2026-10-11", dear))
    assert show_micros(charge_of(only, by_percentile()).amount_micros) == "4064.516129"


def test_a_month_has_the_intervals_of_its_accounting_zone() -> None:
    """October 2026 in London has 745 hours: summer time ends on the 25th."""
    london = replace(by_percentile(), zone=agreed(zone="Europe/London").zone)
    charge = charge_of(ports("T,p1,3,Mbps,,,\n"), london, samples("p1", "2026-09-30T23:00:00", [1] * 12))
    assert charge.samples + charge.missing == 745 * 12


def book(octets: list[int]) -> tuple[pa.Table, DeckHistory, Agreement]:
    """A side's month: rated samples of p1 and the charge they give, as they would be sealed."""
    deck, agreement = ports("Transit,p1,3,Mbps,10,4.5,1\n"), by_percentile(missing=MissingSamples.SKIP)
    usage = table(samples("p1", "2026-10-01", octets))
    charges, _ = port_charges(usage, deck, agreement, GB_B, OCTOBER)
    rated = rate_data(usage, deck, agreement).rated
    return pa.concat_tables([rated, charge_records(charges, agreement, GB_B, OCTOBER)]), deck, agreement


def test_the_other_side_computes_the_same_charge_from_the_revealed_samples() -> None:
    records, deck, agreement = book([number % 40 * MBPS_SAMPLE for number in range(DAY)])
    revealed = seal(records, SCOPE, SECRET).table

    stated = revealed.filter(pc.equal(revealed["quantity"], 0)).to_pylist()[-1]
    computed = recompute_charge(revealed, "p1", deck, agreement, GB_B, OCTOBER)

    assert computed.bits_per_second == 37 * 10**6
    assert stated["amount_micros"] == computed.amount_micros == (30 + 27 * 4.5) * 10**6
    assert stated["destination"] == "Transit: 95th percentile, nearest-rank, in"
    assert (stated["a_party"], stated["b_party"]) == (GB_B, CN_T)
    assert stated["start_ms"] == OCTOBER.bounds_ms(agreement.zone)[1] - 1
    assert wrong_charges(revealed, deck, agreement, GB_B, OCTOBER) == {}


def test_one_changed_sample_does_not_go_unnoticed() -> None:
    """A planted fault: one sample at the percentile is raised after the charge was made, or the charge is."""
    octets = [number % 40 * MBPS_SAMPLE for number in range(DAY)]
    records, deck, agreement = book(octets)
    raised = [each + (MBPS_SAMPLE if each == 37 * MBPS_SAMPLE else 0) for each in octets]
    shaded = pa.concat_tables([book(raised)[0].slice(0, DAY), records.slice(DAY)])
    dearer = pa.concat_tables([records.slice(0, DAY), book(raised)[0].slice(DAY)])

    assert wrong_charges(shaded, deck, agreement, GB_B, OCTOBER) == {"p1": (151_500_000, 156_000_000)}
    assert wrong_charges(dearer, deck, agreement, GB_B, OCTOBER) == {"p1": (156_000_000, 151_500_000)}
    assert wrong_charges(records.slice(0, DAY), deck, agreement, GB_B, OCTOBER) == {"p1": (0, 151_500_000)}
    assert seal(shaded, SCOPE, SECRET).root != seal(records, SCOPE, SECRET).root


octets = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


@settings(max_examples=50, deadline=None)
@given(octets, st.sampled_from(PercentileDefinition), st.randoms(use_true_random=False), st.integers(0, 40))
def test_order_and_cutting_change_no_charge(
    drawn: list[int], definition: PercentileDefinition, chance: object, at: int
) -> None:
    agreement = by_percentile(definition=definition, missing=MissingSamples.SKIP)
    deck = ports("Transit,p1,3,Mbps,1,4.5,\n")
    rows = samples("p1", "2026-10-01", drawn)
    whole = charge_of(deck, agreement, rows)
    chance.shuffle(rows)  # type: ignore[attr-defined]
    pieces = [pa.Table.from_pylist(part, schema=USAGE_SCHEMA) for part in (rows[:at], rows[at:])]

    charges, _ = port_charges(pa.concat_tables(pieces), deck, agreement, GB_B, OCTOBER)

    assert charges == (whole,)
