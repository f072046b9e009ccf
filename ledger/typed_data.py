"""What exactly does a carrier sign, and who signed it?

EIP-712 digests of the generated structs, recoverable secp256k1 signatures, and the one strict reading of both.
Nothing is coerced: an integer is an `int` in the range of its Solidity type, bytes32 are 32 `bytes`. A signature
passes here if and only if the contracts take it (OpenZeppelin's ECDSA: 65 bytes, v 27 or 28, low s).
Source: EIP-712 (encodeType, encodeData, hashStruct), EIP-2 (low s). A signature is never an id.
"""

import re
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Protocol

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ledger.errors import Malformed, SignatureRefused
from ledger.identity import Address

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_BYTES = 65

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_STRUCT = re.compile(r"(\w+)\(([^()]*)\)")
_SIZED = re.compile(r"(uint|int|bytes)(\d+)")


class TypedStruct(Protocol):
    """A generated frozen dataclass: its fields stand in the order of `EIP712_TYPE`."""

    EIP712_TYPE: ClassVar[str]
    """encodeType of the struct, referenced structs appended: "Leg(bytes32 agreementId,...)"."""


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
            _word_of("uint256", self.chain_id, {}),
            _word_of("address", self.verifying_contract, {}),
        )
        return keccak(_DOMAIN_TYPE + b"".join(words))


def digest(struct: object, domain: Domain) -> bytes:
    """The 32 bytes a carrier signs for a generated struct. Raises Malformed if a field does not fit its type."""
    return keccak(b"\x19\x01" + domain.separator() + hash_struct(struct))


def hash_struct(struct: object) -> bytes:
    """32 bytes: EIP-712 hashStruct of a generated struct. Raises Malformed."""
    return _hash(struct, _types_of(_type_string(struct)), _type_string(struct).partition("(")[0])


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


def require_signer(digest_: bytes, signature: bytes, signer: Address) -> None:
    """Check that `signer` signed the digest. Raises SignatureRefused."""
    recovered = recover(digest_, signature)
    if recovered != signer:
        raise _refused("another key signed", signer, recovered)


def address_of_key(private_key: bytes) -> Address:
    """The address of a 32-byte private key."""
    return address_of_public_key(PrivateKey(private_key).public_key)


def address_of_public_key(key: PublicKey) -> Address:
    """The address of a public key: the last 20 bytes of its hash."""
    return Address(to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]))


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


def _type_string(struct: object) -> str:
    text = getattr(type(struct), "EIP712_TYPE", None)
    assert isinstance(text, str), f"{type(struct).__name__} is not a generated struct"
    return text


@cache
def _types_of(type_string: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Struct name -> (its encodeType, the types of its members)."""
    plain: dict[str, str] = dict(_STRUCT.findall(type_string))
    members = {name: tuple(part.split(" ")[0] for part in body.split(",")) for name, body in plain.items()}
    return {name: (_encode_type(name, plain, members), members[name]) for name in plain}


def _encode_type(name: str, plain: dict[str, str], members: dict[str, tuple[str, ...]]) -> str:
    referenced: set[str] = set()
    waiting = [name]
    while waiting:
        inner = {member.removesuffix("[]") for member in members[waiting.pop()]} & plain.keys()
        waiting.extend(inner - referenced)
        referenced |= inner
    return "".join(f"{each}({plain[each]})" for each in (name, *sorted(referenced - {name})))


def _hash(struct: object, types: dict[str, tuple[str, tuple[str, ...]]], name: str) -> bytes:
    encode_type, members = types[name]
    names = [field.name for field in fields(struct)]  # type: ignore[arg-type]
    assert len(names) == len(members), f"{name} has {len(names)} fields, its type string {len(members)}"
    words = (_word_of(kind, getattr(struct, field), types) for kind, field in zip(members, names, strict=True))
    return keccak(keccak(encode_type.encode()) + b"".join(words))


def _word_of(kind: str, value: object, types: dict[str, tuple[str, tuple[str, ...]]]) -> bytes:
    """One 32-byte word of encodeData. Raises Malformed."""
    if kind.endswith("[]"):
        if not isinstance(value, tuple | list):
            raise _unfit(kind, value)
        return keccak(b"".join(_word_of(kind[:-2], each, types) for each in value))
    if kind in types:
        return _hash(value, types, kind)
    sized = _SIZED.fullmatch(kind)
    if sized:
        return _sized_word(sized[1], int(sized[2]), kind, value)
    return _plain_word(kind, value)


def _sized_word(family: str, size: int, kind: str, value: object) -> bytes:
    if family == "bytes":
        if not isinstance(value, bytes) or len(value) != size:
            raise _unfit(kind, value)
        return value.ljust(32, b"\0")
    low, high = (0, 2**size) if family == "uint" else (-(2 ** (size - 1)), 2 ** (size - 1))
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < high:
        raise _unfit(kind, value)
    return (value % 2**256).to_bytes(32, "big")


def _plain_word(kind: str, value: object) -> bytes:
    match kind, value:
        case "address", str() if re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
            return bytes.fromhex(value[2:]).rjust(32, b"\0")
        case "bool", bool():
            return int(value).to_bytes(32, "big")
        case "string", str():
            return keccak(value.encode())
        case "bytes", bytes():
            return keccak(value)
        case _:
            raise _unfit(kind, value)


def _unfit(kind: str, value: object) -> Malformed:
    return Malformed("a field does not fit its type", expected=kind, got=repr(value)[:80], todo="Correct the field.")
