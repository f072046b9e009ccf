"""What does a problem's type resolve to? A page of docs/problems, for people as HTML, for programs as it is written."""

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathText
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from gateway.api.guard import no_such_resource

router = APIRouter(include_in_schema=False)
_HERE = Path(__file__).resolve()
FOLDERS = (_HERE.parent / "problem_pages", _HERE.parent.parent.parent / "docs" / "problems")
"""In an installed package, and in a source checkout."""
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "max-age=3600",
}
_STYLE = (
    "body{font:16px/1.55 system-ui,sans-serif;max-width:42rem;margin:8vh auto;padding:0 1rem}code{background:#eef2f6}"
)


@router.get("/problems/{slug}")
def get_page(request: Request, slug: Annotated[str, PathText(max_length=80, pattern=SLUG)]) -> Response:
    """The page of one kind of problem."""
    text = page_text(slug)
    if text is None:
        raise no_such_resource()
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(text, media_type="text/markdown", headers={"Cache-Control": "max-age=3600"})
    title = escape(text.partition("\n")[0].removeprefix("# "))
    html = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>{_html(text)}"
    )
    return HTMLResponse(html, headers=HEADERS)


@cache
def page_text(slug: str) -> str | None:
    """A page as it is written, None if there is none."""
    for folder in FOLDERS:
        path = folder / f"{slug}.md"
        if path.is_file():
            return path.read_text("utf-8")
    return None


def _html(text: str) -> str:
    """Headings, lists, paragraphs and code: all that these pages use."""
    return "".join(_block(block) for block in re.split(r"\n{2,}", text.strip()))


def _block(block: str) -> str:
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(block, quote=False))
    if said.startswith("#"):
        marks, _, title = said.partition(" ")
        return f"<h{len(marks)}>{title}</h{len(marks)}>"
    if said.startswith("- "):
        return "<ul>" + "".join(f"<li>{line.removeprefix('- ')}</li>" for line in said.splitlines()) + "</ul>"
    return f"<p>{said}</p>"
