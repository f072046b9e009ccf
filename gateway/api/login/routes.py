"""How does one log in over HTTP, and out again, and how does the desk let an auditor in?"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from gateway.api.guard import Anyone, Desk, found_of, require_desk
from gateway.api.login.challenge import draw_challenge
from gateway.api.login.failing import Failures
from gateway.api.login.models import (
    ChallengeBody,
    ChallengeTold,
    CodeBody,
    GrantBody,
    GrantTold,
    LinkTold,
    OpenedTold,
    SessionTold,
    SignatureBody,
)
from gateway.api.login.opening import (
    Opened,
    draw_link,
    grant_by_code,
    grant_by_key,
    open_by_code,
    open_by_signature,
)
from gateway.api.login.session import Session, csrf_of, hash_of
from gateway.api.login.showing import key_of, read_challenge, show_challenge
from gateway.api.times import utc_of_ms
from gateway.api.typed import typed_data
from gateway.composition import Gateway
from ledger.errors import Malformed, Refused
from ledger.identity import carrier_code
from ledger.store.engine import reading, writing
from ledger.store.sessions import GrantRow, end_grant, end_session, grant_of, list_access_grants
from ledger.store.states import Role

router = APIRouter(prefix="/v1", tags=["login"])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _now_ms(request: Request) -> int:
    now: int = request.app.state.clock.now_ms()
    return now


TheGateway = Annotated[Gateway, Depends(_gateway)]
Now = Annotated[int, Depends(_now_ms)]
GrantNumber = Annotated[int, Path(ge=1, lt=2**63)]


@router.post("/challenges", operation_id="post_challenge")
def post_challenge(body: ChallengeBody, request: Request, gateway: TheGateway, now_ms: Now) -> ChallengeTold:
    """Draw a challenge to sign. Nothing is kept, and nobody learns whether carrier and key are known."""
    carrier = None if body.carrier is None else carrier_code(body.carrier)
    secret: bytes = request.app.state.secret
    drawn = draw_challenge(secret, gateway.carrier, carrier, key_of(body.key), now_ms // 1000)
    digest = gateway.signer.digest(drawn)
    domain = gateway.network.domain("CarrierRegistry")
    return ChallengeTold(
        challenge=show_challenge(drawn), digest=f"0x{digest.hex()}", typedData=typed_data(drawn, domain)
    )


@router.post("/sessions", status_code=201, operation_id="post_session")
def post_session(body: SignatureBody | CodeBody, request: Request, gateway: TheGateway, now_ms: Now) -> OpenedTold:
    """Open a session with a signed challenge, or with a code of the desk's."""

    def opening() -> Opened:
        if isinstance(body, CodeBody):
            return open_by_code(gateway, body.code, now_ms)
        said = body.challenge
        given = read_challenge(said.audience, said.carrier, said.key, said.nonce, said.issuedAt, said.expiresAt)
        return open_by_signature(gateway, request.app.state.secret, given, body.signature, now_ms)

    opened = attempted(request, opening)
    return OpenedTold(
        role=opened.row.role.value,
        carrier=opened.row.carrier,
        expiresAt=utc_of_ms(opened.row.expires_at_ms),
        csrf=csrf_of(opened.token),
        token=opened.token,
    )


def attempted(request: Request, opening: Callable[[], Opened]) -> Opened:
    """Try to log in; who fails too often waits. Raises TooManyAttempts."""
    failures: Failures = request.app.state.failures
    address = request.client.host if request.client else ""
    now_ms = _now_ms(request)
    failures.check(address, now_ms)
    try:
        return opening()
    except (Refused, Malformed):
        failures.count(address, now_ms)
        raise


@router.get("/sessions/current", operation_id="get_session")
def get_session(session: Anyone) -> SessionTold:
    """Who am I?"""
    return told(session)


@router.delete("/sessions/current", status_code=204, operation_id="delete_session")
async def delete_session(request: Request, session: Anyone) -> Response:
    """Log out. The operator's token is not a login and stays."""
    await log_out(request)
    return Response(status_code=204)


async def log_out(request: Request) -> None:
    """End the request's session, if it bears one."""
    found = await found_of(request)
    if found is not None:
        with writing(_gateway(request).engine) as connection:
            end_session(connection, hash_of(found.borne.token), _now_ms(request))


@router.post("/login-links", status_code=201, operation_id="post_link")
async def post_link(request: Request, session: Desk, gateway: TheGateway, now_ms: Now) -> LinkTold:
    """A link for our desk's browser: opens one session within two minutes."""
    found = await found_of(request)
    code, grant = draw_link(gateway, found.key if found else None, now_ms)
    base = str(request.base_url).rstrip("/")
    return LinkTold(href=f"{base}/login?code={code}", expiresAt=utc_of_ms(grant.expires_at_ms))


@router.get("/access-grants", dependencies=[Depends(require_desk)], operation_id="grants")
def get_grants(gateway: TheGateway, now_ms: Now) -> list[GrantTold]:
    """Whom the desk let in."""
    with reading(gateway.engine) as connection:
        return [_grant_told(row, now_ms) for row in list_access_grants(connection, Role.AUDITOR)]


@router.post("/access-grants", status_code=201, dependencies=[Depends(require_desk)], operation_id="post_grant")
def post_grant(body: GrantBody, gateway: TheGateway, now_ms: Now) -> GrantTold:
    """Let an auditor in, who reads everything and writes nothing."""
    if body.key is not None:
        return _grant_told(grant_by_key(gateway.engine, body.label, key_of(body.key), body.days, now_ms), now_ms)
    code, row = grant_by_code(gateway.engine, body.label, body.days, now_ms)
    return _grant_told(row, now_ms, code)


@router.get("/access-grants/{grant_id}", dependencies=[Depends(require_desk)], operation_id="get_grant")
def get_grant(grant_id: GrantNumber, gateway: TheGateway, now_ms: Now) -> GrantTold:
    """One grant."""
    with reading(gateway.engine) as connection:
        return _grant_told(grant_of(connection, grant_id), now_ms)


@router.delete(
    "/access-grants/{grant_id}", status_code=204, dependencies=[Depends(require_desk)], operation_id="delete_grant"
)
def delete_grant(grant_id: GrantNumber, gateway: TheGateway, now_ms: Now) -> Response:
    """Take a grant back, with every session it opened."""
    with writing(gateway.engine) as connection:
        grant_of(connection, grant_id)
        end_grant(connection, grant_id, now_ms)
    return Response(status_code=204)


def told(session: Session) -> SessionTold:
    """A session as JSON."""
    ends = None if session.expires_at_ms is None else utc_of_ms(session.expires_at_ms)
    return SessionTold(role=session.role.value, carrier=session.carrier, expiresAt=ends, csrf=session.csrf)


def _grant_told(row: GrantRow, now_ms: int, code: str | None = None) -> GrantTold:
    return GrantTold(
        id=str(row.id),
        href=f"/v1/access-grants/{row.id}",
        label=row.label,
        state=row.state(now_ms),
        key=row.key,
        grantedAt=utc_of_ms(row.granted_at_ms),
        expiresAt=utc_of_ms(row.expires_at_ms),
        code=code,
    )
