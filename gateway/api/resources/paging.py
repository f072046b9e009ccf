"""Where does the next page begin? A cursor says so: opaque, signed, and good for the question it was drawn for.

It holds the place of the last row that was told, not a count of rows: what is added meanwhile moves nothing.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

from ledger.errors import NotFound

MARK_BYTES = 16
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000


def cursor_secret(operator_token: str) -> bytes:
    """What cursors are signed with."""
    return hashlib.sha256(b"gsc cursors\0" + operator_token.encode()).digest()


def draw_cursor(secret: bytes, question: str, place: str) -> str:
    """A cursor behind a place of the answer to a question."""
    said = json.dumps([hashlib.sha256(question.encode()).hexdigest()[:16], place], separators=(",", ":")).encode()
    return urlsafe_b64encode(_mark(secret, said) + said).decode().rstrip("=")


def read_cursor(secret: bytes, question: str, cursor: str) -> str:
    """The place. Raises NotFound for a cursor that we did not draw for this question."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) if cursor.isascii() else b""
        mark, said = raw[:MARK_BYTES], raw[MARK_BYTES:]
    except ValueError:
        raise _unknown() from None
    if not hmac.compare_digest(mark, _mark(secret, said)):
        raise _unknown()
    asked, place = json.loads(said)
    if asked != hashlib.sha256(question.encode()).hexdigest()[:16]:
        raise _unknown()
    return str(place)


def question_of(path: str, filters: Mapping[str, object]) -> str:
    """What is asked, without how much of it at once."""
    return f"{path}?{urlencode(sorted((name, str(value)) for name, value in filters.items() if value is not None))}"


def next_link(path: str, query: Mapping[str, str], cursor: str) -> str:
    """The header that leads to the next page."""
    return f'<{path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'


def _mark(secret: bytes, said: bytes) -> bytes:
    return hmac.new(secret, said, hashlib.sha256).digest()[:MARK_BYTES]


def _unknown() -> NotFound:
    return NotFound(
        "no page of this question begins at this cursor",
        expected="the cursor of a `Link: rel=next` header, with the same filters",
        todo="Begin again without cursor.",
    )
