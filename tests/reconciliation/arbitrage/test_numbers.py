import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.arbitrage.numbers import begins, priced_by

NUMBERS = pa.chunked_array([["19072223333", "12125550100", "447700900001", ""]])


def test_a_number_begins_with_one_of_the_beginnings() -> None:
    assert begins(NUMBERS, ["1907", "44"]).tolist() == [True, False, True, False]
    assert begins(NUMBERS, []).tolist() == [False] * 4


@pytest.mark.parametrize(
    ("codes", "priced", "expected"),
    [
        (["1"], ["1", "44"], [True, True, False, False]),
        (["1"], ["1", "1907"], [False, True, False, False]),
        (["1", "19072"], ["1", "1907", "19072"], [True, True, False, False]),
        (["1907"], ["1", "1907"], [True, False, False, False]),
    ],
)
def test_a_longer_code_takes_its_numbers_from_a_shorter_one(
    codes: list[str], priced: list[str], expected: list[bool]
) -> None:
    assert priced_by(NUMBERS, codes, priced).tolist() == expected


digits = st.text("12", min_size=1, max_size=4)


@given(st.lists(digits, min_size=1), st.sets(digits), st.sets(digits))
def test_each_number_is_priced_by_its_longest_code(numbers: list[str], mine: set[str], others: set[str]) -> None:
    codes, priced = mine - others, mine | others

    def longest(number: str) -> str | None:
        return next((number[:end] for end in range(len(number), 0, -1) if number[:end] in priced), None)

    expected = [longest(number) in codes for number in numbers]
    assert priced_by(pa.chunked_array([numbers]), codes, priced).tolist() == expected
