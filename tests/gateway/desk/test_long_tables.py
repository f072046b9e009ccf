"""Does a page stay short when a month has hundreds of findings, with every one of them at one click?"""

import re
from collections.abc import Iterator

import pytest

from gateway.api.app import build_app
from gateway.desk.sheets.of_money import FINDINGS_SHOWN
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.engine import writing
from ledger.store.findings import FindingRow, ReconciliationRow, record_reconciliation
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Severity
from tests.gateway.asking import Browser
from tests.gateway.desk.test_statement import settled_gateway

GB_B, OCTOBER = CarrierCode("GB-B"), Period(2026, 10)
PAGE = f"/desk/statements/{GB_B}/{OCTOBER}"
MANY = FINDINGS_SHOWN + 11


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """MANY findings on prices, the largest in the middle, and then one on duration."""
    us, held = settled_gateway(tmp_path_factory.mktemp("long") / "home")
    scope = BatchScope(held.id, us.carrier, GB_B, Service.VOICE, OCTOBER)
    found = [finding(scope, Cause.RATE, number, 9_000 if number == MANY - 5 else number) for number in range(MANY)]
    run = ReconciliationRow(scope, Micros(0), Micros(0), 1, 1, 1, None, 0)
    with writing(us.engine) as connection:
        record_reconciliation(connection, run, [*found, finding(scope, Cause.DURATION, MANY, 1)])
    browser = Browser(build_app(us))
    browser.headers["Authorization"] = f"Bearer {browser.app.state.token}"
    yield browser
    us.close()


def finding(scope: BatchScope, cause: Cause, number: int, amount: int) -> FindingRow:
    return FindingRow(
        cause=cause.value,
        severity=Severity.DISPUTE.value,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        count=1,
        ours_micros=Micros(0),
        theirs_micros=Micros(amount * 1_000_000),
        route=None,
        destination=f"Destination {number}",
        day=None,
        explanation=f"of Destination {number}.",
        rule="rule",
    )


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"of Destination (\d+)\.", page)]


def test_a_long_months_page_shows_its_first_findings_and_how_many_more_there_are(desk: Browser) -> None:
    page = desk.get(PAGE).text
    assert shown(page) == list(range(FINDINGS_SHOWN))
    assert re.search(rf'href="[^"]*whole=findings#findings">{MANY + 1 - FINDINGS_SHOWN} more', page)


def test_all_are_shown_when_asked_for_and_taken_away_always(desk: Browser) -> None:
    assert shown(desk.get(f"{PAGE}?whole=findings").text) == list(range(MANY + 1))
    assert "more: show" not in desk.get(f"{PAGE}?whole=findings").text
    taken = desk.get(f"{PAGE}?export=findings&format=csv").text
    assert taken.startswith('"creditor","service","cause","finding",')
    assert len(taken.splitlines()) == MANY + 2


def test_what_is_sorted_is_all_of_them(desk: Browser) -> None:
    assert shown(desk.get(f"{PAGE}?sort=findings.difference").text)[0] == MANY - 5


def test_the_bar_of_a_cause_leads_to_its_first_finding_wherever_it_is(desk: Browser) -> None:
    page = desk.get(PAGE).text
    (href,) = re.findall(rf'href="([^"]*)#finding-{GB_B}-duration"', page)
    assert f'id="finding-{GB_B}-duration"' not in page
    assert f'id="finding-{GB_B}-duration"' in desk.get(href.replace("&amp;", "&")).text
