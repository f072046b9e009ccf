"""Does a desk find each record of a month, page by page, by what it is, and down to its proof and raw line?"""

import csv
import io
import re

import pytest

from gateway.desk.views.records.listing import asked_of
from ledger.errors import Malformed
from tests.gateway.asking import Browser

LIST = "/desk/statements/GB-B/2026-10/records"
pytestmark = pytest.mark.chain


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

    assert seen == list(range(1, 73))
    assert back == list(range(1, 51))
    assert "72 records" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("class=missing_at_ours", list(range(61, 73))),
        ("class=partial", [1, 11, 21, 31, 41, 51]),
        ("cause=missing_at_ours&day=2026-10-15", [67, 68, 69, 70, 71]),
        ("day=2026-10-01", [1, 2, 3, 4]),
        ("number=%2B44%20207%200000002", [3]),
        ("route=gb-b-out&class=partial&destination=United%20Kingdom", [1, 11, 21, 31, 41, 51]),
        ("destination=Atlantis", []),
        ("sort=-records.theirs&class=missing_at_ours", [70]),
    ],
)
def test_a_list_is_narrowed_by_what_a_record_is(browser: Browser, asked: str, found: list[int]) -> None:
    page = browser.get(f"{LIST}?creditor=GB-B&{asked}").text

    assert numbers(page)[: len(found) if "sort" in asked else None] == found
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
    page = browser.get(f"{LIST}/GB-B/voice/11").text

    assert page.count('class="ok"') == 8
    assert 'class="broken"' not in page
    assert "Calling and called number are equal" in page
    assert "+8613900000010,+442070000010,2026-10-03T08:10:00+00:00,130000,gb-b-out" in page
    assert "which stays with them" in page
    assert '<div class="differs">2:10</div><div class="differs">2:11</div>' in page
    assert "Duration, within tolerance" in page


def test_a_record_that_only_they_have_says_so_and_there_is_none_after_the_last(browser: Browser) -> None:
    last, beyond = browser.get(f"{LIST}/GB-B/voice/72"), browser.get(f"{LIST}/GB-B/voice/73")

    assert "no such record" in last.text
    assert last.text.count('class="ok"') == 4
    assert beyond.status_code == 404
    assert "1 to 72" in beyond.text


def test_the_records_of_a_finding_are_those_of_the_list(browser: Browser) -> None:
    pages = [browser.get(f"/desk/statements/GB-B/2026-10/findings/{number}").text for number in range(1, 4)]

    missing = next(page for page in pages if "Missing at ours" in page)
    assert numbers(missing) == list(range(61, 73))


@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet", "json"])
def test_the_list_leaves_whole_in_every_format(browser: Browser, format_: str) -> None:
    answer = browser.get(f"{LIST}?creditor=GB-B&class=missing_at_ours&after=65&export=records&format={format_}")

    assert answer.status_code == 200
    assert f'filename="CN-T-GB-B-2026-10-voice-records.{format_}"' in answer.headers["content-disposition"]
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [int(row["number"]) for row in rows] == list(range(61, 73))


def test_the_navigation_leads_to_the_records_of_the_month_in_view(browser: Browser) -> None:
    to = browser.get("/desk/records?period=2026-10&partner=GB-B")

    assert to.status_code == 303
    assert to.headers["location"].startswith(LIST)


def test_a_number_is_searched_by_its_digits_however_it_is_written() -> None:
    assert asked_of({"number": "+44 (207) 000-0002"}).number == "442070000002"
    with pytest.raises(Malformed):
        asked_of({"after": "x"})
