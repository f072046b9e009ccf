"""Who speaks, and what may they see? One small value for every route and every page."""

import hashlib
import hmac
from dataclasses import dataclass

from ledger.identity import CarrierCode
from ledger.store.sessions import SessionRow
from ledger.store.states import Role


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    role: Role
    carrier: CarrierCode | None
    """Ours for the desk, the other one for a carrier, None for an auditor."""
    expires_at_ms: int | None
    """None: as long as the operator's token stands, or for an open reader on this machine."""
    csrf: str
    """What a form, or an `X-CSRF-Token` header, says beside a cookie; empty for an open reader."""
    grant_id: int | None = None
    """By which word of the desk an auditor is here."""

    @property
    def writes(self) -> bool:
        """Whether this is our own desk."""
        return self.role is Role.DESK

    def sees(self, partner: CarrierCode) -> bool:
        """Whether it may see what is between us and that partner."""
        return self.role is not Role.CARRIER or self.carrier == partner


OPEN_READER = Session(Role.AUDITOR, None, None, "")
"""A browser on this machine, where the settings let it read without login."""


def session_of_row(row: SessionRow, token: str) -> Session:
    """An open session as routes know it."""
    return Session(row.role, row.carrier, row.expires_at_ms, csrf_of(token), row.grant_id)


def hash_of(token: str) -> bytes:
    """What the store keeps of a token or a code: 32 bytes, which nobody can turn back into its 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def csrf_of(token: str) -> str:
    """The session's word against forged forms: follows from its token, tells nothing of it."""
    return hmac.new(token.encode("utf-8", "surrogateescape"), b"gsc forms", hashlib.sha256).hexdigest()
