"""Is money read, divided and shown exactly?"""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.money import Rounding, div_half_even, divide, parse_micros, parse_nanos, show_micros

numerators = st.integers(-(2**100), 2**100)
divisors = st.integers(1, 2**60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,5",
        "1e3",
        "NaN",
        "Infinity",
        "-",
        ".",
        "1.",
        "0x10",
        "1_000",
        "١٢٣",
        "１２",
        "--1",
        "0.0000001",
        "9223372036854.775808",
    ],
)
def test_an_amount_that_is_not_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_micros(text)


@pytest.mark.parametrize(
    ("text", "micros"),
    [("251330.02", 251_330_020_000), ("0.000001", 1), ("-12.5", -12_500_000), ("+3", 3_000_000), (" 7 ", 7_000_000)],
)
def test_an_amount_is_read_to_the_last_micro(text: str, micros: int) -> None:
    assert parse_micros(text) == micros


def test_a_rate_has_nine_places_and_no_more() -> None:
    assert parse_nanos("0.012345678") == 12_345_678
    with pytest.raises(Malformed):
        parse_nanos("0.0123456789")


@pytest.mark.parametrize(
    ("numerator", "floored", "ceiled", "half_up", "half_even"),
    [(5, 2, 3, 3, 2), (7, 3, 4, 4, 4), (-5, -3, -2, -3, -2), (-7, -4, -3, -4, -4), (4, 2, 2, 2, 2), (0, 0, 0, 0, 0)],
)
def test_halves_go_where_the_mode_says(numerator: int, floored: int, ceiled: int, half_up: int, half_even: int) -> None:
    modes = (Rounding.FLOOR, Rounding.CEILING, Rounding.HALF_UP, Rounding.HALF_EVEN)
    assert [divide(numerator, 2, mode) for mode in modes] == [floored, ceiled, half_up, half_even]


@given(numerators, divisors)
def test_division_agrees_with_exact_fractions(numerator: int, divisor: int) -> None:
    exact = Fraction(numerator, divisor)
    assert divide(numerator, divisor, Rounding.FLOOR) == floor(exact)
    assert divide(numerator, divisor, Rounding.CEILING) == ceil(exact)
    assert divide(numerator, divisor, Rounding.HALF_EVEN) == round(exact)
    assert abs(divide(numerator, divisor, Rounding.HALF_UP) - exact) <= Fraction(1, 2)


@given(st.integers(-(2**62), 2**62))
def test_showing_and_reading_an_amount_are_inverse(micros: int) -> None:
    assert parse_micros(show_micros(micros)) == micros


def test_showing_fewer_places_rounds_half_to_even() -> None:
    assert [show_micros(micros, 2) for micros in (5_000, 15_000, -5_000, 1_204_100_000)] == [
        "0.00",
        "0.02",
        "0.00",
        "1204.10",
    ]


def test_the_property_bites_a_division_that_truncates() -> None:
    def truncating(numerator: int, divisor: int) -> int:
        return int(numerator / divisor)

    assert any(truncating(n, 2) != div_half_even(n, 2) for n in range(-9, 9))
