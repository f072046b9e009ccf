"""Does a clerk get a file in, and from the statement down to one call, in a browser?"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.gateway.browser.chromium import Watched

pytestmark = [pytest.mark.chain, pytest.mark.browser]
CALLS = """a_number,b_number,start,duration_ms,trunk
+8613900000001,+442070000001,2026-11-02T08:00:00Z,60000,gb-b-out
+8613900000002,nonsense,2026-11-02T09:00:00Z,61000,gb-b-out
"""


def test_a_clerk_brings_a_file_sees_what_it_becomes_and_imports_it(watched: Watched, tmp_path: Path) -> None:
    path, page = tmp_path / "november.csv", watched.page
    path.write_text(CALLS)
    page.goto("/desk/imports")
    page.locator("input[type=file]").set_input_files(path)
    page.locator("form.drop button").click()
    expect(page.locator("#staged")).to_contain_text("Nothing is kept yet", timeout=20_000)
    expect(page.locator("#staged")).to_contain_text("nonsense")
    page.get_by_role("button", name="Import it").click()
    expect(page.locator("#staged")).to_contain_text("1 record is in", timeout=20_000)
    page.get_by_role("link", name="See the import").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take them as they came").click()

    lines = Path(taken.value.path()).read_text().splitlines()
    assert lines[0].endswith(",gsc_line,gsc_reason")
    assert lines[1].startswith("+8613900000002,nonsense,")


def test_a_file_that_is_dropped_on_the_page_is_brought(watched: Watched) -> None:
    page = watched.page
    page.goto("/desk/imports")
    carried = page.evaluate_handle(
        "text => { const carried = new DataTransfer();"
        " carried.items.add(new File([text], 'dropped.csv')); return carried; }",
        CALLS.replace("08:00", "08:30"),
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": carried})

    page.wait_for_url("**/desk/imports/staged/*")
    expect(page.locator("h1")).to_contain_text("dropped.csv")


def test_from_the_waterfall_down_to_one_call_its_proof_and_its_raw_line(watched: Watched) -> None:
    page = watched.page
    page.goto("/desk/statements/GB-B/2026-10")
    page.locator("table.waterfall tbody a").first.click()
    page.locator("main a[href*='/findings/']").first.click()
    page.wait_for_url("**/findings/*")
    page.locator("table[data-rows] tbody td a").first.click()
    page.wait_for_url(re.compile(r".*/records/GB-B/voice/\d+.*"))

    expect(page.locator(".checks .ok").first).to_be_visible()
    assert page.locator(".checks .broken").count() == 0


def test_a_check_of_everything_ends_with_a_verdict(watched: Watched) -> None:
    watched.page.goto("/desk/chain/verify")
    watched.page.get_by_role("button", name="Verify now").click()

    expect(watched.page.locator("#verdict")).to_contain_text("Everything holds", timeout=60_000)
