"""Is what the pages load what was published, and does nothing else leave the folder?"""

import hashlib
import re
from pathlib import Path

from gateway.api.app import build_app
from gateway.desk.answering import HEADERS
from gateway.desk.assets import HTMX, STATIC
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

TEMPLATES = STATIC.parent / "templates"


def test_htmx_is_byte_for_byte_the_release_that_is_named_and_its_licence_lies_beside_it() -> None:
    raw = (STATIC / "htmx.min.js").read_bytes()

    assert hashlib.sha256(raw).hexdigest() == HTMX.sha256
    assert f'version:"{HTMX.release}"'.encode() in raw
    assert "Zero-Clause BSD" in (STATIC / HTMX.licence).read_text("utf-8")


def test_no_template_has_a_script_a_style_or_a_handler_of_its_own() -> None:
    """The policy would stop them; a page that needs one is broken."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path.name


def test_the_policy_lets_only_files_of_this_gateway_run() -> None:
    policy = HEADERS["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "form-action 'self'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)


def test_files_beside_the_assets_are_not_served(tmp_path: Path) -> None:
    gateway = lonely_gateway(tmp_path)
    browser = Browser(build_app(gateway))
    style, script = browser.get("/desk/static/style.css"), browser.get("/desk/static/htmx.min.js")
    refused = [
        browser.get(f"/desk/static/{name}").status_code
        for name in ("nothing.css", "htmx.LICENSE", "..%2fassets.py", "..%2f..%2fsettings.py")
    ]
    gateway.close()

    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert refused == [404] * 4
