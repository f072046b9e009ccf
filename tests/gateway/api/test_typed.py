"""Does what we show to be signed give a public tool the very digest that we check?"""

from dataclasses import replace

from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.answers import SAFE_INTEGER
from gateway.api.typed import typed_data
from gateway.requests import LoginRequest
from ledger.chain.bindings import Declaration
from ledger.identity import Address, ascii32
from ledger.keccak import keccak256
from ledger.service import Service
from ledger.typed_data import Domain, digest

DOMAIN = Domain(31_337, Address("0x" + "11" * 20))
LOGIN = LoginRequest(ascii32("CN-T"), ascii32("GB-B"), Address("0x" + "22" * 20), bytes(range(32)), 1, 2)
words = st.binary(min_size=32, max_size=32)
wide = st.integers(0, 2**64 - 1)
widest = st.integers(0, 2**128 - 1)
declarations = st.builds(
    Declaration,
    *(words, words, words, wide, st.sampled_from(list(Service)), st.integers(0, 2**32 - 1), words),
    *(st.integers(0, 2**32 - 1), wide, wide, widest, widest, words, words, words, wide),
)


def hashed_by_a_public_tool(shown: dict[str, object]) -> bytes:
    signable = encode_typed_data(full_message=shown)
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


@settings(deadline=None)
@given(declarations)
def test_a_declaration_shown_has_the_digest_of_ours_however_large_its_figures(declared: Declaration) -> None:
    shown = typed_data(declared, DOMAIN)

    assert hashed_by_a_public_tool(shown) == digest(declared, DOMAIN)
    message = shown["message"]
    assert isinstance(message, dict)
    assert all(abs(each) <= SAFE_INTEGER for each in message.values() if isinstance(each, int))


def test_so_has_a_login() -> None:
    assert hashed_by_a_public_tool(typed_data(LOGIN, DOMAIN)) == digest(LOGIN, DOMAIN)


def test_another_chain_is_shown_and_hashed_as_another() -> None:
    """The planted fault: what is shown for one chain must not pass for another's."""
    shown = typed_data(LOGIN, replace(DOMAIN, chain_id=1))

    assert shown["domain"] != typed_data(LOGIN, DOMAIN)["domain"]
    assert hashed_by_a_public_tool(shown) != digest(LOGIN, DOMAIN)
