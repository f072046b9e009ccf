"""Is a network file read whole or refused, and written so that it reads back?"""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain.abi import keccak
from ledger.chain.network import CONTRACTS, Network, dump_network, load_network, parse_network, show_network
from ledger.errors import Malformed, NotFound
from ledger.identity import Address
from ledger.typed_data import Domain

ADDRESS = Address("0x2222222222222222222222222222222222222222")
NETWORK = Network(
    name="consortium",
    chain_id=1337,
    genesis_hash=keccak(b"genesis"),
    first_block=3,
    confirmations=1,
    gas_price_wei=0,
    addresses=dict.fromkeys(CONTRACTS, ADDRESS),
    code_hashes={name: keccak(name.encode()) for name in CONTRACTS},
    tokens={"USD": ADDRESS},
)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Deploy first"):
        load_network(tmp_path / "network.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("chain_id = 1337", "chain_id = -1"),
        ("chain_id = 1337", "chain_id = true"),
        ("chain_id = 1337", 'chain_id = "1337"'),
        ("chain_id = 1337", ""),
        ("chain_id = 1337", "chain_id = 1337\nowner = 1"),
        ("confirmations = 1", "confirmations = 0"),
        ("0x2222222222222222222222222222222222222222", "0x22"),
        ("0x2222222222222222222222222222222222222222", "0x" + "aB" * 20),
        (f"0x{keccak(b'genesis').hex()}", "0x" + "zz" * 32),
        ("[tokens]", "[tokens"),
        ('name = "consortium"', 'name = ""'),
    ],
)
def test_a_file_with_a_wrong_missing_or_unknown_key_is_refused(before: str, after: str) -> None:
    assert before in show_network(NETWORK)
    with pytest.raises(Malformed):
        parse_network(show_network(NETWORK).replace(before, after, 1))


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    for network in (NETWORK, replace(NETWORK, name="other", tokens={})):
        dump_network(network, path)
        assert load_network(path) == network
    assert [each.name for each in tmp_path.iterdir()] == ["network.toml"]


def test_a_contract_has_its_address_and_its_signing_domain() -> None:
    assert NETWORK.usage_ledger == NETWORK.address("UsageLedger") == ADDRESS
    assert NETWORK.domain("CreditBook") == Domain(chain_id=1337, verifying_contract=ADDRESS)
    with pytest.raises(NotFound):
        NETWORK.address("Proxy")
