"""Do our transactions have the bytes an independent library gives them?"""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.abi import address_of
from ledger.chain.transaction import Transaction, contract_address, sign_transaction
from ledger.errors import Malformed
from ledger.identity import Address

KEY = bytes(range(1, 33))
LEDGER = Address("0x2222222222222222222222222222222222222222")


@given(
    nonce=st.integers(0, 2**40),
    data=st.binary(max_size=300),
    gas=st.integers(21_000, 2**40),
    price=st.integers(0, 2**60),
    chain_id=st.integers(1, 2**40),
    deploys=st.booleans(),
)
def test_signed_bytes_and_hash_equal_the_librarys(
    nonce: int, data: bytes, gas: int, price: int, chain_id: int, deploys: bool
) -> None:
    signed = sign_transaction(KEY, Transaction(nonce, None if deploys else LEDGER, data, gas, price), chain_id)
    fields = {"nonce": nonce, "data": data, "gas": gas, "gasPrice": price, "value": 0, "chainId": chain_id}
    theirs = Account.sign_transaction(fields if deploys else fields | {"to": LEDGER}, KEY)
    assert (signed.raw, signed.hash) == (bytes(theirs.raw_transaction), bytes(theirs.hash))


def test_an_address_with_wrong_capitals_is_refused() -> None:
    with pytest.raises(Malformed):
        sign_transaction(KEY, Transaction(0, Address("0x" + "aB" * 20), b"", 21_000, 0), 1)


def test_a_deployments_address_is_the_published_one() -> None:
    """Source: the first contract of the account 0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0."""
    sender = address_of(bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"))
    assert contract_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert contract_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
