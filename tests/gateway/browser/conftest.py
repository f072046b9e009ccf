"""What do tests in a browser share? One pair of served gateways, one Chromium, and a clerk who is logged in.

They end with this folder: while Playwright runs, no other loop may in this process, and other tests have loops.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from gateway.api.login.opening import draw_link
from gateway.composition import SystemClock
from ledger.store.engine import writing
from ledger.store.webhooks import add_webhook
from tests.gateway.browser.chromium import Watched, started
from tests.gateway.desk.test_webhooks import webhook
from tests.gateway.disputed import Served, served_pair
from tests.scenarios.gateways import CN_T


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="package")
def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Only where there is a browser to look at them."""
    with served_pair(tmp_path_factory.mktemp("served")) as pair:
        with writing(pair[CN_T].engine) as connection:
            add_webhook(connection, webhook(1, disabled_at_ms=1, last_failure="no answer", last_failure_at_ms=1))
        yield pair


@pytest.fixture(scope="package")
def clerk(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """CN-T's clerk, who followed the link that `gsc login --browser` prints."""
    context = chromium.new_context(base_url=served.url(CN_T), locale="en-GB", viewport={"width": 1280, "height": 900})
    code, _ = draw_link(served[CN_T], None, SystemClock().now_ms())
    page = context.new_page()
    page.goto(f"/login?code={code}")
    page.locator("main button").click()
    page.wait_for_url("**/desk")
    page.close()
    yield context
    context.close()


@pytest.fixture
def watched(clerk: BrowserContext) -> Iterator[Watched]:
    """A new page of the clerk's; at its end nothing may have gone wrong on it unseen."""
    page = Watched(clerk.new_page())
    yield page
    page.page.close()
    assert page.noises == []
