"""Which session does a request bear? By token or by cookie; the operator's token is a desk session for scripts."""

import hmac
from typing import NamedTuple

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from gateway.api.login.session import Session, csrf_of, hash_of, session_of_row
from gateway.composition import Gateway
from ledger.identity import Address
from ledger.store.agreements import list_keys
from ledger.store.chain_log import checkpoint
from ledger.store.engine import reading
from ledger.store.sessions import session_of_hash
from ledger.store.states import Role

MAX_TOKEN_CHARACTERS = 200


class Borne(NamedTuple):
    """What a request showed."""

    token: str
    by_cookie: bool


class Found(NamedTuple):
    """A session, how it was shown, and the key whose revocation ends it."""

    session: Session
    borne: Borne
    key: Address | None


def cookie_name(gateway: Gateway) -> str:
    """Cookies know no ports: gateways side by side on one machine must not read each other's."""
    return f"gsc_session_{gateway.carrier}"


def borne_by(request: Request) -> Borne | None:
    """The token of the header, else of the cookie; who sends a header gets no second try by cookie."""
    gateway: Gateway = request.app.state.gateway
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, given = header.partition(" ")
        return Borne(given.strip(), by_cookie=False) if kind.lower() == "bearer" else None
    cookie = request.cookies.get(cookie_name(gateway))
    return None if cookie is None else Borne(cookie, by_cookie=True)


async def find_session(request: Request) -> Found | None:
    """The open session of a request, None for a stranger. The registry's word on its key counts anew each time."""
    borne = borne_by(request)
    if borne is None or not 0 < len(borne.token) <= MAX_TOKEN_CHARACTERS:
        return None
    gateway: Gateway = request.app.state.gateway
    known: str = request.app.state.token
    if not borne.by_cookie and hmac.compare_digest(hash_of(borne.token), hash_of(known)):
        return Found(Session(Role.DESK, gateway.carrier, None, csrf_of(known)), borne, None)
    return await run_in_threadpool(_logged_in, gateway, borne, request.app.state.clock.now_ms())


def _logged_in(gateway: Gateway, borne: Borne, now_ms: int) -> Found | None:
    with reading(gateway.engine) as connection:
        row = session_of_hash(connection, hash_of(borne.token))
        if row is None or not row.is_open(now_ms):
            return None
        if row.carrier is not None and row.key is not None:
            last = checkpoint(connection)
            chain_s = None if last is None else last.timestamp
            keys = [each for each in list_keys(connection, row.carrier) if each.key == row.key]
            if any(each.revoked_at is not None or _is_over(each.valid_until, chain_s) for each in keys):
                return None
    return Found(session_of_row(row, borne.token), borne, row.key)


def _is_over(valid_until: int | None, chain_s: int | None) -> bool:
    return valid_until is not None and chain_s is not None and valid_until <= chain_s
