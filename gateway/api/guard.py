"""Who may call? Dependencies of routes and pages: whose session, may it read, may it write."""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from gateway.api.login.bearing import Found, find_session
from gateway.api.login.session import OPEN_READER, Session
from gateway.api.problems import ForgedForm, NotForThisRole, NotSignedIn
from gateway.composition import Gateway
from ledger.errors import NotFound
from ledger.store.states import Role

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of a request that came through somebody: its caller is not on this machine, whatever the address says."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
_BEARER = HTTPBearer(scheme_name="token", auto_error=False)
_COOKIE = APIKeyCookie(name="gsc_session", scheme_name="cookie", auto_error=False)
Shown = Annotated[object, Security(_BEARER)]
ShownByCookie = Annotated[object, Security(_COOKIE)]
"""For OpenAPI only: what a request bears is read in one place, `find_session`."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def session_of(request: Request) -> Session | None:
    """Whose session this is, None for a stranger. Raises ForgedForm if a write by cookie may be another page's."""
    found = await found_of(request)
    return None if found is None else found.session


async def require_session(request: Request, _: Shown = None, __: ShownByCookie = None) -> Session:
    """Anybody who is logged in, other carriers too: what they see is for the route to say (`Session.sees`).

    An open reader of this machine counts as an auditor. Raises NotSignedIn, ForgedForm.
    """
    session = await session_of(request)
    if session is not None:
        return session
    if request.method in SAFE_METHODS and _reads_openly(request):
        return OPEN_READER
    raise _not_signed_in()


async def require_reader(request: Request, _: Shown = None, __: ShownByCookie = None) -> Session:
    """Our desk, an auditor, or an open reader. Another carrier hears what it would hear if there were nothing."""
    session = await require_session(request)
    if session.role is Role.CARRIER:
        raise no_such_resource()
    return session


async def require_desk(request: Request, _: Shown = None, __: ShownByCookie = None) -> Session:
    """Our desk. Raises NotSignedIn, NotForThisRole, ForgedForm."""
    session = await session_of(request)
    if session is None:
        raise _not_signed_in()
    if not session.writes:
        raise NotForThisRole(
            "only our own desk may do this",
            expected="a session of the role desk",
            got=f"one of the role {session.role}",
            todo="Log in with this carrier's own key: gsc login.",
        )
    return session


async def found_of(request: Request) -> Found | None:
    """The session with the token that bears it; looked up once for a request."""
    if not hasattr(request.state, "found"):
        found = await find_session(request)
        if found is not None and found.borne.by_cookie and request.method not in SAFE_METHODS:
            await _check_own_page(request, found.session)
        request.state.found = found
    known: Found | None = request.state.found
    return known


def no_such_resource() -> NotFound:
    """What stands nowhere, and what a caller may not see: one answer for both."""
    return NotFound("no such resource", todo="See /openapi.json for what there is.")


async def _check_own_page(request: Request, session: Session) -> None:
    """A browser sends the cookie with forms of other pages too: a write must come from a page of ours and say so."""
    origin = request.headers.get("origin", "")
    same = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != ""
    if not same or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForgedForm(
            "the request comes from another page", expected="a page of this gateway", got=repr(origin[:80])
        )
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(FORMS):
        said = (await request.form()).get(CSRF_FIELD)
        given = said if isinstance(said, str) else None
    if given is None or not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise ForgedForm(
            "the form does not bear its session's mark",
            expected=f"the session's csrf in the field {CSRF_FIELD} or the header {CSRF_HEADER}",
            todo="Load the page again and send it from there.",
        )


def _reads_openly(request: Request) -> bool:
    """A browser on this machine that asks by a local name, so that no page elsewhere can by one it made up.

    Who shows a token that is none, or over, hears so: it would see more than its session did.
    """
    gateway: Gateway = request.app.state.gateway
    host = request.headers.get("host", "").rsplit(":", 1)[0].lower()
    client = request.client.host if request.client else ""
    proxied = any(name in request.headers for name in PROXIED)
    local = host in LOCAL_HOSTS and client in LOCAL_HOSTS and not proxied
    return gateway.settings.desk.open_on_loopback and local and "authorization" not in request.headers


def _not_signed_in() -> NotSignedIn:
    return NotSignedIn(
        "nobody is logged in",
        expected="Authorization: Bearer with a token of `gsc login`, or the cookie of a browser",
        todo="Log in with `gsc login`, in a browser with `gsc login --browser`.",
    )


Desk = Annotated[Session, Depends(require_desk)]
Reader = Annotated[Session, Depends(require_reader)]
Anyone = Annotated[Session, Depends(require_session)]
