"""Does [rating] say exactly one thing, is every word of it bound by the agreement's hash, and is the rest refused?"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement_file import document_hash, dump_agreement, parse_agreement
from ledger.errors import Malformed
from ledger.money import Nanos
from ledger.prices.rating_terms import (
    OTHER,
    BandRule,
    Origin,
    RatingTerms,
    RoundingPlace,
    ShareBy,
    Surcharge,
    TimeBand,
    TimeBands,
    UnknownCallers,
    Weekday,
)
from tests.ledger.test_agreement_file import LEAST

FULL = (
    LEAST
    + """
[rating]
rounding_place = "increment"
decimals = 4
band_zone = "Europe/Berlin"
band_rule = "start"
holidays = [2026-12-25]
unknown_high = "other"

[[rating.bands]]
name = "peak"
days = ["mon", "fri"]
from = "08:00"
to = "19:30"

[rating.origins]
EEA = ["31", "49"]

[[rating.surcharges]]
name = "origin"
rate = "0.25"
origins = ["other", "invalid"]
to = ["EEA"]
"""
)


def test_every_key_of_the_section_is_read() -> None:
    terms = parse_agreement(FULL).rating
    band = TimeBand("peak", frozenset({Weekday.MON, Weekday.FRI}), 480, 1_170)
    surcharge = Surcharge("origin", frozenset({"other", "invalid"}), Nanos(250_000_000), Nanos(0), frozenset({"EEA"}))
    assert terms == RatingTerms(
        RoundingPlace.INCREMENT,
        4,
        TimeBands((band,), "Europe/Berlin", BandRule.START, frozenset({date(2026, 12, 25)})),
        (Origin("EEA", frozenset({"31", "49"})),),
        (surcharge,),
        UnknownCallers("other", 9_000, ShareBy.CALLS),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('"increment"', '"call"', "not a rounding_place"),
        ("decimals = 4", "decimals = 7", "decimals is out of bounds"),
        ('"increment"', '"statement"', "a statement is rounded to whole micros"),
        ('"Europe/Berlin"', '"Europe/Bonn"', "not a time zone"),
        ('"start"', '"end"', "not a band_rule"),
        ("[2026-12-25]", '["2026-12-25"]', "holidays are not dates"),
        ("[2026-12-25]", "[2026-12-25T00:00:00Z]", "holidays are not dates"),
        ('"mon", "fri"', '"monday"', "not a days"),
        ('"08:00"', '"8:00"', "from is not a time of day"),
        ('"08:00"', '"08:60"', "from is not a time of day"),
        ('"19:30"', '"24:01"', "to is not a time of day"),
        ('"19:30"', '"08:00"', "begins where it ends"),
        ('name = "peak"', "", "lacks name"),
        ('name = "peak"', 'name = ""', "not a name"),
        ('EEA = ["31", "49"]', 'EEA = ["031"]', "not a dial code"),
        ('EEA = ["31", "49"]', 'EEA = ["31"]\nBENELUX = ["31"]', "name or code is taken"),
        ('EEA = ["31", "49"]', 'other = ["31"]', "name or code is taken"),
        ('to = ["EEA"]', 'to = ["EU"]', "not an origin"),
        ('rate = "0.25"', 'rate = "-0.25"', "rate is negative"),
        ('rate = "0.25"', "rate = 0.25", "rate is not text"),
        ('unknown_high = "other"', 'unknown_high = "invalid"', "not an origin"),
        ('unknown_high = "other"', "unknown_share_bps = 9000", "lacks unknown_high"),
        ('to = ["EEA"]', 'towards = ["EEA"]', "got towards"),
        ("[rating.origins]", "[rating.origin]", "got origin|not an origin"),
    ],
)
def test_what_is_wrong_is_refused_by_name(right: str, wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_agreement(FULL.replace(right, wrong))


def test_a_band_that_ends_in_the_next_morning_is_read_and_written() -> None:
    night = parse_agreement(FULL.replace('"08:00"', '"22:00"').replace('"19:30"', '"01:30"'))
    assert [(band.begin, band.end) for band in night.rating.bands.bands] == [(1_320, 1_530)]
    assert parse_agreement(dump_agreement(night)) == night
    midnight = parse_agreement(FULL.replace('"19:30"', '"00:00"'))
    assert midnight == parse_agreement(FULL.replace('"19:30"', '"24:00"'))
    with pytest.raises(Malformed, match="begins where it ends, or where the day does"):
        parse_agreement(FULL.replace('"08:00"', '"24:00"'))


def test_two_bands_of_one_name_are_refused() -> None:
    twice = FULL.replace("[rating.origins]", '[[rating.bands]]\nname = "peak"\n\n[rating.origins]')
    with pytest.raises(Malformed, match="two bands have one name"):
        parse_agreement(twice)


names = st.text("abc -", min_size=1, max_size=5).map(lambda text: f"n{text}")
minutes = st.integers(0, 1_440)
bands = st.builds(
    lambda name, days, one, other: TimeBand(name, days, min(one, other), max(one, other) + (one == other == 0)),
    names,
    st.frozensets(st.sampled_from(Weekday), min_size=1),
    minutes,
    minutes,
).filter(lambda band: band.begin < band.end)
terms = st.builds(
    RatingTerms,
    st.sampled_from([RoundingPlace.RECORD, RoundingPlace.INCREMENT]),
    st.integers(0, 6),
    st.builds(
        lambda some, zone, rule, holidays: TimeBands(tuple(some), zone, rule, holidays),
        st.lists(bands, max_size=3, unique_by=lambda band: band.name),
        st.sampled_from([None, "UTC", "America/New_York"]),
        st.sampled_from(BandRule),
        st.frozensets(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=2),
    ),
    st.sampled_from([(), (Origin("EEA", frozenset({"31"})),), (Origin("a b", frozenset({"1", "44"})),)]),
    st.lists(
        st.builds(
            Surcharge,
            names,
            st.frozensets(st.sampled_from([OTHER, "invalid"]), min_size=1),
            st.integers(0, 10**12).map(Nanos),
            st.integers(0, 10**12).map(Nanos),
            st.sampled_from([frozenset(), frozenset({OTHER})]),
        ),
        max_size=2,
    ).map(tuple),
    st.none() | st.builds(UnknownCallers, st.just(OTHER), st.integers(0, 10_000), st.sampled_from(ShareBy)),
)


@given(terms, terms)
@settings(deadline=None)
def test_a_section_written_is_read_back_and_any_change_changes_the_hash(one: RatingTerms, other: RatingTerms) -> None:
    first, second = (replace(parse_agreement(LEAST), rating=each) for each in (one, other))
    assert parse_agreement(dump_agreement(first)) == first
    assert (document_hash(first) == document_hash(second)) == (one == other)
