"""Do keys work as the help says, and does reading work without any script?"""

import pytest
from playwright.sync_api import Browser, expect

from tests.gateway.browser.chromium import Watched
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

pytestmark = [pytest.mark.chain, pytest.mark.browser]
RECORDS = "/desk/statements/GB-B/2026-10/records?creditor=GB-B"


def test_slash_searches_j_and_k_walk_the_rows_and_enter_opens_one(watched: Watched) -> None:
    page = watched.page
    page.goto(RECORDS)
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("j+442070006101")
    page.keyboard.press("Escape")
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)

    expect(page.locator("tr.here td a").first).to_have_text("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/GB-B/voice/2*")


def test_g_and_a_letter_go_to_a_page_and_the_help_says_which(watched: Watched) -> None:
    page = watched.page
    page.goto("/desk")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    expect(page.locator("dialog#keys")).to_contain_text("Records")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("i")

    page.wait_for_url("**/desk/imports*")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/desk/statements/GB-B/2026-10*")


def test_the_filters_lead_to_another_statement_and_stay_in_the_address(watched: Watched) -> None:
    page = watched.page
    page.goto("/desk")
    page.locator("form.filters select[name=service]").select_option("voice")
    page.wait_for_url("**service=voice*")

    assert "service=voice" in (page.locator("header nav a").nth(1).get_attribute("href") or "")


def test_a_list_is_read_narrowed_and_sorted_without_any_script(chromium: Browser, served: Served) -> None:
    context = chromium.new_context(base_url=served.url(CN_T), java_script_enabled=False)
    page = context.new_page()
    page.goto(RECORDS)
    page.locator("select[name=class]").select_option("missing_at_ours")
    page.locator("form.search button").click()
    rows = page.locator("table[data-rows] tbody tr").count()
    page.locator("thead a", has_text="Difference").click()
    first = page.locator("tbody tr").first.inner_text()
    context.close()

    assert rows == 12
    assert "missing at ours" in first
