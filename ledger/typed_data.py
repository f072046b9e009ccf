"""What exactly does a carrier sign, and who signed it?

EIP-712 digests of the generated structs (which refuse to be built from values of another type or range), and the one
strict reading of secp256k1 signatures: one passes here if and only if the contracts take it (OpenZeppelin's ECDSA:
65 bytes, v 27 or 28, low s). Source: EIP-712, EIP-2. A signature is never an id.
"""

from dataclasses import dataclass
from typing import Protocol

from coincurve import PrivateKey, PublicKey

from ledger.chain.abi import address_bytes, address_of, keccak
from ledger.errors import SignatureRefused
from ledger.identity import Address

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_BYTES = 65

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


class TypedStruct(Protocol):
    """A generated frozen struct: checked when built, hashed by the type string of its contract."""

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct, 32 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Domain:
    """Which contract on which chain a signature is meant for."""

    chain_id: int
    verifying_contract: Address
    name: str = "gsc"
    version: str = "1"

    def separator(self) -> bytes:
        """32 bytes: hashStruct of the EIP-712 domain."""
        words = (
            keccak(self.name.encode()),
            keccak(self.version.encode()),
            self.chain_id.to_bytes(32, "big"),
            address_bytes(self.verifying_contract).rjust(32, b"\0"),
        )
        return keccak(_DOMAIN_TYPE + b"".join(words))


def digest(struct: TypedStruct, domain: Domain) -> bytes:
    """The 32 bytes a carrier signs for a generated struct."""
    return keccak(b"\x19\x01" + domain.separator() + struct.struct_hash())


def sign_digest(private_key: bytes, digest_: bytes) -> bytes:
    """65 bytes r, s, v (27 or 28), s low, deterministic (RFC 6979)."""
    assert len(private_key) == 32 and len(digest_) == 32, "a key and a digest have 32 bytes"
    raw = PrivateKey(private_key).sign_recoverable(digest_, hasher=None)
    return raw[:64] + bytes([27 + raw[64]])


def recover(digest_: bytes, signature: bytes) -> Address:
    """The address whose key made the signature. Raises SignatureRefused for every form the contracts refuse."""
    _check_form(signature)
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest_, hasher=None)
    except Exception as refusal:  # coincurve raises bare Exception when no point fits r
        raise _refused("no key fits the signature", "a point of secp256k1", "none") from refusal
    return address_of_public_key(key)


def address_of_key(private_key: bytes) -> Address:
    """The address of a 32-byte private key."""
    return address_of_public_key(PrivateKey(private_key).public_key)


def address_of_public_key(key: PublicKey) -> Address:
    """The address of a public key: the last 20 bytes of its hash."""
    return address_of(keccak(key.format(compressed=False)[1:])[12:])


def _check_form(signature: bytes) -> None:
    if len(signature) != SIGNATURE_BYTES:
        raise _refused("not a signature", f"{SIGNATURE_BYTES} bytes", f"{len(signature)} bytes")
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise _refused("not a signature of ours", "v of 27 or 28", f"v {v}")
    if not 0 < r < CURVE_ORDER:
        raise _refused("not a signature", "0 < r < N", f"r {r:#x}")
    if not 0 < s <= CURVE_ORDER // 2:
        raise _refused("not the canonical signature", "0 < s <= N / 2", f"s {s:#x}")


def _refused(message: str, expected: str, got: str) -> SignatureRefused:
    return SignatureRefused(message, expected=expected, got=got, todo="Sign the struct again with the carrier's key.")
