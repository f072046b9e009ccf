"""How do carriers say to a stranger who sells what to whom, and which of two prices is higher, and nothing else?

All carriers of a round share a key that the neutral node does not have. Names of carriers and dial codes become keyed
hashes (HMAC-SHA256, RFC 2104). A price becomes a point of a random curve that only rises: of one code, equal prices
give equal points and a higher price a higher point, so that points can be compared and not read. The curve is drawn
afresh for each code and round, from the key; it is the order-preserving function of Boldyreva, Chenette, Lee and
O'Neill (Order-preserving symmetric encryption, Eurocrypt 2009), sampled digit by digit. What such points still tell
stands in docs/decisions/0008-rings-at-a-neutral-node.md, with the protocol.
"""

import hashlib
import hmac
from collections.abc import Callable

from ledger.errors import Malformed
from ledger.identity import CarrierCode

KEY_BYTES, TAG_BYTES, POINT_BYTES = 32, 16, 24
PRICE_BITS = 40
"""Prices of a minute in nanos: below 1,099 units of the currency."""
_LEVELS = PRICE_BITS // 4
_WEIGHT = 0xFFF


class Masks:
    """The names and curves of one round."""

    def __init__(self, key: bytes, round_name: str) -> None:
        """Raises Malformed for a key that is too short to hide anything."""
        if len(key) != KEY_BYTES:
            raise Malformed("not a round's key", expected=f"{KEY_BYTES} bytes", got=f"{len(key)} bytes")
        self._key = hmac.digest(key, f"gsc rings {round_name}".encode(), "sha256")

    def carrier(self, carrier: CarrierCode) -> bytes:
        """What stands for a carrier."""
        return self._tag(f"carrier {carrier}")

    def code(self, code: str) -> bytes:
        """What stands for a dial code."""
        return self._tag(f"code {code}")

    def curve(self, code: str) -> Callable[[int], bytes]:
        """From the price of a minute in nanos to its point, for one dial code. The function raises Malformed."""
        seed = hmac.digest(self._key, f"curve {code}".encode(), "sha256")
        known: dict[int, tuple[int, int]] = {1: (0, 1 << (8 * POINT_BYTES))}

        def point(nanos: int) -> bytes:
            if not 0 <= nanos < 1 << PRICE_BITS:
                raise Malformed("a price is out of bounds", expected=f"below 2^{PRICE_BITS} nanos a minute", got=nanos)
            return _stretch(seed, known, nanos)[0].to_bytes(POINT_BYTES, "big")

        return point

    def _tag(self, what: str) -> bytes:
        return hmac.digest(self._key, what.encode(), "sha256")[:TAG_BYTES]


def _stretch(seed: bytes, known: dict[int, tuple[int, int]], nanos: int) -> tuple[int, int]:
    """(begin, length) of a price's part of the range; each digit of 16 divides its part in 16 random ones.

    A part is never smaller than 2^-16 of its whole, so ten digits leave 2^32 of 2^192: no two prices meet.
    """
    path = 1
    for level in range(_LEVELS):
        digit = nanos >> (4 * (_LEVELS - 1 - level)) & 15
        if (path << 4 | digit) not in known:
            _divide(seed, known, path)
        path = path << 4 | digit
    return known[path]


def _divide(seed: bytes, known: dict[int, tuple[int, int]], path: int) -> None:
    begin, length = known[path]
    drawn = hashlib.blake2b(path.to_bytes(8, "big"), key=seed, digest_size=32).digest()
    weights = [1 + (int.from_bytes(drawn[2 * at : 2 * at + 2], "big") & _WEIGHT) for at in range(16)]
    total, before = sum(weights), 0
    for digit, weight in enumerate(weights):
        first, last = length * before // total, length * (before + weight) // total
        known[path << 4 | digit] = (begin + first, last - first)
        before += weight
