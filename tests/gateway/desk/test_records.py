"""Does a desk find each record of a month, page by page, by what it is, and down to its proof and raw line?"""

import csv
import io
import re

import pytest

from gateway.desk.views.records.listing import asked_of
from ledger.errors import Malformed
from tests.gateway.asking import Browser
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

LIST = "/desk/statements/GB-B/2026-10/records"
MISSING, LONGER = list(range(1, 121, 10)), list(range(2, 121, 15))
"""Of the 120 calls to the United Kingdom: those CN-T's file lacks, and those GB-B counts two minutes longer."""
pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def browser(served: Served) -> Browser:
    """Somebody on the machine of CN-T."""
    return Browser(served.apps[CN_T])


def numbers(page: str) -> list[int]:
    """The records that a page lists."""
    return [int(each) for each in re.findall(r'/records/GB-B/voice/(\d+)[^"]*">\1<', page)]


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a rel="{rel}" href="([^"]+)"', page)
    return found and found[1].replace("&amp;", "&")


def test_the_pages_of_a_list_hold_every_record_once_there_and_back(browser: Browser) -> None:
    page = browser.get(f"{LIST}?creditor=GB-B").text
    seen, back = numbers(page), []
    while (following := link(page, "next")) is not None:
        page = browser.get(following).text
        seen += numbers(page)
    while (earlier := link(page, "prev")) is not None:
        page = browser.get(earlier).text
        back += numbers(page)

    assert seen == list(range(1, 121))
    assert back == [*range(51, 101), *range(1, 51)]
    assert "120 records" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("class=missing_at_ours", MISSING),
        ("class=mismatch", LONGER),
        ("class=differing", sorted([*MISSING, *LONGER])),
        ("cause=missing_at_ours&day=2026-10-02", [21]),
        ("day=2026-10-01", list(range(1, 13))),
        ("number=%2B44%20207%200006101", [2]),
        ("route=gb-b-out&class=mismatch&destination=United%20Kingdom", LONGER),
        ("destination=Atlantis", []),
        ("sort=-records.difference&class=mismatch", LONGER),
    ],
)
def test_a_list_is_narrowed_by_what_a_record_is(browser: Browser, asked: str, found: list[int]) -> None:
    page = browser.get(f"{LIST}?creditor=GB-B&{asked}").text

    assert numbers(page) == found
    if not found:
        assert "No record is like this" in page


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("class=foo", "differing"), ("cause=foo", "duration"), ("day=foo", "YYYY-MM-DD"), ("after=-1", "whole number")],
)
def test_what_a_list_has_not_is_refused_with_what_it_has(browser: Browser, asked: str, expected: str) -> None:
    page = browser.get(f"{LIST}?creditor=GB-B&{asked}")

    assert page.status_code == 422
    assert expected in page.text


def test_a_record_is_shown_with_both_sides_its_rule_its_proof_and_its_raw_line(browser: Browser) -> None:
    page = browser.get(f"{LIST}/GB-B/voice/2").text

    assert page.count('class="ok"') == 8
    assert 'class="broken"' not in page
    assert "Calling and called number are equal" in page
    assert "+8613900007919,+442070006101,2026-10-01T06:03:00+00:00,601000,gb-b-out" in page
    assert "which stays with them" in page
    assert '<div class="differs">10:01</div><div class="differs">12:01</div>' in page


def test_a_record_that_only_they_have_says_so_and_there_is_none_after_the_last(browser: Browser) -> None:
    theirs, beyond = browser.get(f"{LIST}/GB-B/voice/111"), browser.get(f"{LIST}/GB-B/voice/121")

    assert "no such record" in theirs.text
    assert theirs.text.count('class="ok"') == 4
    assert beyond.status_code == 404
    assert "1 to 120" in beyond.text


def test_the_records_of_a_finding_are_those_of_the_list(browser: Browser) -> None:
    pages = [browser.get(f"/desk/statements/GB-B/2026-10/findings/{number}").text for number in range(1, 4)]

    missing = next(page for page in pages if "Missing at ours" in page)
    assert numbers(missing) == MISSING


@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet", "json"])
def test_the_list_leaves_whole_in_every_format(browser: Browser, format_: str) -> None:
    answer = browser.get(f"{LIST}?creditor=GB-B&class=missing_at_ours&after=65&export=records&format={format_}")

    assert answer.status_code == 200
    assert f'filename="CN-T-GB-B-2026-10-voice-records.{format_}"' in answer.headers["content-disposition"]
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [int(row["number"]) for row in rows] == MISSING


def test_the_navigation_leads_to_the_records_of_the_month_in_view(browser: Browser) -> None:
    to = browser.get("/desk/records?period=2026-10&partner=GB-B")

    assert to.status_code == 303
    assert to.headers["location"].startswith(LIST)


def test_a_number_is_searched_by_its_digits_however_it_is_written() -> None:
    assert asked_of({"number": "+44 (207) 000-0002"}).number == "442070000002"
    with pytest.raises(Malformed):
        asked_of({"after": "x"})
