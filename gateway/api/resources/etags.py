"""Has somebody changed it meanwhile? Every resource has an ETag of what it says; a change names the one it saw."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from gateway.api.problems import PreconditionFailed, PreconditionRequired


def etag_of(told: Mapping[str, Any]) -> str:
    """A strong ETag: equal if and only if every member is."""
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return f'"{hashlib.sha256(canonical).hexdigest()[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the caller has this already (If-None-Match)."""
    return _names(request.headers.get("if-none-match"), etag)


def check_unchanged(request: Request, etag: str, what: str) -> None:
    """Raises PreconditionRequired without If-Match, PreconditionFailed if it names another state."""
    given = request.headers.get("if-match")
    if given is None:
        raise PreconditionRequired(
            "a change must name the state that it was decided on",
            expected="If-Match with the ETag of the resource",
            todo=f"GET {what}, look at it, and send its ETag along.",
        )
    if not _names(given, etag):
        raise PreconditionFailed(
            "the resource has changed meanwhile",
            expected=etag,
            got=given[:80],
            todo=f"GET {what} and decide anew; nothing was done.",
        )


def _names(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in header.split(",")]
