from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.identity import CarrierCode
from reconciliation.arbitrage.rings.masks import KEY_BYTES, PRICE_BITS, Masks

KEY = bytes(range(KEY_BYTES))
prices = st.integers(0, (1 << PRICE_BITS) - 1)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(Malformed, match="not a round's key"):
        Masks(b"short", "2026-10")


@pytest.mark.parametrize("nanos", [-1, 1 << PRICE_BITS])
def test_a_price_out_of_bounds_is_refused(nanos: int) -> None:
    with pytest.raises(Malformed, match="out of bounds"):
        Masks(KEY, "2026-10").curve("86")(nanos)


@given(st.lists(prices, min_size=2, max_size=6), st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_points_compare_as_their_prices_do(nanos: list[int], key: bytes) -> None:
    curve = Masks(key, "2026-10").curve("1907")
    pairs = sorted((each, curve(each)) for each in nanos)
    for (low, point), (high, other) in pairwise(pairs):
        assert (low < high) == (point < other)


def test_neighbouring_prices_keep_apart_at_both_ends() -> None:
    curve = Masks(KEY, "2026-10").curve("86")
    for nanos in (0, 1, 15, 16, 9_800_000, (1 << PRICE_BITS) - 2):
        assert curve(nanos) < curve(nanos + 1)


def test_two_carriers_with_the_key_say_the_same_and_one_without_it_does_not() -> None:
    ours, theirs, guess = Masks(KEY, "2026-10"), Masks(KEY, "2026-10"), Masks(bytes(KEY_BYTES), "2026-10")
    cn = CarrierCode("CN-T")
    assert (ours.carrier(cn), ours.code("86"), ours.curve("86")(5)) == (
        theirs.carrier(cn),
        theirs.code("86"),
        theirs.curve("86")(5),
    )
    assert ours.carrier(cn) != guess.carrier(cn)
    assert ours.code("86") != guess.code("86")
    assert ours.curve("86")(5) != guess.curve("86")(5)


def test_another_round_and_another_code_have_other_masks() -> None:
    """So that nobody can follow a carrier, a code or a price from one month to the next."""
    october, november = Masks(KEY, "2026-10"), Masks(KEY, "2026-11")
    assert october.code("86") != november.code("86")
    assert october.curve("86")(5) != november.curve("86")(5)
    assert october.curve("86")(5) != october.curve("44")(5)
    assert october.carrier(CarrierCode("86")) != october.code("86")
