"""Are ids what they claim to be?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.identity import ascii32, carrier_code, text_of_ascii32


@pytest.mark.parametrize("text", ["", "cn-t", "CN T", "CN_T", "É", "A" * 33, "CN-T\n"])
def test_a_code_no_carrier_can_have_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        carrier_code(text)


@pytest.mark.parametrize("text", ["é", "x" * 33, "a\0"])
def test_text_that_does_not_fit_32_bytes_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        ascii32(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=32))
def test_text_survives_its_32_bytes(text: str) -> None:
    assert text_of_ascii32(ascii32(text)) == text
