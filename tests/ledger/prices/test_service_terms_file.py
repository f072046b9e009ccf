"""Are the terms of SMS, data and private lines read as written, and is each of them bound by the hash?"""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement_file import document_hash, dump_agreement, parse_agreement
from ledger.errors import Malformed
from ledger.prices.service_terms import (
    CreditedMonth,
    DataBasis,
    DataTerms,
    IplTerms,
    MissingSamples,
    MonthDays,
    OutageCredit,
    PercentileDefinition,
    SampleDirection,
    SmsBasis,
    SmsTerms,
    SmsUnit,
    Tier,
)

LEAST = """\
carriers = ["CN-T", "GB-B"]
currency = "USD"
services = ["sms", "data", "ipl"]
zone = "UTC"
valid_from = 2026-09-01
"""
TIERS = """\
[ipl]
credit = "tier"
[[ipl.tiers]]
below_ppm = 995000
credit_bps = 1000
[[ipl.tiers]]
below_ppm = 999000
credit_bps = 500
"""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('[sms]\nunit = "part"\n', "got 'part'"),
        ('[sms]\nbasis = "receipt"\n', "submit, delivery"),
        ('[sms]\nunits = "segment"\n', "got units"),
        ('[data]\ndefinition = "excel"\n', "nearest-rank, drop-top, round, linear, floor"),
        ("[data]\npercentile = 0\n", "1 to 100"),
        ("[data]\npercentile = 101\n", "0 to 100"),
        ("[data]\npercentile = 95.0\n", "whole number"),
        ("[data]\nsample_seconds = 7\n", "does not divide a day"),
        ("[data]\nsample_seconds = 0\n", "does not divide a day"),
        ('[data]\ndirection = "both"\n', "in, out, max, sum"),
        ("[ipl]\ndays = 30\n", "not text"),
        ('[ipl]\ndays = "360"\n', "actual, 30"),
        ("[ipl]\nmost_credit_bps = 10001\n", "out of bounds"),
        ('[ipl]\ncredit = "tier"\n', "0 tiers"),
        (TIERS.replace('"tier"', '"hour"'), "2 tiers"),
        (TIERS.replace("995000", "999000"), "contradict each other"),
        (TIERS.replace("= 500", "= 1500"), "contradict each other"),
        (TIERS.replace("below_ppm = 995000\n", ""), "lacks below_ppm"),
        (TIERS + "name = 'gold'\n", "got name"),
    ],
)
def test_what_is_wrong_is_refused_by_name(wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_agreement(LEAST + wrong)


def test_the_tiers_are_ordered_from_the_best_availability_down() -> None:
    assert parse_agreement(LEAST + TIERS).ipl.tiers == (Tier(999_000, 500), Tier(995_000, 1_000))


def test_every_term_changes_the_hash_both_sides_sign() -> None:
    agreement = parse_agreement(LEAST)
    other: dict[str, list[SmsTerms] | list[DataTerms] | list[IplTerms]] = {
        "sms": [replace(SmsTerms(), unit=SmsUnit.MESSAGE), replace(SmsTerms(), basis=SmsBasis.DELIVERY)],
        "data": [
            replace(DataTerms(), basis=DataBasis.VOLUME),
            replace(DataTerms(), percentile=90),
            replace(DataTerms(), definition=PercentileDefinition.LINEAR),
            replace(DataTerms(), direction=SampleDirection.SUM),
            replace(DataTerms(), missing=MissingSamples.ZERO),
            replace(DataTerms(), missing_bps=50),
            replace(DataTerms(), sample_seconds=60),
        ],
        "ipl": [
            replace(IplTerms(), days=MonthDays.THIRTY),
            replace(IplTerms(), credit=OutageCredit.HOUR),
            replace(IplTerms(), credited_month=CreditedMonth.SAME),
            replace(IplTerms(), credit=OutageCredit.TIER, tiers=(Tier(999_000, 500),)),
            replace(IplTerms(), credit=OutageCredit.TIER, tiers=(Tier(999_000, 501),)),
            replace(IplTerms(), least_outage_minutes=5),
            replace(IplTerms(), most_credit_bps=5_000),
        ],
    }
    changed = [replace(agreement, **{name: terms}) for name, every in other.items() for terms in every]  # type: ignore[arg-type]

    assert len({document_hash(each) for each in [agreement, *changed]}) == 1 + len(changed)
    for kind, name in ((SmsTerms, "sms"), (DataTerms, "data"), (IplTerms, "ipl")):
        assert len(other[name]) >= len(fields(kind)), f"a term of [{name}] is not tried"


tiers = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10_000)), max_size=4, unique_by=lambda tier: tier[0])


@settings(max_examples=50, deadline=None)
@given(
    st.builds(SmsTerms, st.sampled_from(SmsUnit), st.sampled_from(SmsBasis)),
    st.builds(
        DataTerms,
        st.sampled_from(DataBasis),
        st.integers(1, 100),
        st.sampled_from(PercentileDefinition),
        st.sampled_from(SampleDirection),
        st.sampled_from(MissingSamples),
        st.integers(0, 10_000),
        st.sampled_from([60, 300, 900]),
    ),
    st.sampled_from(MonthDays),
    tiers,
)
def test_terms_written_are_read_back_the_same(
    sms: SmsTerms, data: DataTerms, days: MonthDays, drawn: list[tuple[int, int]]
) -> None:
    below = sorted((each[0] for each in drawn), reverse=True)
    steps = tuple(Tier(*pair) for pair in zip(below, sorted(each[1] for each in drawn), strict=True))
    ipl = IplTerms(days=days, credit=OutageCredit.TIER if steps else OutageCredit.NONE, tiers=steps)
    agreement = replace(parse_agreement(LEAST), sms=sms, data=data, ipl=ipl)

    assert parse_agreement(dump_agreement(agreement)) == agreement
