"""What do tests of the registry need? Grants and revocations of keys, signed."""

from dataclasses import replace
from typing import Any

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from tests.contracts.books import (
    CN,
    NEVER,
    Books,
    Carrier,
)

REGISTRY = "CarrierRegistry"
NEXT = Carrier("CN-T", keccak(b"CN-T, next key"))


def key_grant(**changes: Any) -> b.KeyGrant:
    return replace(b.KeyGrant(CN.id, NEXT.address, 0, 0, 1, NEVER), **changes)


def granted(books: Books, grant: b.KeyGrant, signer: Carrier = CN) -> bytes:
    return b.calldata_carrier_registry_grant_key(grant, books.signed(signer, grant, REGISTRY))


def revoked(books: Books, revocation: b.KeyRevocation, signer: Carrier = CN) -> bytes:
    return b.calldata_carrier_registry_revoke_key(revocation, books.signed(signer, revocation, REGISTRY))


def is_key(books: Books, carrier: Carrier, at: int) -> bool:
    call = b.calldata_carrier_registry_is_key_of(carrier.id, carrier.address, at)
    return b.result_carrier_registry_is_key_of(books.call(REGISTRY, call))
