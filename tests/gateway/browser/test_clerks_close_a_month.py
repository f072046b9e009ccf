"""Can two clerks close a month at their desks, in a browser, with nothing but what the pages say?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.api.login.opening import draw_link
from gateway.composition import SystemClock
from gateway.documents.statement.checking import check_pdf
from ledger.identity import CarrierCode
from ledger.store.engine import reading
from ledger.store.settlement import list_disputes, list_statements
from tests.gateway.disputed import OCTOBER, Served, served_pair
from tests.scenarios.gateways import CN_T, GB_B

pytestmark = [pytest.mark.chain, pytest.mark.browser]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_pair(tmp_path_factory.mktemp("browsed")) as pair:
        yield pair


def test_clerks_read_dispute_settle_and_sign_a_month_and_its_paper_says_what_the_chain_says(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    cn, gb = (_logged_in(served, chromium, carrier) for carrier in (CN_T, GB_B))

    _reads_the_waterfall_down_to_one_call(cn)
    _disputes_both_causes(served, cn)
    _offers_one_and_keeps_the_other(served, gb)
    _accepts_the_offer(served, cn)
    _both_sign(served, cn, gb)
    _takes_the_paper(served, cn, tmp_path)
    _is_still_disputed(gb)
    assert cn.errors == gb.errors == []


class Desk:
    """A clerk's page, and what its console complained of."""

    def __init__(self, page: Page, url: str, partner: CarrierCode) -> None:
        self.page = page
        self.url = url
        self.month = f"{url}/desk/statements/{partner}/{OCTOBER}"
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def open(self, address: str) -> Page:
        self.page.goto(address)
        return self.page


def _logged_in(served: Served, chromium: Browser, carrier: CarrierCode) -> Desk:
    """By the link that the gateway's own machine gives out, which leads to the statement."""
    partner = GB_B if carrier == CN_T else CN_T
    page = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 1000}).new_page()
    desk = Desk(page, served.url(carrier), partner)
    code, _ = draw_link(served[carrier], None, SystemClock().now_ms())
    desk.open(f"{desk.url}/login?code={code}&to=/desk/statements/{partner}/{OCTOBER}")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(desk.month)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    return desk


def _reads_the_waterfall_down_to_one_call(cn: Desk) -> None:
    """The bars sum to the difference; a cause leads to its finding, to one record, to its proof."""
    page = cn.page
    fall = page.locator(f"table.waterfall:below(#causes-{GB_B}-voice)").first
    bars = [
        _micros(text) for text in fall.locator("tbody td:last-child span").evaluate_all("all => all.map(e => e.title)")
    ]
    whole = _micros(str(fall.locator("tfoot td:last-child span").get_attribute("title")))
    assert len(bars) >= 2
    assert sum(bars) == whole != 0
    fall.get_by_role("link", name="Missing at ours").click()
    page.get_by_role("link", name=re.compile("We are missing 12 calls")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Missing at ours")
    page.locator("tbody a").first.click()
    expect(page.get_by_text("Its Merkle proof leads to the root that was declared.").first).to_be_visible()
    cn.open(cn.month)


def _disputes_both_causes(served: Served, cn: Desk) -> None:
    page = cn.page
    page.get_by_role("link", name="Dispute", exact=True).click()
    expect(page.get_by_text("CN-T does not agree to pay GB-B USD").first).to_be_visible()
    page.get_by_role("button", name="Sign and open these disputes").click()
    expect(page.get_by_role("heading", name="On its way to the chain")).to_be_visible()
    served.settle(CN_T)
    expect(page.get_by_role("heading", name="On its way to the chain")).to_have_count(0, timeout=20_000)
    with reading(served[CN_T].engine) as connection:
        assert sorted(row.reason for row in list_disputes(connection)) == ["duration", "missing_at_ours"]


def _offers_one_and_keeps_the_other(served: Served, gb: Desk) -> None:
    """The creditor gives up what it sees it cannot claim, and stands by the rest."""
    page = gb.open(f"{gb.url}/desk/disputes")
    page.get_by_role("link", name="Missing at theirs").click()
    page.get_by_role("link", name="Accept their figure: credit all").click()
    page.get_by_label("Words to CN-T").fill("Our switch wrote these twice.")
    page.get_by_role("button", name="Sign the offer").click()
    expect(page.get_by_text("Our switch wrote these twice.")).to_be_visible()
    gb.open(f"{gb.url}/desk/disputes")
    page.get_by_role("link", name="Duration", exact=True).click()
    page.get_by_role("link", name="Keep ours").click()
    page.get_by_role("button", name="Sign and keep").click()
    expect(page.get_by_text("stands by its figure").first).to_be_visible()


def _accepts_the_offer(served: Served, cn: Desk) -> None:
    page = cn.open(f"{cn.url}/desk/disputes")
    page.get_by_role("link", name="Missing at ours").click()
    expect(page.get_by_text("Our switch wrote these twice.")).to_be_visible()
    page.get_by_role("link", name=re.compile("Accept what GB-B offers")).click()
    expect(page.get_by_text(re.compile("GB-B gives up all of the USD"))).to_be_visible()
    page.get_by_role("button", name="Sign the offer").click()
    served.settle()
    cn.open(page.url)
    expect(page.locator("p.lead .tag")).to_have_text("credited")
    cn.open(f"{cn.url}/desk/disputes")
    page.get_by_role("link", name="Duration", exact=True).click()
    page.get_by_role("link", name="Keep ours").click()
    page.get_by_role("button", name="Sign and keep").click()


def _both_sign(served: Served, cn: Desk, gb: Desk) -> None:
    cn.open(cn.month).get_by_role("link", name="Agree to this month").click()
    expect(cn.page.get_by_text("CN-T and GB-B agree the account of 2026-10.")).to_be_visible()
    expect(cn.page.get_by_text("is withheld until its disputes end").first).to_be_visible()
    cn.page.get_by_role("button", name="Sign the statement").click()
    expect(cn.page.get_by_role("link", name="You have signed; GB-B has not yet")).to_be_visible()
    overview = gb.open(f"{gb.url}/desk")
    expect(overview.get_by_text("CN-T has signed the statement of 2026-10; yours is missing.")).to_be_visible()
    gb.open(gb.month).get_by_role("link", name="Agree to this month").click()
    gb.page.get_by_role("button", name="Sign the statement").click()
    served.settle()


def _takes_the_paper(served: Served, cn: Desk, folder: Path) -> None:
    """The PDF's hash is the page's, and the chain's."""
    page = cn.open(cn.month)
    with page.expect_download() as taken:
        page.get_by_role("link", name="PDF").click()
    path = folder / "statement.pdf"
    taken.value.save_as(path)
    with reading(served[CN_T].engine) as connection:
        (agreed,) = [row for row in list_statements(connection) if row.agreed_at]
    hash_ = f"0x{agreed.statement_id.hex()}"
    expect(page.get_by_text(hash_)).to_be_visible()
    checked = check_pdf(path.read_bytes(), served[CN_T])
    assert checked.holds, checked.faults
    assert any(hash_ in said for said in checked.proven), checked.proven


def _is_still_disputed(gb: Desk) -> None:
    """The counterparty sees what became of both."""
    page = gb.open(gb.month)
    expect(page.locator("#disputes")).to_contain_text("credited")
    expect(page.locator("#disputes")).to_contain_text("opened")


def _micros(shown: str) -> int:
    return int(shown.replace(".", ""))
