"""Are amounts in another currency converted exactly, at the rate of the agreed day, and only at rates both signed?"""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Agreement
from ledger.agreement_file import document_hash, dump_agreement, parse_agreement
from ledger.errors import CurrencyMismatch, Malformed, NotFound, SignatureRefused
from ledger.identity import CarrierCode
from ledger.money import Nanos, Rounding, parse_micros
from ledger.prices.call_price import Call, price_call
from ledger.prices.call_rating import exact_calls, price_rules
from ledger.prices.charging import rounded
from ledger.prices.deck import Rate, deck_history, rate_deck
from ledger.prices.fx import (
    OFF_CHAIN,
    FxPaper,
    FxRate,
    FxRates,
    RapCode,
    check_signed,
    conversion,
    convert,
    fx_rates,
    parse_fx,
    parse_rate,
    rap_check,
    rates_hash,
)
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RatingTerms, RoundingPlace
from ledger.typed_data import address_of_key, digest, sign_digest
from tests.ledger.records import OCTOBER_MS, usage
from tests.ledger.test_agreement_file import LEAST

MINUTE, DAY_MS = 60_000, 86_400_000
CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
KEYS = {CN: bytes(31) + b"\x01", GB: bytes(31) + b"\x02"}
FX = (
    LEAST
    + f"""
[fx]
source = "ECB"
date = "event"
gap_days = 3

[fx.signers]
CN-T = "{address_of_key(KEYS[CN])}"
GB-B = "{address_of_key(KEYS[GB]).lower()}"
"""
)
TEXT = """\
date,base,quote,rate,source
2026-10-01,EUR,USD,1.1000,ECB
2026-10-05,EUR,USD,1.2,ECB
2026-10-01,XDR,USD,1.35,ECB
2026-10-01,EUR,USD,9,IMF
"""
RATES = parse_fx(TEXT)
EUROS = deck_history([(0, rate_deck("EUR", [Rate("UK", "44", Nanos(1_000_000_000))]))])


def _signed(rates: FxRates, agreement: Agreement) -> dict[CarrierCode, bytes]:
    over = digest(FxPaper(document_hash(agreement), rates_hash(rates)), OFF_CHAIN)
    return {carrier: sign_digest(key, over) for carrier, key in KEYS.items()}


def test_c29_a_rate_below_the_published_one_overcharges_and_one_above_it_undercharges() -> None:
    # TAP: SDR are the local amount ÷ the rate; 82.736536 EUR at 1.16203 are 71.2 SDR
    local, published = parse_micros("82.736536"), parse_rate("1.16203")
    assert convert(local, 1 / published, Rounding.HALF_EVEN) == parse_micros("71.2")
    low = rap_check(local, parse_rate("1.15"), published, Rounding.HALF_EVEN)
    assert (low.code, low.stated_micros, low.published_micros) == (RapCode.SEVERE, 71_944_814, 71_200_000)
    assert low.difference_ppm == 10_461
    high = rap_check(local, parse_rate("1.17"), published, Rounding.HALF_EVEN)
    assert high.code is RapCode.WARNING and high.stated_micros < high.published_micros
    assert rap_check(local, published, published, Rounding.FLOOR).code is RapCode.FITS


def test_a_rate_is_of_the_events_day_in_the_accounting_zone_or_the_last_one_before() -> None:
    agreement = parse_agreement(FX)
    into = conversion(RATES, agreement, "EUR")
    assert into.factor_at(OCTOBER_MS) == Fraction("1.1")
    assert into.factor_at(OCTOBER_MS + 4 * DAY_MS - 1) == Fraction("1.1")
    assert into.factor_at(OCTOBER_MS + 4 * DAY_MS) == Fraction("1.2")
    shanghai = conversion(RATES, parse_agreement(FX.replace('"UTC"', '"Asia/Shanghai"')), "EUR")
    assert shanghai.factor_at(OCTOBER_MS + 4 * DAY_MS - 1) == Fraction("1.2")
    with pytest.raises(NotFound, match="no exchange rate of ECB from EUR to USD"):
        into.factor_at(OCTOBER_MS - 1)
    with pytest.raises(NotFound):
        into.factor_at(OCTOBER_MS + 8 * DAY_MS)


def test_an_inverse_is_exact() -> None:
    agreement = parse_agreement(FX.replace('currency = "USD"', 'currency = "EUR"'))
    assert conversion(RATES, agreement, "USD").factor_at(OCTOBER_MS) == Fraction(10, 11)


def test_a_record_is_converted_with_one_rounding() -> None:
    agreement = parse_agreement(FX)
    table = usage(("4420", 0, 1_000), ("4420", 4 * DAY_MS, 1_000), ("4420", 9 * DAY_MS, 1_000))
    got = rate(table, EUROS, agreement, conversion(RATES, agreement, "EUR"))
    # 1/60 EUR are 0.01833333... USD and 0.02: not 0.016667 × 1.1
    assert got.rated["amount_micros"].to_pylist() == [18_333, 20_000]
    assert got.refused["reason"].to_pylist() == ["no exchange rate"]


def test_the_day_of_statement_or_receipt_is_named_and_an_events_day_is_not() -> None:
    event, statement = parse_agreement(FX), parse_agreement(FX.replace('"event"', '"statement"'))
    day = date(2026, 10, 5)
    into = conversion(RATES, statement, "EUR", day)
    assert rate(usage(("4420", 0, MINUTE)), EUROS, statement, into).rated["amount_micros"].to_pylist() == [1_200_000]
    with pytest.raises(Malformed, match="the day of event"):
        conversion(RATES, event, "EUR", day)
    with pytest.raises(Malformed, match="the day of statement"):
        conversion(RATES, statement, "EUR")
    with pytest.raises(Malformed, match="says nothing of exchange rates"):
        conversion(RATES, parse_agreement(LEAST), "EUR")
    by_increment = replace(event, rating=RatingTerms(RoundingPlace.INCREMENT))
    with pytest.raises(Malformed, match="cannot be converted with one rounding"):
        conversion(RATES, by_increment, "EUR")


def test_decks_in_a_third_currency_are_refused() -> None:
    agreement = parse_agreement(FX)
    into = conversion(RATES, agreement, "XDR")
    with pytest.raises(CurrencyMismatch, match="expected XDR; got EUR"):
        rate(usage(("4420", 0, MINUTE)), EUROS, agreement, into)


def test_rates_count_once_both_have_signed_them() -> None:
    agreement = parse_agreement(FX)
    assert agreement.fx is not None
    hashed, signatures = document_hash(agreement), _signed(RATES, agreement)
    check_signed(RATES, agreement.fx, hashed, signatures)
    with pytest.raises(SignatureRefused, match="GB-B has not signed"):
        check_signed(RATES, agreement.fx, hashed, {CN: signatures[CN]})
    with pytest.raises(SignatureRefused, match="not GB-B's signature"):
        check_signed(RATES, agreement.fx, hashed, {CN: signatures[CN], GB: signatures[CN]})
    other = parse_fx(TEXT.replace("1.2,", "1.3,"))
    with pytest.raises(SignatureRefused, match="not CN-T's signature"):
        check_signed(other, agreement.fx, hashed, signatures)
    with pytest.raises(SignatureRefused, match="not CN-T's signature"):
        check_signed(RATES, agreement.fx, bytes(32), signatures)


def test_an_agreement_can_fix_the_file_by_its_hash_instead() -> None:
    text = LEAST + f'[fx]\nsource = "ECB"\nrates = "0x{rates_hash(RATES).hex()}"\n'
    agreement = parse_agreement(text)
    assert agreement.fx is not None
    check_signed(RATES, agreement.fx, document_hash(agreement), {})
    with pytest.raises(SignatureRefused, match="not the exchange rates of the agreement"):
        check_signed(parse_fx(TEXT.replace("1.2,", "1.3,")), agreement.fx, document_hash(agreement), {})


def test_the_section_is_written_read_back_and_bound() -> None:
    agreement = parse_agreement(FX)
    assert parse_agreement(dump_agreement(agreement)) == agreement
    other = address_of_key(bytes(31) + b"\x03")
    changes = [('"ECB"', '"IMF"'), ('"event"', '"receipt"'), ("= 3", "= 4"), (address_of_key(KEYS[CN]), other)]
    hashes = {document_hash(parse_agreement(FX.replace(*change))) for change in changes}
    assert len(hashes | {document_hash(agreement), document_hash(parse_agreement(LEAST))}) == 6


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('source = "ECB"', "", "lacks source"),
        ('"ECB"', '""', "not a source"),
        ('"event"', '"yesterday"', "not a date of exchange"),
        ("= 3", "= 32", "out of bounds"),
        ("CN-T = ", "US-A = ", "unknown key"),
        ("GB-B = ", "#", "nobody vouches"),
        ("0x", "1x", "not an address"),
    ],
)
def test_what_is_wrong_in_the_section_is_refused(right: str, wrong: str, says: str) -> None:
    head, section = FX.split("[fx]", 1)
    with pytest.raises(Malformed, match=says):
        parse_agreement(f"{head}[fx]{section.replace(right, wrong)}")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "not a file of exchange rates"),
        ("date,base,quote,rate\n", "not a file of exchange rates"),
        ("date,base,quote,rate,source\n", "needs rates"),
        (TEXT + "2026-10-05,EUR,USD,1.3,ECB\n", "two rates of one pair"),
        (TEXT + "2026-10-05,USD,EUR,0.8,ECB\n", "two rates of one pair"),
        (TEXT + "2026-13-05,EUR,USD,1.3,ECB\n", "line 6 .* not a day"),
        (TEXT + "2026-10-06,EUR,USD,0,ECB\n", "line 6 .* not an exchange rate"),
        (TEXT + "2026-10-06,EUR,USD,-1,ECB\n", "not an exchange rate"),
        (TEXT + "2026-10-06,EUR,USD,1e3,ECB\n", "not an exchange rate"),
        (TEXT + "2026-10-06,EUR,USD,١,ECB\n", "not an exchange rate"),
        (TEXT + "2026-10-06,EUR,EUR,1,ECB\n", "not a pair"),
        (TEXT + "2026-10-06,eur,USD,1,ECB\n", "not a currency"),
        (TEXT + "2026-10-06,EUR,USD,1\n", "another number of cells"),
        (TEXT + '2026-10-06,"EUR,USD,1,ECB\n', "is not CSV"),
    ],
)
def test_what_is_wrong_in_a_file_is_refused_with_its_line(wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_fx(wrong)


def test_the_hash_is_of_the_rates_and_not_of_the_files_order() -> None:
    header, *lines = TEXT.splitlines()
    assert rates_hash(parse_fx("\n".join([header, *reversed(lines)]))) == rates_hash(RATES)
    assert rates_hash(parse_fx(TEXT.replace("1.35", "1.36"))) != rates_hash(RATES)


factors = st.builds(Fraction, st.integers(1, 10**12), st.sampled_from([1, 10**3, 10**6, 10**12]))
some_calls = st.lists(
    st.tuples(st.integers(0, 3 * DAY_MS), st.integers(0, 10**7) | st.integers(10**12, 2**52)), max_size=6
)


@given(
    st.lists(factors, min_size=3, max_size=3),
    some_calls,
    st.integers(0, 10**10) | st.integers(10**16, 10**18),
    st.sampled_from(Rounding),
    st.sampled_from([RoundingPlace.RECORD, RoundingPlace.STATEMENT]),
)
@settings(max_examples=80, deadline=None)
def test_columns_are_converted_as_single_calls(
    of_day: list[Fraction], calls: list[tuple[int, int]], nanos: int, rounding: Rounding, place: RoundingPlace
) -> None:
    base = replace(parse_agreement(FX), rounding=rounding, rating=RatingTerms(place))
    first = date(2026, 10, 1)
    rates = fx_rates([FxRate(first + timedelta(day), "EUR", "USD", rate_, "ECB") for day, rate_ in enumerate(of_day)])
    history = deck_history([(0, rate_deck("EUR", [Rate("UK", "44", Nanos(nanos))]))])
    table = usage(*(("4420", at, quantity) for at, quantity in calls))
    rules = price_rules(table, history, base, conversion(rates, base, "EUR"))
    columns = exact_calls(table, rules)
    prices = [price_call(Call("86", "4420", OCTOBER_MS + at, quantity), rules)[0] for at, quantity in calls]
    assert [columns.micros(row) for row in range(len(calls))] == [each.micros for each in prices]
    rating = rate(table, history, base, rules.conversion)
    if not len(rating.refused):
        got = rating.rated["amount_micros"].to_pylist()
        if place is RoundingPlace.RECORD:
            assert got == [rounded(each.micros, rounding) for each in prices]
        else:
            assert sum(got) == rounded(sum((each.micros for each in prices), Fraction(0)), rounding)
