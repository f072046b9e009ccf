"""What may the carrier's key sign? Our frozen structs, each for the contract that reads it, and nothing else.

eth-account coerces what it is given ("no" becomes true, -5 becomes a bytes32): it never sees a claim of ours.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ledger.chain.bound import Struct
from ledger.errors import Malformed, SignatureRefused
from ledger.identity import Address, CarrierCode
from ledger.typed_data import Domain, address_of_key, digest, recover, sign_digest


class Signed(NamedTuple):
    """A struct's EIP-712 digest and the carrier's signature over it."""

    digest: bytes
    signature: bytes


class Domains:
    """Which contract each struct is signed for: the one table both our signer and our checks of peers use."""

    __slots__ = ("_domains",)

    def __init__(self, domains: Mapping[type[Struct], Domain]) -> None:
        for struct in domains:
            assert issubclass(struct, Struct), f"{struct.__name__} is not a generated struct"
        self._domains = dict(domains)

    def digest(self, struct: object) -> bytes:
        """The 32 bytes that a carrier signs; for a declaration its batch id. Raises Malformed for foreign types."""
        domain = self._domains.get(type(struct))  # type: ignore[arg-type]
        if domain is None or not isinstance(struct, Struct):
            raise Malformed(
                "the signer takes only the generated structs",
                expected=" or ".join(sorted(each.__name__ for each in self._domains)),
                got=type(struct).__name__,
            )
        return digest(struct, domain)

    def signer_of(self, struct: object, signature: bytes) -> Address:
        """Whose key signed the struct. Raises SignatureRefused or Malformed."""
        return recover(self.digest(struct), signature)


class Signer:
    """A carrier's word: holds the signing key and gives signatures, never the key."""

    __slots__ = ("_key", "address", "carrier", "domains")

    def __init__(self, carrier: CarrierCode, key: bytes, domains: Domains) -> None:
        self.carrier = carrier
        self.domains = domains
        self.address: Address = address_of_key(key)
        self._key = key

    def sign(self, struct: object) -> Signed:
        """The digest and 65-byte signature of a struct. Raises Malformed for anything that is not one of ours."""
        over = self.domains.digest(struct)
        return Signed(over, sign_digest(self._key, over))

    def digest(self, struct: object) -> bytes:
        """The 32 bytes that `sign` signs. Raises Malformed."""
        return self.domains.digest(struct)

    def __repr__(self) -> str:
        return f"Signer({self.carrier}, {self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer is not copied or stored: it holds a key")


def refuse_signer(what: str, expected: object, got: object) -> SignatureRefused:
    """The refusal of a signature whose key is not one of the named carrier's."""
    return SignatureRefused(what, expected=expected, got=got, todo="Sign with a key the registry knows as valid now.")
