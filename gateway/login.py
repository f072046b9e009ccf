"""How does a carrier log in at a gateway, its own or another's? It signs what the gateway drew, and nothing else."""

from typing import Any

import httpx

from gateway.api.login.showing import read_challenge
from gateway.client import GatewayRefused, Json
from gateway.composition import domains_of
from gateway.keystore import KeyUse, open_key
from gateway.requests import LoginRequest
from gateway.settings import Settings
from gateway.signing import Signer
from ledger.chain.network import load_network
from ledger.errors import Malformed, SignatureRefused, Unavailable
from ledger.identity import CarrierCode, ascii32

TIMEOUT_SECONDS = 30.0
MAX_CHALLENGE_SECONDS = 600


def log_in(settings: Settings, password: str, audience: CarrierCode, url: str) -> Json:
    """A session at the audience's gateway, with its token. Raises SignatureRefused, GatewayRefused, Unavailable."""
    return log_in_as(signer_of(settings, password), settings.carrier, audience, url)


def signer_of(settings: Settings, password: str) -> Signer:
    """The word of a carrier whose home, with its keys, is on this machine. Raises NotFound, Malformed, Refused."""
    key = open_key(settings.keys_path, KeyUse.SIGNING, password)
    return Signer(settings.carrier, key, domains_of(load_network(settings.network_path)))


def log_in_as(signer: Signer, carrier: CarrierCode | None, audience: CarrierCode, url: str) -> Json:
    """Likewise with a signer at hand; without carrier as an auditor."""
    drawn = _asked("POST", f"{url}/v1/challenges", {"key": signer.address, "carrier": carrier})
    try:
        said: dict[str, Any] = drawn["challenge"]
        nonce = bytes.fromhex(str(said["nonce"]).removeprefix("0x"))
        given = read_challenge(
            said["audience"], said["carrier"], said["key"], nonce, said["issuedAt"], said["expiresAt"]
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("the gateway draws no challenge", got=str(drawn)[:200]) from None
    _check_ours(given, signer, carrier, audience)
    signature = f"0x{signer.sign(given).signature.hex()}"
    return _asked("POST", f"{url}/v1/sessions", {"challenge": said, "signature": signature})


def login_link(url: str, token: str) -> Json:
    """A link that opens a desk session in a browser, once."""
    return _asked("POST", f"{url}/v1/login-links", None, token)


def log_out(url: str, token: str) -> None:
    """End a session."""
    _asked("DELETE", f"{url}/v1/sessions/current", None, token)


def _check_ours(given: LoginRequest, signer: Signer, carrier: CarrierCode | None, audience: CarrierCode) -> None:
    """A gateway that means harm hands on another one's challenge: what is signed must name whom we log in at."""
    named = bytes(32) if carrier is None else ascii32(carrier)
    lives = given.expires_at - given.issued_at
    if (
        given.audience != ascii32(audience)
        or given.carrier != named
        or given.key != signer.address
        or not 0 < lives <= MAX_CHALLENGE_SECONDS
    ):
        raise SignatureRefused(
            "the gateway wants another challenge signed",
            expected=f"a challenge of {audience}'s gateway for {signer.address}",
            got=str(given.show()),
            todo="Check the address of the gateway; nothing was signed.",
        )


def _asked(method: str, url: str, body: object, token: str | None = None) -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            response = client.request(method, url, json=body, headers=headers)
            content: Json = response.json() if response.content else {}
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("the gateway does not answer", got=f"{url}: {error}", todo="gsc serve") from None
    if response.status_code >= 400:
        raise GatewayRefused(content)
    return content
