"""Can everybody use every page? axe-core finds nothing serious in either language, and no rule of a page is broken."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.gateway.browser.chromium import Watched
from tests.gateway.browser.places import pages_of
from tests.gateway.disputed import Served

pytestmark = [pytest.mark.chain, pytest.mark.browser]
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def faults_of(watched: Watched) -> list[str]:
    """What axe-core finds serious on the page as it is. It is put in by the driver, which no policy of a page stops."""
    watched.page.evaluate(f"() => {{ {AXE.read_text('utf-8')}; window.axe = window.axe || axe; }}")
    found = watched.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def test_a_picture_without_words_is_found(watched: Watched) -> None:
    watched.page.goto("/desk")
    watched.page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")

    assert any(fault.startswith("button-name") for fault in faults_of(watched))


def test_axe_finds_nothing_serious_on_any_page_in_either_language(clerk: BrowserContext, served: Served) -> None:
    faults: dict[str, list[str]] = {}
    with ThreadPoolExecutor(1) as apart:  # this thread has a loop of Playwright's
        pages = apart.submit(pages_of, served).result()
    for path in pages:
        for language in ("en", "zh"):
            watched = Watched(clerk.new_page())
            watched.page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
            found = faults_of(watched) + [each for each in watched.noises if "404" not in each]
            watched.page.close()
            if found:
                faults[f"{path} {language}"] = found

    assert faults == {}
    assert len(pages) > 15
