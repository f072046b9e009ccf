"""What can be told of a number by its hash, and is it the same wherever the number lies?"""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.matching.keys import LAST_DIGITS, SUFFIX_BITS, called_hashes, last_digits, party_hashes

numbers = st.text("0123456789", max_size=18)
texts = numbers | st.text("0123456789+#aZ ", max_size=18) | st.text(max_size=6)
ASCII = frozenset("0123456789")


@pytest.mark.parametrize(
    "text", ["", "4", "44", "447", "44770090", "4477009000011", "44770090000112345678901234567890"]
)
def test_a_hash_is_of_the_whole_number_wherever_it_lies(text: str) -> None:
    for hashed in (called_hashes, party_hashes):
        alone = hashed(pa.array([text]))[0]
        among = hashed(pa.array(["9" * 17, text, "1"]))
        assert among[1] == alone
        assert len(set(among.tolist())) == 3


@given(st.lists(texts, max_size=30, unique=True))
def test_texts_that_differ_have_hashes_that_differ(given_texts: list[str]) -> None:
    for hashed in (called_hashes, party_hashes):
        assert len(set(hashed(pa.array(given_texts, pa.string())).tolist())) == len(given_texts)


@given(st.lists(texts, max_size=10))
def test_the_last_digits_can_be_read_where_a_number_ends_in_so_many(given_texts: list[str]) -> None:
    read = last_digits(called_hashes(pa.array(given_texts, pa.string()))).tolist()
    ends = [text[-LAST_DIGITS:] for text in given_texts]
    assert read == [int(end) if len(end) == LAST_DIGITS and ASCII.issuperset(end) else -1 for end in ends]


@given(numbers.filter(lambda text: len(text) >= 2), st.integers(0, 99))
def test_a_block_of_a_hundred_is_what_numbers_share_without_their_last_two_digits(number: str, last: int) -> None:
    neighbour, longer = f"{number[:-2]}{last:02d}", f"{number[:-2]}0{last:02d}"
    block, same, other = called_hashes(pa.array([number, neighbour, longer])) >> SUFFIX_BITS
    assert block == same
    assert block != other
