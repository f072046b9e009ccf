"""Do our values become JSON that no reader can misread?"""

import json
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answers import SAFE_INTEGER, Money, as_json
from ledger.chain.bindings import DisputeState
from ledger.money import Micros, parse_micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.finding import Cause


@dataclass(frozen=True, slots=True)
class Sample:
    batch_id: bytes
    amount_micros: int


def test_a_value_without_a_form_is_refused_rather_than_guessed() -> None:
    for value in (1.5, object(), Sample):
        with pytest.raises(TypeError, match="no JSON form"):
            as_json(value)


def test_names_are_camel_case_and_bytes_are_hex() -> None:
    assert as_json(Sample(b"\x01\xff", 7)) == {"batchId": "0x01ff", "amountMicros": 7}


@given(st.integers(min_value=-(2**70), max_value=2**70))
def test_an_integer_that_javascript_would_round_travels_as_text(number: int) -> None:
    shown = as_json(number)

    assert isinstance(shown, int) == (abs(number) <= SAFE_INTEGER)
    assert int(shown) == number


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_money_keeps_every_micro(micros: int) -> None:
    shown = as_json(Money("USD", Micros(micros)))

    assert shown["unit"] == "USD"
    assert parse_micros(shown["value"]) == micros


def test_words_stand_for_enums_periods_and_days() -> None:
    values = [
        Service.VOICE,
        Cause.DURATION_BIAS,
        DisputeState.GENERATED,
        Period(2026, 10),
        date(2026, 10, 5),
        None,
        True,
    ]

    assert json.loads(json.dumps(as_json(values))) == [
        "voice",
        "duration_bias",
        "generated",
        "2026-10",
        "2026-10-05",
        None,
        True,
    ]
