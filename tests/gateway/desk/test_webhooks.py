"""Does the desk see whom its events are told to, what failed and what to do; and does nobody else?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.api.app import build_app
from gateway.composition import Gateway
from gateway.settings import Webhooks
from ledger.store.engine import reading, writing
from ledger.store.webhooks import Webhook, add_webhook, list_webhooks
from tests.gateway.asking import Browser
from tests.gateway.desk.clerk import Clerk
from tests.gateway.homes import lonely_gateway
from tests.gateway.webhooks.receiving import Receiver, receiving

PAGE = "/desk/chain/webhooks"
NOON_MS = 1_793_000_000_000


def webhook(number: int, url: str = "https://erp.example/gsc", **changes: object) -> Webhook:
    """One that was told 41 events, and what is changed of it."""
    made = Webhook(
        id=f"{number:016x}",
        url=url,
        secret=b"s" * 32,
        events="",
        next_block=7,
        next_index=0,
        failures=0,
        failing_since_ms=None,
        next_at_ms=NOON_MS,
        last_failure=None,
        last_failure_at_ms=None,
        delivered=41,
        last_delivered_at_ms=NOON_MS,
        disabled_at_ms=None,
        created_at_ms=number,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield replace(made, settings=replace(made.settings, webhooks=Webhooks(("127.0.0.1",))))
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def keep(gateway: Gateway, *webhooks: Webhook) -> Clerk:
    with writing(gateway.engine) as connection:
        for each in webhooks:
            add_webhook(connection, each)
    return Clerk(build_app(gateway))


def test_nobody_but_our_own_desk_sees_them(gateway: Gateway) -> None:
    clerk = keep(gateway, webhook(1))
    stranger = clerk.browser.request("GET", PAGE, headers={"Cookie": ""})
    forged = clerk.post(f"{PAGE}/{1:016x}/remove", {})
    reader = Browser(clerk.browser.app, clerk.origin)

    assert stranger.status_code == 401
    assert forged.status_code == 403
    assert "erp.example" not in stranger.text
    assert PAGE in clerk.get("/desk/chain").text
    assert PAGE not in reader.get("/desk/chain").text
    with reading(gateway.engine) as connection:
        assert len(list_webhooks(connection)) == 1


def test_an_empty_page_says_the_next_command_in_both_languages(gateway: Gateway) -> None:
    clerk = keep(gateway)

    assert "Nobody is told yet." in clerk.get(PAGE).text
    assert "尚未通知任何系统" in clerk.get(f"{PAGE}?lang=zh").text
    assert "/v1/webhook</pre>" in clerk.get(PAGE).text


def test_each_says_how_far_it_was_told_what_failed_last_and_what_to_do(gateway: Gateway) -> None:
    failing = {
        "failures": 3,
        "last_failure": "HTTP 500 <b>",
        "last_failure_at_ms": NOON_MS,
        "events": "payment.received",
    }
    clerk = keep(gateway, webhook(1), webhook(2, **failing), webhook(3, **failing, disabled_at_ms=NOON_MS))
    page = clerk.get(PAGE).text

    for said in ("all types of events", "payment.received", "41", "active", "failing", "given up", "3 in a row"):
        assert said in page, said
    assert "HTTP 500 &lt;b&gt;" in page
    assert page.count("/resume") == 2, "what goes on by itself needs none"
    assert "1 webhook is not told any more." in clerk.get("/desk").text
    assert "secret" not in clerk.get(f"{PAGE}?export=webhooks&format=json").text


def test_a_webhook_is_tested_resumed_and_removed(gateway: Gateway, receiver: Receiver) -> None:
    given_up = {"failures": 9, "disabled_at_ms": NOON_MS, "last_failure": "no answer", "last_failure_at_ms": NOON_MS}
    clerk = keep(gateway, webhook(1, receiver.url, **given_up), webhook(2, "http://127.0.0.1:9/nobody"))
    one, two = f"{PAGE}/{1:016x}", f"{PAGE}/{2:016x}"
    tested = clerk.submit(PAGE, f"{one}/test")
    refused = clerk.submit(PAGE, f"{two}/test")
    resumed = clerk.submit(PAGE, f"{one}/resume")
    removed = clerk.submit(PAGE, f"{two}/remove")
    again = clerk.post(f"{two}/remove", {"csrf": "old"})

    assert tested.headers["location"] == f"{PAGE}?tested={1:016x}#{1:016x}"
    assert "took the test message" in clerk.get(tested.headers["location"].partition("#")[0]).text
    assert [b'"type":"ping"' in body for _, _, body in receiver.got] == [True]
    assert (refused.status_code, "the receiver did not take the test message" in refused.text) == (503, True)
    assert (resumed.status_code, removed.status_code, again.status_code) == (303, 303, 403)
    with reading(gateway.engine) as connection:
        (left,) = list_webhooks(connection)
    assert (left.id, left.disabled_at_ms, left.failures) == (f"{1:016x}", None, 0)
