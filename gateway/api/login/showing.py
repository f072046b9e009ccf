"""How does a challenge look as JSON, and how does it come back?"""

from gateway.api.login.challenge import NOBODY
from gateway.requests import LoginRequest
from ledger.chain.abi import address_of
from ledger.identity import Address, ascii32, carrier_code, text_of_ascii32


def show_challenge(given: LoginRequest) -> dict[str, str | int | None]:
    """A challenge as JSON; `read_challenge` takes it back."""
    return {
        "audience": text_of_ascii32(given.audience),
        "carrier": None if given.carrier == NOBODY else text_of_ascii32(given.carrier),
        "key": given.key,
        "nonce": _hex(given.nonce),
        "issuedAt": given.issued_at,
        "expiresAt": given.expires_at,
    }


def read_challenge(
    audience: str, carrier: str | None, key: str, nonce: bytes, issued_at: int, expires_at: int
) -> LoginRequest:
    """The struct behind a challenge's JSON. Raises Malformed."""
    named = NOBODY if carrier is None else ascii32(carrier_code(carrier))
    return LoginRequest(ascii32(carrier_code(audience)), named, key_of(key), nonce, issued_at, expires_at)


def key_of(text: str) -> Address:
    """An address in any case, checksummed. Raises Malformed."""
    return address_of(bytes.fromhex(text.removeprefix("0x")))


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
