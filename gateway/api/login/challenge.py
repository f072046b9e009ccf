"""What does a key sign to log in? A challenge that the gateway drew and does not have to remember.

The nonce's second half is a keyed hash of all the rest, so a stranger who asks for a million challenges leaves no row
behind; a challenge that opened a session is remembered with it, and opens no second one.
"""

import hashlib
import hmac
import secrets

from gateway.requests import LoginRequest
from ledger.errors import SignatureRefused
from ledger.identity import Address, CarrierCode, ascii32

CHALLENGE_SECONDS = 120
HALF = 16
NOBODY = bytes(32)
"""In whose name an auditor logs in."""


def challenge_secret(operator_token: str) -> bytes:
    """What challenges are drawn with: a new operator's token makes the old ones worthless."""
    return hashlib.sha256(b"gsc login challenges\0" + operator_token.encode()).digest()


def draw_challenge(
    secret: bytes, audience: CarrierCode, carrier: CarrierCode | None, key: Address, now_s: int
) -> LoginRequest:
    """A challenge for a key, in a carrier's name or in nobody's. The same for those who exist and those who do not."""
    named = NOBODY if carrier is None else ascii32(carrier)
    drawn = LoginRequest(ascii32(audience), named, key, NOBODY, now_s, now_s + CHALLENGE_SECONDS)
    return _with_nonce(secret, drawn, secrets.token_bytes(HALF))


def check_challenge(secret: bytes, audience: CarrierCode, given: LoginRequest, now_s: int) -> None:
    """Raises SignatureRefused unless we drew the challenge, for ourselves, a moment ago."""
    drawn = _with_nonce(secret, given, given.nonce[:HALF])
    ours = hmac.compare_digest(drawn.nonce, given.nonce)
    if not ours or given.audience != ascii32(audience) or not given.issued_at <= now_s < given.expires_at:
        raise SignatureRefused(
            "the challenge is not one of ours, or too old",
            expected=f"one that {audience}'s gateway drew at most {CHALLENGE_SECONDS} s ago",
            todo="Ask for a new challenge and sign it.",
        )


def _with_nonce(secret: bytes, given: LoginRequest, random: bytes) -> LoginRequest:
    bare = LoginRequest(given.audience, given.carrier, given.key, NOBODY, given.issued_at, given.expires_at)
    mark = hmac.new(secret, random + bare.abi_encode(), hashlib.sha256).digest()[:HALF]
    return LoginRequest(given.audience, given.carrier, given.key, random + mark, given.issued_at, given.expires_at)
