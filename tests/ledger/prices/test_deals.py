"""Is the volume of a period priced by its deal exactly, whatever the order of its records?"""

from dataclasses import replace
from fractions import Fraction
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Agreement
from ledger.agreement_file import document_hash, dump_agreement, parse_agreement
from ledger.errors import CurrencyMismatch, Malformed
from ledger.identity import CarrierCode
from ledger.money import Micros, Nanos, Rounding, parse_micros, parse_nanos
from ledger.period import Period
from ledger.prices import deals as deals_module
from ledger.prices.deal_terms import CountBy, Deal, Tier
from ledger.prices.deals import charge_rows, steps_of
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.fx import conversion, parse_fx
from ledger.prices.period_rating import PeriodRating, moved_charges, rate_period, rates_whole_periods
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RatingTerms, RoundingPlace
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA
from tests.ledger.records import OCTOBER_MS, usage
from tests.ledger.test_agreement_file import LEAST

MINUTE, GB = 60_000, CarrierCode("GB-B")
PLAIN = parse_agreement(LEAST)
ONE = deck_history([(0, rate_deck("USD", [Rate("UK", "44", parse_nanos("1")), Rate("FR", "33", parse_nanos("7"))]))])


def _tier(begin: int, rate_: str | None = None, fixed: str = "0", discount_bps: int = 0) -> Tier:
    nanos = None if rate_ is None else parse_nanos(rate_)
    return Tier(begin * MINUTE, nanos, discount_bps, parse_micros(fixed))


def _with(*deals: Deal, **terms: object) -> Agreement:
    return replace(PLAIN, deals=deals, **terms)  # type: ignore[arg-type]


def _minutes(*lengths: int, number: str = "4420") -> pa.Table:
    """Calls of so many minutes, one after the other."""
    return usage(*((number, at, length * MINUTE) for at, length in enumerate(lengths)))


def _total(period: PeriodRating) -> int:
    return sum(period.rating.rated["amount_micros"].to_pylist()) + sum(each.amount_micros for each in period.charges)


TWO = (_tier(0, "2"), _tier(1_000, "0", "100"), _tier(1_500, "2", "100"))
FIVE = (_tier(0, "5"), _tier(1_000, "0", "100"), _tier(1_500, "5", "100"))


@pytest.mark.parametrize(
    ("source", "tiers", "volume", "units"),
    [
        ("C-17", TWO, 2_500, 4_200),
        ("C-17 boundary", (_tier(0, "2"), _tier(500, "0")), 500, 1_000),
        ("C-17 boundary", (_tier(0, "2"), _tier(500, "0")), 400, 800),
        ("C-17 boundary", (_tier(0, "2"), _tier(500, "0")), 1_000, 1_000),
        ("C-17 boundary", (_tier(0, "0"), _tier(1_500, "2"), _tier(2_000, "0")), 1_000, 0),
        ("C-17 fixed and a rate", (_tier(0, "2", "100"),), 1_000, 2_100),
    ],
)
def test_published_tiers_are_exact(source: str, tiers: tuple[Tier, ...], volume: int, units: int) -> None:
    deal = Deal("d", GB, tiers=tiers)
    for lengths in ([volume], [volume // 4] * 4, [7] * (volume // 7) + [volume % 7]):
        assert _total(rate_period(_minutes(*lengths), ONE, _with(deal), GB)) == units * 10**6, source


def test_c17_balanced_volume_has_one_price_and_the_rest_another() -> None:
    deal = Deal("d", GB, tiers=TWO, unbalanced=FIVE)
    balanced = rate_period(_minutes(5_000), ONE, _with(deal), GB, rate(_minutes(5_000), ONE, PLAIN).rated)
    assert _total(balanced) == 9_200 * 10**6
    unbalanced = rate_period(_minutes(2_000, 3_000), ONE, _with(deal), GB, rate(_minutes(3_000), ONE, PLAIN).rated)
    assert _total(unbalanced) == 12_900 * 10**6


def test_a_deal_that_balances_needs_the_other_directions_records() -> None:
    with pytest.raises(Malformed, match="balances both directions"):
        rate_period(_minutes(1), ONE, _with(Deal("d", GB, tiers=TWO, unbalanced=FIVE)), GB)


def test_only_the_named_destinations_of_the_other_direction_balance() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, "2"),), unbalanced=(_tier(0, "5"),), against=frozenset({"FR"}))
    others = pa.concat_tables(rate(table, ONE, PLAIN).rated for table in (_minutes(10), _minutes(4, number="3312")))
    assert _total(rate_period(_minutes(10), ONE, _with(deal), GB, others)) == (4 * 2 + 6 * 5) * 10**6


def test_back_to_first_gives_all_the_volume_the_price_of_the_tier_it_reaches() -> None:
    tiers = (_tier(0, "3"), _tier(100, "2"), _tier(200, "1"))
    deal = Deal("d", GB, tiers=tiers, back_to_first=True)
    assert _total(rate_period(_minutes(60, 39), ONE, _with(deal), GB)) == 99 * 3 * 10**6
    assert _total(rate_period(_minutes(60, 40), ONE, _with(deal), GB)) == 100 * 2 * 10**6
    assert _total(rate_period(_minutes(60, 240), ONE, _with(deal), GB)) == 300 * 10**6


def test_a_tier_takes_its_share_off_the_decks_price_and_below_the_first_that_price_stays() -> None:
    deal = Deal("d", GB, frozenset({"UK"}), (_tier(10, discount_bps=1_500),))
    table = pa.concat_tables([_minutes(8, 4), _minutes(1, number="3312")])
    amounts = rate_period(table, ONE, _with(deal), GB).rating.rated["amount_micros"].to_pylist()
    assert amounts == [8_000_000, 2_000_000 + 2 * 850_000, 7_000_000]


FEES = deck_history([(0, rate_deck("USD", [replace(
    Rate("UK", "44", parse_nanos("1")), connect_nanos=parse_nanos("0.5"), attempt_nanos=parse_nanos("0.1"),
    min_nanos=parse_nanos("3"), max_nanos=parse_nanos("9"),
)]))])  # fmt: skip


def test_a_tiers_rate_replaces_the_price_of_minutes_and_leaves_fees_and_bounds_the_decks() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, "2"), _tier(5, "1")))
    amounts = rate_period(_minutes(0, 1, 2, 4, 20), FEES, _with(deal), GB).rating.rated["amount_micros"].to_pylist()
    across = (8_500_000 * 2 + 4_500_000 * 2) // 4
    assert amounts == [100_000, 3_000_000, 4_500_000, across, 9_000_000]


def test_a_discount_is_of_all_that_the_deck_charges_a_record() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, discount_bps=1_000),))
    amounts = rate_period(_minutes(0, 1, 5, 20), FEES, _with(deal), GB).rating.rated["amount_micros"].to_pylist()
    assert amounts == [100_000, 2_700_000, 4_950_000, 8_100_000]


def test_fees_under_a_tiers_rate_come_into_the_agreements_currency() -> None:
    agreement = replace(
        parse_agreement(f'{LEAST}[fx]\nsource = "ECB"\nrates = "0x{"00" * 32}"\n'),
        deals=(Deal("d", GB, tiers=(_tier(0, "2"),)),),
    )
    euros = deck_history([(0, replace(FEES.decks[0].deck, currency="EUR"))])
    into = conversion(parse_fx("date,base,quote,rate,source\n2026-10-01,EUR,USD,1.25,ECB\n"), agreement, "EUR")
    amounts = rate_period(_minutes(1, 2, 20), euros, agreement, GB, None, into).rating.rated["amount_micros"]
    assert amounts.to_pylist() == [3_750_000, 4_625_000, 11_250_000]


def test_back_to_first_charges_the_fixed_amount_of_every_tier_the_month_goes_beyond() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, "3", "7"), _tier(100, "2", "5"), _tier(200, "1", "4")), back_to_first=True)
    for volume, price, fixed in ((100, 2, [7]), (101, 2, [7, 5]), (200, 1, [7, 5]), (201, 1, [7, 5, 4])):
        period = rate_period(_minutes(volume), ONE, _with(deal), GB)
        assert [each.amount_micros for each in period.charges] == [units * 10**6 for units in fixed]
        assert _total(period) == (volume * price + sum(fixed)) * 10**6


def test_a_shortfall_is_a_charge_of_the_period() -> None:
    volume = Deal("v", GB, committed_quantity=100 * MINUTE, shortfall_nanos=parse_nanos("0.5"))
    revenue = Deal("r", GB, committed_micros=parse_micros("99"))
    (short,) = rate_period(_minutes(60), ONE, _with(volume), GB).charges
    assert (short.amount_micros, short.why) == (20_000_000, "40 min short of 100")
    (missing,) = rate_period(_minutes(60), ONE, _with(revenue), GB).charges
    assert missing.amount_micros == 39_000_000
    assert rate_period(_minutes(99), ONE, _with(revenue), GB).charges == ()
    (row,) = charge_rows([short], PLAIN, GB, Period(2026, 10)).to_pylist()
    assert (row["a_party"], row["b_party"], row["quantity"], row["route"]) == ("GB-B", "CN-T", 0, "v")
    assert row["start_ms"] == Period(2026, 10).bounds_ms(PLAIN.zone)[1] - 1
    assert row["amount_micros"] == 20_000_000


def test_c18_units_of_an_escrow_are_a_rate_for_each_unit() -> None:
    # B5GRoam: 12 for each of 10 sms, 10,240 data and 60 voice; an escrow covers what the records cost, or nothing
    deck = deck_history([(0, rate_deck("USD", [Rate("UK", "44", parse_nanos("12"), 1, 1, 1)]))])
    cost = sum(
        rate(usage(("44", 0, 10), ("44", 0, 10_240), ("44", 0, 60)), deck, PLAIN).rated["amount_micros"].to_pylist()
    )
    assert cost == 123_720 * 10**6
    assert 1_000_000 * 10**6 - cost == 876_280 * 10**6


def test_deals_of_the_other_direction_do_not_count_here() -> None:
    deal = Deal("d", CarrierCode("CN-T"), tiers=(_tier(0, "9"),))
    assert _total(rate_period(_minutes(1), ONE, _with(deal), GB)) == 10**6
    assert not rates_whole_periods(Service.VOICE, _with(deal), GB)
    assert rates_whole_periods(Service.VOICE, _with(deal), CarrierCode("CN-T"))
    assert not rates_whole_periods(Service.SMS, _with(deal), CarrierCode("CN-T"))
    statement = replace(PLAIN, rating=RatingTerms(RoundingPlace.STATEMENT))
    assert rates_whole_periods(Service.VOICE, statement, GB)


def test_decks_in_another_currency_are_refused() -> None:
    euros = deck_history([(0, rate_deck("EUR", [Rate("UK", "44", Nanos(1))]))])
    with pytest.raises(CurrencyMismatch):
        rate_period(_minutes(1), euros, _with(Deal("d", GB, tiers=TWO)), GB)


def test_a_late_record_moves_the_charges_behind_it() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, "3"), _tier(10, "1")))
    before = usage(("4420", 0, 6 * MINUTE), ("4420", 2, 4 * MINUTE), ("4420", 3, 2 * MINUTE))
    late = usage(("4420", 1, 4 * MINUTE)).set_column(0, "line", pa.array([99])).cast(USAGE_SCHEMA)
    first, second = (
        rate_period(table, ONE, _with(deal), GB).rating.rated for table in (before, pa.concat_tables([before, late]))
    )
    moved = moved_charges(first, second.select(first.schema.names))
    assert [(each.line, each.before_micros, each.after_micros) for each in moved] == [
        (2, 12_000_000, 4_000_000),
        (99, None, 12_000_000),
    ]
    grown = sum(second["amount_micros"].to_pylist()) - sum(first["amount_micros"].to_pylist())
    assert grown == sum(each.after_micros - (each.before_micros or 0) for each in moved) == 4_000_000


def test_a_late_record_can_move_charges_though_the_rest_of_the_total_stays() -> None:
    deal = Deal("d", GB, tiers=(_tier(0, "3"), _tier(10, "0")))
    before = usage(("4420", 0, 5 * MINUTE), ("4420", 2, 5 * MINUTE), ("4420", 3, 5 * MINUTE))
    late = usage(("4420", 1, 5 * MINUTE)).set_column(0, "line", pa.array([99])).cast(USAGE_SCHEMA)
    first, second = (
        rate_period(table, ONE, _with(deal), GB).rating.rated for table in (before, pa.concat_tables([before, late]))
    )
    assert sum(first["amount_micros"].to_pylist()) == sum(second["amount_micros"].to_pylist())
    assert [(each.line, each.before_micros, each.after_micros) for each in moved_charges(first, second)] == [
        (2, 15_000_000, 0),
        (99, None, 15_000_000),
    ]


DEALS = """
[[deals]]
name = "UK 2026"
creditor = "GB-B"
destinations = ["UK \\"mobile\\""]
against = ["CN"]
back_to_first = true
count = "used"
committed_minutes = 100
shortfall_rate = "0.005"
committed_amount = "12.50"

[[deals.tiers]]
from_minutes = 0
rate = "0.01"

[[deals.tiers]]
from_minutes = 50
discount_bps = 500
fixed = "3"

[[deals.unbalanced]]
from_minutes = 0
rate = "0.05"
"""


def test_every_key_of_a_deal_is_read_and_written() -> None:
    agreement = parse_agreement(LEAST + DEALS)
    assert agreement.deals == (
        Deal(
            "UK 2026",
            GB,
            frozenset({'UK "mobile"'}),
            (_tier(0, "0.01"), _tier(50, fixed="3", discount_bps=500)),
            True,
            (_tier(0, "0.05"),),
            frozenset({"CN"}),
            CountBy.USED,
            100 * MINUTE,
            Nanos(5_000_000),
            Micros(12_500_000),
        ),
    )
    assert parse_agreement(dump_agreement(agreement)) == agreement


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('creditor = "GB-B"', 'creditor = "US-A"', "not of the agreement"),
        ("from_minutes = 50", "from_minutes = 0", "tiers are not in order"),
        ("discount_bps = 500", 'discount_bps = 500\nrate = "1"', "two prices"),
        ("discount_bps = 500", "discount_bps = 10001", "out of bounds"),
        ('count = "used"', 'count = "calls"', "not a count"),
        ("back_to_first = true", 'back_to_first = "yes"', "neither true nor false"),
        ('rate = "0.01"', 'rate = "-0.01"', "rate is negative"),
        ('name = "UK 2026"', 'name = ""', "not a deal's name"),
        ("back_to_first", "back_to_start", "got back_to_start"),
    ],
)
def test_what_is_wrong_in_a_deal_is_refused_by_name(right: str, wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_agreement(LEAST + DEALS.replace(right, wrong, 1))


def test_two_deals_of_one_name_and_one_that_changes_nothing_are_refused() -> None:
    with pytest.raises(Malformed, match="two deals have one name"):
        parse_agreement(LEAST + DEALS + DEALS)
    with pytest.raises(Malformed, match="changes nothing"):
        parse_agreement(LEAST + '[[deals]]\nname = "x"\ncreditor = "GB-B"\n')


def test_every_word_of_a_deal_is_bound_by_the_agreements_hash() -> None:
    plain = document_hash(parse_agreement(LEAST))
    changed = [
        DEALS.replace(old, new, 1)
        for old, new in [
            ("2026", "2027"),
            ("mobile", "fixed"),
            ('"CN"', '"US"'),
            ("= true", "= false"),
            ('"used"', '"charged"'),
            ("minutes = 100", "minutes = 101"),
            ("0.005", "0.006"),
            ("12.50", "12.51"),
            ("0.01", "0.02"),
            ("= 50", "= 51"),
            ("= 500", "= 501"),
            ('"3"', '"4"'),
            ("0.05", "0.06"),
        ]
    ]
    hashes = {document_hash(parse_agreement(LEAST + text)) for text in [DEALS, *changed]}
    assert len(hashes | {plain}) == len(changed) + 2


amounts_ = st.integers(0, 10**10).map(Nanos)
tiers_ = st.lists(
    st.builds(
        lambda nanos, off, fixed: (nanos, off if nanos is None else 0, fixed),
        st.none() | amounts_ | st.integers(10**17, 10**18).map(Nanos),
        st.integers(0, 10_000),
        st.integers(0, 10**9),
    ),
    max_size=3,
).flatmap(
    lambda parts: st.lists(st.integers(0, 900_000), min_size=len(parts), max_size=len(parts), unique=True).map(
        lambda begins: tuple(
            Tier(begin, nanos, off, Micros(fixed))
            for begin, (nanos, off, fixed) in zip(sorted(begins), parts, strict=True)
        )
    )
)
some_deals = st.builds(
    lambda tiers, back, unbalanced, count: Deal("d", GB, frozenset(), tiers, back, unbalanced, frozenset(), count),
    tiers_,
    st.booleans(),
    tiers_,
    st.sampled_from(CountBy),
)
some_calls = st.lists(
    st.tuples(st.sampled_from(["4420", "3312", "9"]), st.integers(0, 5), st.integers(0, 300_000)), max_size=8
)


def _plainly(calls: list[tuple[str, int, int]], deal: Deal, other_volume: int, history: DeckHistory) -> Fraction:
    """The definition: millisecond by millisecond of the counter, each part at its step's price."""
    known = [call for call in calls if call[0] != "9"]
    ordered = sorted(known, key=lambda call: (call[1], call[0], call[2]))
    counts = [-(-call[2] // 1_000) * 1_000 if deal.count is CountBy.CHARGED else call[2] for call in ordered]
    steps = steps_of(deal, sum(counts), other_volume)
    micros, at = Fraction(0), 0
    for (number, _, quantity), count in zip(ordered, counts, strict=True):
        rate_ = history.rate_for(number, OCTOBER_MS)
        deck = Fraction(-(-quantity // 1_000) * 1_000 * rate_.nanos, MINUTE * 1_000)
        for step in steps:
            part = max(0, min(at + count, step.end) - max(at, step.begin))
            if part and step.tier is not None and step.tier.nanos is not None:
                micros += Fraction(part * step.tier.nanos, MINUTE * 1_000)
            elif part:
                micros += deck * part / count * (10_000 - (step.tier.discount_bps if step.tier else 0)) / 10_000
        at += count
    return micros


@given(some_deals, some_calls, st.integers(0, 10**6), st.sampled_from(Rounding), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_a_deal_prices_as_its_counter_runs_whatever_the_order_of_the_file(
    deal: Deal, calls: list[tuple[str, int, int]], other: int, rounding: Rounding, shuffler: Random
) -> None:
    terms = RatingTerms(RoundingPlace.STATEMENT)
    agreement = _with(deal, rating=terms, rounding=rounding)
    others = (
        rate(usage(("44", 0, other)), ONE, PLAIN)
        .rated.drop_columns("charged_quantity")
        .append_column("charged_quantity", pa.array([other]))
    )
    exact = _plainly(calls, deal, other, ONE)
    period = rate_period(usage(*calls), ONE, agreement, GB, others)
    total = sum(period.rating.rated["amount_micros"].to_pylist())
    if not any("bounds" in reason for reason in period.rating.refused["reason"].to_pylist()):
        assert abs(total - exact) < 1 and (exact.denominator != 1 or total == exact)
    shuffler.shuffle(calls)
    again = rate_period(usage(*calls), ONE, agreement, GB, others)
    assert sum(again.rating.rated["amount_micros"].to_pylist()) == total
    assert again.charges == period.charges


def test_a_planted_fault_in_the_counter_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = _with(Deal("d", GB, tiers=(_tier(0, "3"), _tier(10, "1"))))
    right = _total(rate_period(_minutes(6, 6), ONE, agreement, GB))
    honest = deals_module._part
    monkeypatch.setattr(deals_module, "_part", lambda tier, part, *rest: honest(tier, rest[0], *rest))
    assert _total(rate_period(_minutes(6, 6), ONE, agreement, GB)) != right
