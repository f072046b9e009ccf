"""Who is logged in, and whom did the desk let in? Tokens and codes stand here as hashes only."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from ledger.errors import NotFound
from ledger.identity import Address, CarrierCode
from ledger.store.engine import lock
from ledger.store.rows import all_of, one_of
from ledger.store.states import Role
from ledger.store.tables import access_grants, sessions


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; `token_hash` is the SHA-256 of what its bearer shows."""

    token_hash: bytes
    role: Role
    carrier: CarrierCode | None
    key: Address | None
    """Whose revocation ends it."""
    nonce: bytes | None
    """Of the challenge that opened it."""
    grant_id: int | None
    opened_at_ms: int
    expires_at_ms: int
    ended_at_ms: int | None

    def is_open(self, now_ms: int) -> bool:
        """Neither ended nor run out."""
        return self.ended_at_ms is None and now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True)
class GrantRow:
    """The desk's word that somebody may log in: the holder of a key, or who shows a code once."""

    id: int
    role: Role
    label: str
    key: Address | None
    """With a code: the key of the session that gave it out."""
    code_hash: bytes | None
    granted_at_ms: int
    expires_at_ms: int
    used_at_ms: int | None
    ended_at_ms: int | None

    def state(self, now_ms: int) -> Literal["open", "used", "ended", "expired"]:
        """Open, unless it was taken back, has run out, or is a code that was used."""
        if self.ended_at_ms is not None:
            return "ended"
        if self.code_hash is not None and self.used_at_ms is not None:
            return "used"
        return "open" if now_ms < self.expires_at_ms else "expired"

    def is_open(self, now_ms: int) -> bool:
        """Whether somebody may still log in by it."""
        return self.state(now_ms) == "open"


def record_session(connection: Connection, row: SessionRow) -> bool:
    """Keep a session; False if its challenge has opened one before."""
    if row.nonce is not None:
        lock(connection, f"login {row.nonce.hex()}")
        if connection.execute(select(sessions.c.nonce).where(sessions.c.nonce == row.nonce)).one_or_none():
            return False
    names = SessionRow.__dataclass_fields__
    connection.execute(insert(sessions).values({name: getattr(row, name) for name in names}))
    return True


def session_of_hash(connection: Connection, token_hash: bytes) -> SessionRow | None:
    """The session of a token, open or not."""
    found = connection.execute(select(sessions).where(sessions.c.token_hash == token_hash)).one_or_none()
    return None if found is None else one_of(SessionRow, found)


def end_session(connection: Connection, token_hash: bytes, now_ms: int) -> None:
    """End a session; one that has ended stays as it is."""
    _end_sessions(connection, sessions.c.token_hash == token_hash, now_ms)


def forget_sessions(connection: Connection, expired_before_ms: int) -> int:
    """Drop what ran out before a time; how many. A challenge must be worthless long before."""
    return connection.execute(delete(sessions).where(sessions.c.expires_at_ms < expired_before_ms)).rowcount


def record_grant(
    connection: Connection,
    role: Role,
    label: str,
    *,
    key: Address | None,
    code_hash: bytes | None,
    granted_at_ms: int,
    expires_at_ms: int,
) -> GrantRow:
    """Keep a grant."""
    who = {"role": role, "label": label, "key": key, "code_hash": code_hash}
    when = {"granted_at_ms": granted_at_ms, "expires_at_ms": expires_at_ms}
    made = connection.execute(insert(access_grants).values(who | when)).inserted_primary_key
    assert made is not None
    return grant_of(connection, made[0])


def grant_of(connection: Connection, grant_id: int) -> GrantRow:
    """One grant. Raises NotFound."""
    found = connection.execute(select(access_grants).where(access_grants.c.id == grant_id)).one_or_none()
    if found is None:
        raise NotFound("no such grant", got=grant_id, todo="See `gsc auditor list`.")
    return one_of(GrantRow, found)


def list_access_grants(connection: Connection, role: Role) -> list[GrantRow]:
    """Every grant of a role, oldest first."""
    query = select(access_grants).where(access_grants.c.role == role).order_by(access_grants.c.id)
    return all_of(GrantRow, connection.execute(query))


def grant_of_key(connection: Connection, key: Address, now_ms: int) -> GrantRow | None:
    """The open grant by which a key's holder may log in, the latest if there are more."""
    named = (access_grants.c.key == key) & access_grants.c.code_hash.is_(None)
    rows = connection.execute(select(access_grants).where(named).order_by(access_grants.c.id.desc()))
    return next((row for row in all_of(GrantRow, rows) if row.is_open(now_ms)), None)


def redeem_code(connection: Connection, code_hash: bytes, now_ms: int) -> GrantRow | None:
    """Use up a code: its grant, or None if there is no such code, or not any more."""
    lock(connection, f"code {code_hash.hex()}")
    found = connection.execute(select(access_grants).where(access_grants.c.code_hash == code_hash)).one_or_none()
    grant = None if found is None else one_of(GrantRow, found)
    if grant is None or not grant.is_open(now_ms):
        return None
    connection.execute(update(access_grants).where(access_grants.c.id == grant.id).values(used_at_ms=now_ms))
    return grant


def end_grant(connection: Connection, grant_id: int, now_ms: int) -> None:
    """Take a grant back, with every session it opened."""
    still = access_grants.c.ended_at_ms.is_(None)
    connection.execute(update(access_grants).where((access_grants.c.id == grant_id) & still).values(ended_at_ms=now_ms))
    _end_sessions(connection, sessions.c.grant_id == grant_id, now_ms)


def _end_sessions(connection: Connection, which: ColumnElement[bool], now_ms: int) -> None:
    connection.execute(update(sessions).where(which & sessions.c.ended_at_ms.is_(None)).values(ended_at_ms=now_ms))
