"""Which chain do we settle on, and how do we know that it is the right one?

A network file is what a consortium hands its members: chain, genesis, contracts with the hashes of their code, tokens.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ledger.chain.abi import address_bytes
from ledger.errors import Malformed, NotFound
from ledger.identity import Address
from ledger.typed_data import Domain

CONTRACTS = ("CarrierRegistry", "AgreementBook", "UsageLedger", "CreditBook", "SettlementBook", "PaymentBook")


@dataclass(frozen=True, slots=True)
class Network:
    """One deployment of the contracts, pinned."""

    name: str
    chain_id: int
    genesis_hash: bytes
    first_block: int
    """No log of ours is older."""
    confirmations: int
    """Blocks from inclusion, itself counted, until a block is final: 1 is final at once (Besu QBFT, a local chain)."""
    gas_price_wei: int
    addresses: Mapping[str, Address]
    """Contract name -> address, for each of CONTRACTS."""
    code_hashes: Mapping[str, bytes]
    """Contract name -> keccak256 of its deployed code."""
    tokens: Mapping[str, Address]
    """Currency -> settlement token."""

    def address(self, contract: str) -> Address:
        """Where a contract of CONTRACTS lives. Raises NotFound."""
        if contract not in self.addresses:
            raise NotFound("no such contract in the network file", expected=sorted(self.addresses), got=contract)
        return self.addresses[contract]

    def domain(self, contract: str) -> Domain:
        """The EIP-712 domain of a contract of CONTRACTS."""
        return Domain(chain_id=self.chain_id, verifying_contract=self.address(contract))

    @property
    def carrier_registry(self) -> Address:
        return self.address("CarrierRegistry")

    @property
    def agreement_book(self) -> Address:
        return self.address("AgreementBook")

    @property
    def usage_ledger(self) -> Address:
        return self.address("UsageLedger")

    @property
    def credit_book(self) -> Address:
        return self.address("CreditBook")

    @property
    def settlement_book(self) -> Address:
        return self.address("SettlementBook")

    @property
    def payment_book(self) -> Address:
        return self.address("PaymentBook")


def load_network(path: Path) -> Network:
    """Read a network file. Raises NotFound, Malformed (unknown or missing keys too)."""
    try:
        return parse_network(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("no network file", got=path.name, todo="Deploy first, or ask the consortium for it.") from None


def parse_network(text: str) -> Network:
    """Read the TOML of a network file. Raises Malformed."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("not a network file", expected="TOML", got=str(error)) from None
    expected = {field.name for field in fields(Network)}
    if set(table) != expected:
        raise Malformed("not a network file", expected=sorted(expected), got=sorted(table))
    return Network(
        name=_text(table["name"], "name"),
        chain_id=_count(table["chain_id"], "chain_id"),
        genesis_hash=_hash(table["genesis_hash"], "genesis_hash"),
        first_block=_count(table["first_block"], "first_block"),
        confirmations=_count(table["confirmations"], "confirmations", least=1),
        gas_price_wei=_count(table["gas_price_wei"], "gas_price_wei"),
        addresses={name: _address(value, name) for name, value in _table(table["addresses"], "addresses").items()},
        code_hashes={name: _hash(value, name) for name, value in _table(table["code_hashes"], "code_hashes").items()},
        tokens={name: _address(value, name) for name, value in _table(table["tokens"], "tokens").items()},
    )


def dump_network(network: Network, path: Path) -> None:
    """Write a network file, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(show_network(network), encoding="utf-8")
    partial.replace(path)


def show_network(network: Network) -> str:
    """The TOML of a network file; `parse_network` reads it back."""
    plain = [
        f'name = "{network.name}"',
        f"chain_id = {network.chain_id}",
        f'genesis_hash = "0x{network.genesis_hash.hex()}"',
        f"first_block = {network.first_block}",
        f"confirmations = {network.confirmations}",
        f"gas_price_wei = {network.gas_price_wei}",
    ]
    tables: dict[str, Mapping[str, str]] = {
        "addresses": network.addresses,
        "code_hashes": {name: f"0x{value.hex()}" for name, value in network.code_hashes.items()},
        "tokens": network.tokens,
    }
    for title, table in tables.items():
        plain += ["", f"[{title}]", *(f'{name} = "{value}"' for name, value in sorted(table.items()))]
    return "\n".join(plain) + "\n"


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or '"' in value or "\\" in value or not value:
        raise _unfit(key, "a printable name", value)
    return value


def _count(value: object, key: str, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _unfit(key, f"a whole number from {least}", value)
    return value


def _hash(value: object, key: str) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x") or len(value) != 66:
        raise _unfit(key, "0x and 64 hexadecimal digits", value)
    return _bytes(value, key)


def _address(value: object, key: str) -> Address:
    if not isinstance(value, str):
        raise _unfit(key, "a checksummed address", value)
    address_bytes(value)
    return Address(value)


def _bytes(value: str, key: str) -> bytes:
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise _unfit(key, "hexadecimal digits", value) from None


def _table(value: object, key: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _unfit(key, "a table", value)
    return value


def _unfit(key: str, expected: str, got: object) -> Malformed:
    return Malformed(f"{key} in the network file does not fit", expected=expected, got=repr(got)[:80])
