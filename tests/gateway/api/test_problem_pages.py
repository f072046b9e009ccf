"""Has every problem a page that says what to do next, and does its type lead there?"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import deploy
import gateway as gateway_package
import ledger
import reconciliation
from gateway.api.app import build_app
from gateway.api.problem_pages import page_text
from gateway.composition import Gateway
from ledger.errors import GscError
from scripts.problem_pages import FOLDER, pages
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

OF_HTTP = {"too-large": 413, "method-not-allowed": 405, "our-mistake": 500}
"""Problems that are no exceptions of ours."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


def statuses() -> dict[str, set[int]]:
    """Every slug of the packages, with its statuses."""
    for package in (deploy, gateway_package, ledger, reconciliation):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found: dict[str, set[int]] = {slug: {status} for slug, status in OF_HTTP.items()}
    waiting = [GscError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not GscError and not kind.__module__.startswith("tests."):
            found.setdefault(kind.slug, set()).add(kind.status)
    return found


def test_every_error_has_a_page_with_its_status_and_what_to_do_next() -> None:
    known = statuses()

    assert len(known) > 150
    for slug, of in known.items():
        text = page_text(slug) or ""
        assert text.startswith(f"# {slug.replace('-', ' ').capitalize()}\n"), f"docs/problems/{slug}.md"
        assert any(f"`{slug}`, HTTP status {status}\n" in text for status in of), slug
        assert "\n## What to do next\n\n- " in text, slug
    assert {path.stem for path in FOLDER.glob("*.md")} == known.keys(), "a page of no problem"


def test_pages_of_the_contracts_refusals_are_as_their_bindings_say() -> None:
    """`python -m scripts.problem_pages` writes them."""
    for slug, text in pages().items():
        assert page_text(slug) == text, slug


def test_the_type_of_a_problem_resolves_for_people_and_for_programs(gateway: Gateway) -> None:
    browser = Browser(build_app(gateway), "http://gateway.example")
    problem = browser.get("/v1/payable").json()

    page = browser.get(problem["type"], {"Accept": "text/html"})
    raw = browser.get(problem["type"])

    assert (page.status_code, raw.status_code) == (200, 200)
    assert "<h1>Not signed in</h1>" in page.text
    assert "<code>gsc login</code>" in page.text
    assert raw.text == page_text("not-signed-in")


@pytest.mark.parametrize("slug", ["nothing", "..%2F..%2FREADME", "%00", "A", "x" * 200, "malformed.md"])
def test_what_is_no_problem_has_no_page(gateway: Gateway, slug: str) -> None:
    browser = Browser(build_app(gateway), "http://gateway.example")

    answer = browser.get(f"/problems/{slug}")

    assert answer.status_code in (404, 422)
    assert "gsc" not in answer.text or answer.headers["content-type"] == "application/problem+json"
