"""Does each named definition of a percentile give exactly what it says?"""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.prices.percentile import percentile, rank_of
from ledger.prices.service_terms import PercentileDefinition

NEAREST, DROP, ROUND, LINEAR, FLOOR = PercentileDefinition


@pytest.mark.parametrize(("samples", "percent"), [([], 95), ([1], 0), ([1], 101)])
def test_no_samples_or_no_percentile_is_an_error_never_zero(samples: list[int], percent: int) -> None:
    with pytest.raises(Malformed):
        percentile(samples, percent, NEAREST)


def test_five_deployed_definitions_give_4_or_4_8_or_5_on_the_samples_1_to_5() -> None:
    """DESIGN section 8."""
    found = {definition: percentile([1, 2, 3, 4, 5], 95, definition) for definition in PercentileDefinition}
    assert found == {NEAREST: 5, DROP: 4, ROUND: 5, LINEAR: Fraction(24, 5), FLOOR: 4}


@pytest.mark.parametrize(
    ("count", "ranks"),
    [
        (20, (19, 19, 19, Fraction(381, 20), 19)),  # 20 samples: 19.05 for the linear one
        (21, (20, 19, 20, 20, 20)),
        (29, (28, 27, 28, Fraction(138, 5), 27)),
        (8_928, (8_482, 8_481, 8_482, Fraction(169_633, 20), 8_481)),  # a month of 31 days
        (8_640, (8_208, 8_208, 8_208, Fraction(164_161, 20), 8_208)),  # 30 days: four agree
        (1, (1, 1, 1, 1, 1)),
    ],
)
def test_no_two_definitions_mean_the_same_rank_for_all_counts(count: int, ranks: tuple[int | Fraction, ...]) -> None:
    assert tuple(rank_of(count, 95, definition) for definition in PercentileDefinition) == ranks


def test_the_linear_definition_is_an_exact_fraction_where_a_float_is_not() -> None:
    assert percentile([0, 3 * 10**17, 10**18 + 1], 95, LINEAR) == 3 * 10**17 + Fraction(9, 10) * (7 * 10**17 + 1)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 2**62), min_size=1, max_size=60),
    st.integers(1, 100),
    st.sampled_from(PercentileDefinition),
    st.randoms(use_true_random=False),
)
def test_order_changes_nothing_and_the_result_lies_among_the_samples(
    samples: list[int], percent: int, definition: PercentileDefinition, chance: random.Random
) -> None:
    shuffled = list(samples)
    chance.shuffle(shuffled)
    found = percentile(samples, percent, definition)

    assert percentile(shuffled, percent, definition) == found
    assert min(samples) <= found <= max(samples)
    if definition is not LINEAR:
        assert found in samples


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 100))
def test_the_definitions_stand_in_this_order(count: int, percent: int) -> None:
    rank = {definition: rank_of(count, percent, definition) for definition in PercentileDefinition}
    assert rank[DROP] <= rank[ROUND] <= rank[NEAREST]
    assert rank[FLOOR] <= rank[LINEAR] < rank[FLOOR] + 1
    assert all(1 <= each <= count for each in rank.values())
