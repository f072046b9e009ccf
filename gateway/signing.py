"""What may the carrier's key sign? Our frozen structs, each for the contract that reads it, and nothing else.

eth-account coerces what it is given ("no" becomes true, -5 becomes a bytes32): it never sees a claim of ours.
"""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from ledger.errors import Malformed
from ledger.identity import Address, CarrierCode
from ledger.typed_data import Domain, address_of_key, digest, recover, sign_digest


class Signed(NamedTuple):
    """A struct's EIP-712 digest and the carrier's signature over it."""

    digest: bytes
    signature: bytes


class Signer:
    """A carrier's word: holds the signing key and gives signatures, never the key."""

    __slots__ = ("_domains", "_key", "address", "carrier")

    def __init__(self, carrier: CarrierCode, key: bytes, domains: Mapping[type, Domain]) -> None:
        """`domains` names every struct class that may be signed, and the contract it is signed for."""
        for struct in domains:
            _check_class(struct)
        self.carrier = carrier
        self.address: Address = address_of_key(key)
        self._key = key
        self._domains = dict(domains)

    def sign(self, struct: object) -> Signed:
        """The digest and 65-byte signature of a struct. Raises Malformed for anything that is not one of ours."""
        over = self.digest(struct)
        return Signed(over, sign_digest(self._key, over))

    def digest(self, struct: object) -> bytes:
        """The 32 bytes that `sign` signs; for declarations the batch id. Raises Malformed."""
        domain = self._domains.get(type(struct))
        if domain is None:
            raise Malformed(
                "the signer takes only the generated structs",
                expected=" or ".join(sorted(each.__name__ for each in self._domains)),
                got=type(struct).__name__,
            )
        return digest(struct, domain)

    def signer_of(self, struct: object, signature: bytes) -> Address:
        """Whose key signed the struct. Raises SignatureRefused or Malformed."""
        return recover(self.digest(struct), signature)

    def __repr__(self) -> str:
        return f"Signer({self.carrier}, {self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer is not copied or stored: it holds a key")


def _check_class(struct: type) -> None:
    frozen = dataclasses.is_dataclass(struct) and struct.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert frozen and hasattr(struct, "EIP712_TYPE"), f"{struct.__name__} is not a frozen generated struct"
