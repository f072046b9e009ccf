"""How does a challenge look to a tool that signs EIP-712 data, and how does it come back?"""

from gateway.api.login.challenge import NOBODY
from gateway.requests import LoginRequest
from ledger.chain.abi import address_of
from ledger.identity import Address, ascii32, carrier_code, text_of_ascii32
from ledger.typed_data import Domain

_DOMAIN_FIELDS = (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"))
_FIELDS = (
    ("audience", "bytes32"),
    ("carrier", "bytes32"),
    ("key", "address"),
    ("nonce", "bytes32"),
    ("issuedAt", "uint64"),
    ("expiresAt", "uint64"),
)


def typed_data(given: LoginRequest, domain: Domain) -> dict[str, object]:
    """What `eth_signTypedData_v4` takes; it signs the very digest of `Domains.digest`."""
    told = (_hex(given.audience), _hex(given.carrier), given.key, _hex(given.nonce), given.issued_at, given.expires_at)
    return {
        "types": {"EIP712Domain": _named(_DOMAIN_FIELDS), "LoginRequest": _named(_FIELDS)},
        "primaryType": "LoginRequest",
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "message": {name: value for (name, _), value in zip(_FIELDS, told, strict=True)},
    }


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


def _named(fields: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields]


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
