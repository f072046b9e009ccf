"""Does every address that a page names answer, in both languages, with filters, orders and files too?"""

import pytest

from tests.gateway.desk.clerk import Clerk
from tests.gateway.desk.crawling import crawled, links_of, shape_of
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

pytestmark = pytest.mark.chain


def test_a_link_that_leads_nowhere_is_seen(served: Served) -> None:
    clerk = Clerk(served.apps[CN_T])

    answers = dict(crawled(clerk, "/desk/nowhere"))

    assert answers["/desk/nowhere"].status_code == 404


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_address_on_every_page_answers(served: Served, language: str) -> None:
    clerk = Clerk(served.apps[CN_T])
    answers, broken = 0, {}
    for address, answer in crawled(clerk, f"/desk?lang={language}", without="#" if language == "en" else "export="):
        answers += 1
        if answer.status_code >= 400:
            broken[address] = answer.status_code

    assert broken == {}
    assert answers > 60


def test_links_and_shapes_are_read_off_a_page() -> None:
    page = '<a href="/desk?a=1&amp;b=2#x">x</a><form method="post" action="/desk/do"></form><a href="https://x.example">y</a>'

    assert links_of(page) == ["/desk?a=1&b=2"]
    assert shape_of("/desk/imports/12?sort=-a.b") == shape_of("/desk/imports/7?sort=c.d")
