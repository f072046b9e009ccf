"""Do the pages say the same in both languages, and do the bars of a waterfall sum to the difference?"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.app import build_app
from gateway.desk import wording
from gateway.desk.drawing import Page, draw
from gateway.desk.shapes import money, percent, seconds
from gateway.desk.views.causes import waterfall
from gateway.desk.views.findings import FindingRow
from gateway.desk.views.moods import State
from gateway.desk.views.records.finding import FindingView
from gateway.desk.views.steps import STEPS
from gateway.desk.wording import choose_language, words_of
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.states import SubmissionState
from reconciliation.finding import Cause, Finding, Severity
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

FINDINGS = st.lists(
    st.builds(
        Finding,
        cause=st.sampled_from(Cause),
        severity=st.just(Severity.NOTICE),
        creditor=st.just(CarrierCode("GB-B")),
        service=st.just(Service.VOICE),
        period=st.just(Period(2026, 10)),
        count=st.integers(1, 10**6),
        ours_micros=st.integers(0, 10**15).map(Micros),
        theirs_micros=st.integers(0, 10**15).map(Micros),
        route=st.none(),
        destination=st.none(),
        day=st.none(),
        explanation=st.just("because"),
        rule=st.just("rule"),
    ),
    max_size=30,
)


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_word_the_pages_use_is_in_the_catalogue(language: str) -> None:
    texts = words_of(language).texts
    templates = (Path(wording.__file__).parent / "templates").glob("*.html")
    used = {key for page in templates for key in re.findall(r'\bw\("([^"]+)"[,)]', page.read_text("utf-8"))}

    assert len(used) > 60
    assert used <= texts.keys()
    assert {f"step.{word}" for word in STEPS} <= texts.keys()
    assert {f"cause.{cause}" for cause in Cause} | {f"explained.{cause}" for cause in Cause} <= texts.keys()
    assert {f"state.{each}" for each in Severity} <= texts.keys()
    assert {f"outbox.{state}" for state in SubmissionState} | {
        f"state.{state}" for state in SubmissionState
    } <= texts.keys()


@given(FINDINGS)
def test_the_bars_of_a_waterfall_sum_to_the_difference_and_stay_on_the_page(findings: list[Finding]) -> None:
    fall = waterfall("GB-B", "voice", findings)

    assert sum(bar.amount_micros for bar in fall.bars) == sum(each.difference_micros for each in findings)
    assert fall.difference_micros == sum(each.difference_micros for each in findings)
    assert sum(bar.count for bar in fall.bars) == sum(each.count for each in findings)
    for bar in fall.bars:
        assert bar.left >= 0
        assert bar.left + bar.width <= 1_002
        assert bar.joint in (bar.left, bar.left + bar.width) or bar.width == 2


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "0.00"),
        (1_234_567_890_000, "1,234,567.89"),
        (-5_000, "0.00"),
        (-5_001, "−0.01"),
        (-1_204_100_000, "−1,204.10"),
    ],
)
def test_money_is_grouped_with_two_places(micros: int, shown: str) -> None:
    assert money(micros) == shown


def test_percent_and_duration_read_as_a_desk_reads_them() -> None:
    assert (percent(-37), percent(0), percent(None), percent(12_345)) == ("−0.37", "0.00", "—", "+123.45")
    assert (seconds(125_000), seconds(61_250), seconds(0)) == ("2:05", "1:01.250", "0:00")


@pytest.mark.parametrize(
    ("asked", "accept", "chosen"),
    [
        ("zh", "en", "zh"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr, de", "en"),
        ("xx", "", "en"),
        (None, "en-GB,zh", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_browsers(asked: str | None, accept: str, chosen: str) -> None:
    assert choose_language(asked, accept) == chosen


def test_an_empty_desk_says_the_next_command_in_both_languages(tmp_path: Path) -> None:
    gateway = lonely_gateway(tmp_path)
    browser = Browser(build_app(gateway))
    english, chinese = browser.get("/desk?lang=en"), browser.get("/desk", headers={"Accept-Language": "zh-CN"})
    missing = browser.get("/desk/statements/XX-X/2026-10")
    gateway.close()

    assert "gsc agree" in english.text
    assert 'lang="zh"' in chinese.text
    assert "结算" in chinese.text
    assert missing.status_code == 404
    assert "<h1>Not found</h1>" in missing.text
    policy = english.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("language", "said"), [("en", "because"), ("zh", "GB-B 缺少我方 3 条记录")])
def test_a_records_page_says_its_finding_in_the_readers_language(language: str, said: str) -> None:
    finding = Finding(
        cause=Cause.MISSING_AT_THEIRS,
        severity=Severity.NOTICE,
        creditor=CarrierCode("CN-T"),
        service=Service.VOICE,
        period=Period(2026, 10),
        count=3,
        ours_micros=Micros(1),
        theirs_micros=Micros(0),
        route=None,
        destination=None,
        day=None,
        explanation="because",
        rule="rule",
    )
    row = FindingRow(1, finding, State("notice"))
    view = FindingView("GB-B", "2026-10", "USD", "CN-T", "voice", row, [], 0, 0, None)
    page = Page("CN-T", language, asked_language=True, path="/desk", now_s=0, health_text="", health_mood="")

    assert said in draw("finding.html", page, view=view)


def test_a_period_that_is_none_is_refused_on_a_page_with_what_was_expected(tmp_path: Path) -> None:
    gateway = lonely_gateway(tmp_path)
    browser = Browser(build_app(gateway))
    pages = [browser.get("/desk?period=foo"), browser.get("/desk/statements/GB-B/foo")]
    gateway.close()

    for page in pages:
        assert page.status_code == 422
        assert page.headers["content-type"].startswith("text/html")
        assert "YYYY-MM" in page.text
        assert "foo" in page.text


def test_what_a_partner_wrote_cannot_become_markup(tmp_path: Path) -> None:
    gateway = lonely_gateway(tmp_path)
    page = Browser(build_app(gateway)).get("/desk/statements/%3Cscript%3Ealert(1)%3C%2Fscript%3E/2026-10")
    gateway.close()

    assert "<script>" not in page.text
