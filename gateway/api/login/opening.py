"""How does a session begin? With a signed challenge, or with a code that is good once.

Who fails hears one sentence, whatever was wrong: an unknown carrier, a key of somebody else and a key that is revoked
look alike.
"""

import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.api.login.challenge import NOBODY, check_challenge
from gateway.api.login.session import hash_of
from gateway.composition import Gateway
from gateway.requests import LoginRequest
from ledger.chain.bindings import calldata_carrier_registry_is_key_of, result_carrier_registry_is_key_of
from ledger.errors import SignatureRefused
from ledger.identity import Address, CarrierCode, carrier_code, text_of_ascii32
from ledger.store.engine import reading, writing
from ledger.store.sessions import (
    GrantRow,
    SessionRow,
    forget_sessions,
    grant_of_key,
    record_grant,
    record_session,
    redeem_code,
)
from ledger.store.states import Role

TOKEN_MS = 3_600_000
"""A bearer token's hour."""
BROWSER_MS = 10 * 3_600_000
"""A desk's working day."""
LINK_MS = 120_000
"""How long a link for a browser waits to be opened."""
KEPT_MS = 24 * 3_600_000
"""How long a session that ran out is remembered: far longer than its challenge lived."""
DAY_MS = 24 * 3_600_000
MAX_GRANT_DAYS = 366


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, and the token that only its bearer knows."""

    token: str
    row: SessionRow


def open_by_signature(
    gateway: Gateway, secret: bytes, given: LoginRequest, signature: bytes, now_ms: int, life_ms: int = TOKEN_MS
) -> Opened:
    """A session for who signed our challenge. Raises SignatureRefused or Unavailable."""
    check_challenge(secret, gateway.carrier, given, now_ms // 1000)
    signer = gateway.signer.domains.signer_of(given, signature)
    if not hmac.compare_digest(signer.encode(), given.key.encode()):
        raise _refused()
    if given.carrier == NOBODY:
        return _open_auditor(gateway, given, now_ms, life_ms)
    carrier = carrier_code(text_of_ascii32(given.carrier))
    if not _is_registered(gateway, given):
        raise _refused()
    role = Role.DESK if carrier == gateway.carrier else Role.CARRIER
    return _opened(gateway, role, carrier, signer, given.nonce, None, now_ms, now_ms + life_ms)


def open_by_code(gateway: Gateway, code: str, now_ms: int, life_ms: int = TOKEN_MS) -> Opened:
    """A session for who shows a code of ours, once. Raises SignatureRefused."""
    with writing(gateway.engine) as connection:
        grant = redeem_code(connection, hash_of(code), now_ms)
    if grant is None:
        raise _refused()
    if grant.role is Role.DESK:
        return _opened(gateway, Role.DESK, gateway.carrier, grant.key, None, grant, now_ms, now_ms + life_ms)
    ends = min(now_ms + life_ms, grant.expires_at_ms)
    return _opened(gateway, grant.role, None, None, None, grant, now_ms, ends)


def draw_link(gateway: Gateway, key: Address | None, now_ms: int) -> tuple[str, GrantRow]:
    """A code that opens one desk session in a browser, good for two minutes; it ends with the key that asked."""
    return _draw_code(gateway.engine, Role.DESK, "browser", key, now_ms, now_ms + LINK_MS)


def grant_by_code(engine: Engine, label: str, days: int, now_ms: int) -> tuple[str, GrantRow]:
    """A code that lets an auditor in, once."""
    return _draw_code(engine, Role.AUDITOR, label, None, now_ms, now_ms + days * DAY_MS)


def grant_by_key(engine: Engine, label: str, key: Address, days: int, now_ms: int) -> GrantRow:
    """Let the holder of a key in as auditor, as often as it signs."""
    ends = now_ms + days * DAY_MS
    with writing(engine) as connection:
        return record_grant(
            connection, Role.AUDITOR, label, key=key, code_hash=None, granted_at_ms=now_ms, expires_at_ms=ends
        )


def _draw_code(
    engine: Engine, role: Role, label: str, key: Address | None, now_ms: int, ends_ms: int
) -> tuple[str, GrantRow]:
    code = secrets.token_urlsafe(24)
    hashed = hash_of(code)
    with writing(engine) as connection:
        return code, record_grant(
            connection, role, label, key=key, code_hash=hashed, granted_at_ms=now_ms, expires_at_ms=ends_ms
        )


def _open_auditor(gateway: Gateway, given: LoginRequest, now_ms: int, life_ms: int) -> Opened:
    with reading(gateway.engine) as connection:
        grant = grant_of_key(connection, given.key, now_ms)
    if grant is None:
        raise _refused()
    ends = min(now_ms + life_ms, grant.expires_at_ms)
    return _opened(gateway, Role.AUDITOR, None, None, given.nonce, grant, now_ms, ends)


def _is_registered(gateway: Gateway, given: LoginRequest) -> bool:
    """Whether the registry knows the key as the carrier's, on chain and now."""
    at = gateway.client.now_ms() // 1000
    asked = calldata_carrier_registry_is_key_of(given.carrier, given.key, at)
    return gateway.client.view(gateway.network.carrier_registry, asked, result_carrier_registry_is_key_of)


def _opened(
    gateway: Gateway,
    role: Role,
    carrier: CarrierCode | None,
    key: Address | None,
    nonce: bytes | None,
    grant: GrantRow | None,
    now_ms: int,
    ends_ms: int,
) -> Opened:
    token = f"gsc_{secrets.token_urlsafe(32)}"
    row = SessionRow(
        token_hash=hash_of(token),
        role=role,
        carrier=carrier,
        key=key,
        nonce=nonce,
        grant_id=grant.id if grant else None,
        opened_at_ms=now_ms,
        expires_at_ms=ends_ms,
        ended_at_ms=None,
    )
    with writing(gateway.engine) as connection:
        forget_sessions(connection, now_ms - KEPT_MS)
        if not record_session(connection, row):
            raise SignatureRefused("this challenge has opened a session before", todo="Ask for a new one and sign it.")
    return Opened(token, row)


def _refused() -> SignatureRefused:
    return SignatureRefused(
        "this opens no session",
        expected="a challenge signed by a key that the registry or our desk knows now, or an unused code",
        todo="Check carrier and key (`gsc doctor`), or ask the desk for a new code.",
    )
