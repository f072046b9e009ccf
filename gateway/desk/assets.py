"""Which files do pages load? Style sheets, scripts and nothing else, all from this folder."""

from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from ledger.errors import NotFound

STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}


class Vendored(NamedTuple):
    """A file that others wrote: where it is from, which release, and the SHA-256 of what is here."""

    package: str
    release: str
    path: str
    sha256: str
    licence: str


HTMX = Vendored(
    package="htmx.org (npm)",
    release="2.0.11",
    path="dist/htmx.min.js",
    sha256="d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    licence="htmx.LICENSE",
)
"""static/htmx.min.js, byte for byte as published."""

router = APIRouter(prefix="/desk/static", include_in_schema=False)


@router.get("/{name}")
def get_static(name: str) -> Response:
    """A style sheet or a script. They say nothing of anybody, so they need no login. Raises NotFound."""
    path = STATIC / name
    known = {each.name for each in STATIC.iterdir() if each.suffix in _MEDIA_TYPES}
    if name not in known:
        raise NotFound("no such file", expected=", ".join(sorted(known)), got=name)
    return Response(
        path.read_bytes(),
        media_type=_MEDIA_TYPES[path.suffix],
        headers={"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"},
    )
