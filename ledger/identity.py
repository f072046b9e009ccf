"""Which thing is meant? Distinct types for ids, so that one cannot stand in for another."""

from typing import NewType

from ledger.errors import Malformed

CarrierCode = NewType("CarrierCode", str)
"""A carrier's code, 1-32 characters of A-Z, 0-9 and '-': "CN-T"."""
AgreementId = NewType("AgreementId", bytes)
"""32 bytes: keccak256 of the ABI encoding of the terms (contracts/interfaces/IAgreementBook.sol)."""
BatchId = NewType("BatchId", bytes)
"""32 bytes: EIP-712 digest of the declaration."""
Root = NewType("Root", bytes)
"""32 bytes: Merkle root of a usage batch."""
Address = NewType("Address", str)
"""An EIP-55 checksummed address."""

_CODE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def carrier_code(text: str) -> CarrierCode:
    """Check a carrier code. Raises Malformed."""
    if not 1 <= len(text) <= 32 or not _CODE_CHARACTERS.issuperset(text):
        raise Malformed(
            "not a carrier code",
            expected="1 to 32 characters of A-Z, 0-9 and '-'",
            got=repr(text[:40]),
            todo="Use the code the carrier registered, for example CN-T.",
        )
    return CarrierCode(text)


def registry_code(text: str) -> str:
    """Check the code of a licence or an international gateway: "A24-1", "GLOBAL-BEIJING". Raises Malformed."""
    if not 1 <= len(text) <= 32 or not _CODE_CHARACTERS.issuperset(text):
        raise Malformed(
            "not a code of the registry", expected="1 to 32 characters of A-Z, 0-9 and '-'", got=repr(text[:40])
        )
    return text


def ascii32(text: str) -> bytes:
    """Text as the contracts hold it: ASCII, left-aligned in 32 bytes. Raises Malformed."""
    if not text.isascii() or len(text) > 32 or "\0" in text:
        raise Malformed(
            "does not fit 32 bytes", expected="at most 32 ASCII characters without NUL", got=repr(text[:60])
        )
    return text.encode("ascii").ljust(32, b"\0")


def text_of_ascii32(raw: bytes) -> str:
    """The inverse of `ascii32`. Raises Malformed: whoever sends 32 bytes sends what it likes."""
    if not raw.isascii():
        raise Malformed("not ASCII text of 32 bytes", expected="ASCII, padded with NUL", got=raw.hex())
    return raw.rstrip(b"\0").decode("ascii")
