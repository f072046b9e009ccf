"""Does an agreement file say exactly one thing, and do both sides hash it alike?"""

from dataclasses import fields, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreement import Agreement, PaymentTerms, Tolerance
from ledger.agreement_file import document_hash, dump_agreement, load_agreement, parse_agreement, terms_of
from ledger.detector_terms import DetectorTerms
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import Micros, Rounding
from ledger.prices.deal_terms import Deal
from ledger.prices.fx_terms import FxTerms
from ledger.prices.rating_terms import RatingTerms
from ledger.prices.service_terms import DataTerms, IplTerms, SmsTerms, SmsUnit
from ledger.service import Service

LEAST = """\
carriers = ["GB-B", "CN-T"]
currency = "USD"
services = ["voice"]
zone = "UTC"
valid_from = 2026-09-01
"""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (LEAST + "curency = 'USD'\n", "got curency"),
        (LEAST + "[payment]\npayment_day = 3\n", "got payment_day"),
        (LEAST + "[tolerance]\nwindow = 3\n", "got window"),
        (LEAST.replace("currency", "#"), "lacks currency"),
        (LEAST.replace('"USD"', '"usd"'), "not a currency"),
        (LEAST.replace('"UTC"', '"Mars/Olympus"'), "not a time zone"),
        (LEAST.replace('"UTC"', '"../etc/passwd"'), "not a time zone"),
        (LEAST.replace('"voice"', '"fax"'), "not a service"),
        (LEAST.replace('"GB-B", ', ""), "two different carrier codes"),
        (LEAST.replace('"GB-B"', '"CN-T"'), "two different carrier codes"),
        (LEAST.replace("GB-B", "gb b"), "not a carrier code"),
        (LEAST.replace("2026-09-01", "2026-09-01T00:00:00"), "not a moment"),
        (LEAST.replace("2026-09-01", '"soon"'), "not a moment"),
        (LEAST + "[rating]\nrounding = 'up'\n", "not a rounding"),
        (LEAST + "[rating]\nnotice_days = true\n", "out of bounds"),
        (LEAST + "[rating]\nnotice_days = -1\n", "out of bounds"),
        (LEAST + "[payment]\ninterest_bps = 10001\n", "out of bounds"),
        (LEAST + "[payment]\nstop_credit_days = 31\n", "ladder runs backwards"),
        (LEAST + "[tolerance]\nvolume_amount = 1000\n", "not text"),
        (LEAST + "[tolerance]\nvolume_amount = '-1'\n", "negative"),
        ("payment = 3\n" + LEAST, "not a table"),
        ("carriers = [", "not TOML"),
    ],
)
def test_what_is_wrong_is_refused_by_name(wrong: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_agreement(wrong)


def test_the_sides_are_sorted_and_the_rest_has_its_defaults() -> None:
    agreement = parse_agreement(LEAST)
    assert agreement == Agreement(
        CarrierCode("CN-T"),
        CarrierCode("GB-B"),
        "USD",
        frozenset({Service.VOICE}),
        ZoneInfo("UTC"),
        1_788_220_800_000,
    )


def test_both_sides_get_one_hash_and_any_change_another() -> None:
    agreement = parse_agreement(LEAST)
    swapped = parse_agreement(LEAST.replace('"GB-B", "CN-T"', '"CN-T", "GB-B"'))
    assert document_hash(swapped) == document_hash(agreement)
    changes = {
        "low": CarrierCode("AA"),
        "high": CarrierCode("ZZ"),
        "currency": "EUR",
        "services": frozenset({Service.SMS}),
        "zone": ZoneInfo("Europe/London"),
        "valid_from_ms": 0,
        "rounding": Rounding.FLOOR,
        "notice_days": 8,
        "tolerance": Tolerance(window_ms=3_001),
        "payment": PaymentTerms(interest_bps=151),
        "sms": SmsTerms(unit=SmsUnit.MESSAGE),
        "data": DataTerms(percentile=90),
        "ipl": IplTerms(most_credit_bps=5_000),
        "rating": RatingTerms(decimals=4),
        "deals": (Deal("d", CarrierCode("CN-T"), committed_micros=Micros(1)),),
        "fx": FxTerms("ECB", rates_hash=bytes(32)),
        "detectors": DetectorTerms(irsf_calls=21),
    }
    assert set(changes) == {field.name for field in fields(Agreement)}
    hashes = {document_hash(replace(agreement, **{name: value})) for name, value in changes.items()}  # type: ignore[arg-type]
    assert len(hashes | {document_hash(agreement)}) == len(changes) + 1


def test_terms_are_what_the_contracts_hold() -> None:
    terms = terms_of(parse_agreement(LEAST.replace('["voice"]', '["ipl", "voice"]')))
    assert terms.carrier_low == b"CN-T".ljust(32, b"\0") and terms.currency == b"USD".ljust(32, b"\0")
    assert terms.services == 0b1001
    assert (terms.notice_seconds, terms.payment_seconds) == (7 * 86_400, 30 * 86_400)
    assert (terms.valid_from, terms.interest_bps) == (1_788_220_800, 150)


days = st.integers(0, 3_650)
bps = st.integers(0, 10_000)
milliseconds = st.integers(0, 86_400_000)
agreements = st.builds(
    Agreement,
    st.just(CarrierCode("CN-T")),
    st.just(CarrierCode("GB-B")),
    st.sampled_from(["USD", "XDR"]),
    st.frozensets(st.sampled_from(Service), min_size=1),
    st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai")]),
    st.integers(0, 4_000_000_000).map(lambda seconds: seconds * 1000),
    st.sampled_from(Rounding),
    days,
    st.builds(Tolerance, milliseconds, milliseconds, bps, bps, st.integers(0, 2**60).map(Micros)),
    st.builds(
        lambda pay, accept, interest, stop: PaymentTerms(pay, accept, interest, stop, stop), days, days, bps, days
    ),
)


@given(agreements)
def test_a_file_written_is_read_back_to_the_same_agreement(agreement: Agreement) -> None:
    assert parse_agreement(dump_agreement(agreement)) == agreement


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agreement.toml").write_bytes(b"\xff\xfe")
    for name in ("agreement.toml", "absent.toml"):
        with pytest.raises(Malformed, match="cannot be read"):
            load_agreement(tmp_path / name)
