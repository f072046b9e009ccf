"""How do records travel inside a transaction? 48 bytes each, from which the contract computes the same leaves.

Everything in a transaction is public for ever: parties are keyed hashes of 16 bytes, and the salt, which would hide
nothing, is zero. Layout: contracts/base/InlineRecords.sol.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.errors import Malformed
from ledger.sealing import MOST_INLINE, NO_SALT, PARTY_BYTES, LeafValues

MOST_ROUTES = 256


class PackedRecords(NamedTuple):
    """What `declareInline` takes besides header and signature."""

    routes: tuple[bytes, ...]
    """Each route once, 32 bytes, in the order of first use."""
    records: bytes
    """48 bytes a record, in leaf order."""


def pack_records(leaves: Sequence[LeafValues], from_ms: int) -> PackedRecords:
    """Pack records of a batch whose first event is at `from_ms`. Raises Malformed if one does not fit its bytes."""
    if len(leaves) > MOST_INLINE:
        raise Malformed("too many records for an inline declaration", expected=MOST_INLINE, got=len(leaves))
    places = {route: place for place, route in enumerate(dict.fromkeys(leaf.route for leaf in leaves))}
    if len(places) > MOST_ROUTES:
        raise Malformed("too many routes for an inline declaration", expected=MOST_ROUTES, got=len(places))
    packed = [_pack(leaf, index, from_ms, places[leaf.route]) for index, leaf in enumerate(leaves)]
    return PackedRecords(tuple(places), b"".join(packed))


def _pack(leaf: LeafValues, index: int, from_ms: int, route: int) -> bytes:
    if leaf.index != index or leaf.salt != NO_SALT:
        raise Malformed(
            "an inline record has its place as index and no salt", expected=index, got=(leaf.index, leaf.salt.hex())
        )
    numbers = (
        _whole(leaf.start_ms - from_ms, 4, "start")
        + _whole(leaf.quantity, 5, "quantity")
        + _whole(leaf.amount_micros, 6, "amount")
        + bytes([route])
    )
    return _party(leaf.a_party) + _party(leaf.b_party) + numbers


def _party(word: bytes) -> bytes:
    if any(word[PARTY_BYTES:]):
        raise Malformed("an inline party is a keyed hash of 16 bytes, left-aligned", got=f"0x{word.hex()}")
    return word[:PARTY_BYTES]


def _whole(value: int, size: int, name: str) -> bytes:
    if not 0 <= value < 1 << 8 * size:
        raise Malformed(f"the {name} of an inline record does not fit", expected=f"{size} bytes", got=value)
    return value.to_bytes(size, "big")
