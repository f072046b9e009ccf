"""What are the bytes of a transaction? Legacy transactions with a fixed price, as every EVM chain takes them.

RLP: Ethereum yellow paper, appendix B. Signature over the chain id: EIP-155. Signing is deterministic (RFC 6979), so
one nonce and call always give the same bytes and the same hash.
"""

from dataclasses import dataclass

from ledger.chain.abi import address_bytes, keccak
from ledger.identity import Address
from ledger.typed_data import sign_digest


@dataclass(frozen=True, slots=True)
class Transaction:
    """A call (or, with no `to`, a deployment) that pays `gas_price_wei` for each gas."""

    nonce: int
    to: Address | None
    data: bytes
    gas: int
    gas_price_wei: int
    value_wei: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes a node takes, and the hash it will know them by."""

    raw: bytes
    hash: bytes


def sign_transaction(private_key: bytes, transaction: Transaction, chain_id: int) -> SignedTransaction:
    """Sign a transaction for one chain."""
    words: list[int | bytes] = [
        transaction.nonce,
        transaction.gas_price_wei,
        transaction.gas,
        b"" if transaction.to is None else address_bytes(transaction.to),
        transaction.value_wei,
        transaction.data,
    ]
    signature = sign_digest(private_key, keccak(_rlp_list([*words, chain_id, 0, 0])))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    raw = _rlp_list([*words, signature[64] - 27 + 35 + 2 * chain_id, r, s])
    return SignedTransaction(raw, keccak(raw))


def contract_address(sender: Address, nonce: int) -> bytes:
    """The 20 bytes of the address that a deployment with this nonce gets (CREATE)."""
    return keccak(_rlp_list([address_bytes(sender), nonce]))[12:]


def _rlp_list(items: list[int | bytes]) -> bytes:
    body = b"".join(_rlp_item(item) for item in items)
    return _length(len(body), 0xC0) + body


def _rlp_item(item: int | bytes) -> bytes:
    raw = item.to_bytes((item.bit_length() + 7) // 8, "big") if isinstance(item, int) else item
    if len(raw) == 1 and raw[0] < 0x80:
        return raw
    return _length(len(raw), 0x80) + raw


def _length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes([offset + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits
