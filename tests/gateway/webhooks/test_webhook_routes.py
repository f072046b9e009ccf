"""Does the desk make, see, try and delete webhooks, and does a receiver on this machine believe what comes?"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from gateway.api import webhook_routes
from gateway.api.app import build_app
from gateway.composition import Gateway, SystemClock, partnership_with
from gateway.settings import Webhooks
from gateway.webhooks.delivering import Deliverer, deliverer_of
from gateway.webhooks.sending import Sender
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import StatementAgreed
from ledger.store.engine import writing
from ledger.store.tables import answers, webhooks
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.gateway.webhooks.receiving import Receiver, receiving
from tests.reconciliation.records import GB, agreement

DOCS = Path(__file__).parents[3] / "docs" / "webhooks.md"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """CN-T's gateway with an agreement with GB-B; webhooks may lead to this machine."""
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    yield replace(made, settings=replace(made.settings, webhooks=Webhooks(("127.0.0.1",))))
    made.close()


@pytest.fixture
def desk(gateway: Gateway) -> Browser:
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def verifier() -> Callable[[str, Any, bytes], None]:
    """The ten lines of docs/webhooks.md."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    verify: Callable[[str, Any, bytes], None] = names["verify"]
    return verify


def test_without_the_desks_session_there_are_no_webhooks(gateway: Gateway) -> None:
    stranger = Browser(build_app(gateway), "http://gateway.example")
    for method, path in (
        ("GET", "/v1/webhook"),
        ("POST", "/v1/webhook"),
        ("GET", f"/v1/webhook/{'0' * 16}"),
        ("DELETE", f"/v1/webhook/{'0' * 16}"),
        ("POST", f"/v1/webhook/{'0' * 16}/test"),
        ("POST", f"/v1/webhook/{'0' * 16}/resume"),
    ):
        assert stranger.request(method, path, json={"url": "x"}).status_code == 401, path


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"url": "https://10.0.0.1/"}, 403, "webhook-address-refused"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, 403, "webhook-address-refused"),
        ({"url": "http://93.184.215.14/"}, 403, "webhook-address-refused"),
        ({"url": "ftp://93.184.215.14/"}, 422, "malformed"),
        ({"url": "https://93.184.215.14/", "events": ["statement.eaten"]}, 422, "malformed"),
        ({"url": "https://93.184.215.14/", "secret": "mine"}, 422, "malformed"),
        ({}, 422, "malformed"),
    ],
)
def test_what_is_no_webhook_is_refused_as_a_problem(
    desk: Browser, body: dict[str, object], status: int, problem: str
) -> None:
    answer = desk.post("/v1/webhook", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert desk.get("/v1/webhook").json() == []


def test_a_webhook_shows_its_secret_once_and_is_deleted(desk: Browser) -> None:
    made = desk.post("/v1/webhook", json={"url": "https://93.184.215.14/x", "events": ["payment.received"]})
    shown = made.json()
    assert (made.status_code, made.headers["location"]) == (201, shown["href"])
    assert (shown["@type"], shown["state"], shown["events"]) == ("webhook", "active", ["payment.received"])
    secret = shown.pop("secret")
    assert secret.startswith("whsec_")

    assert desk.get(shown["href"]).json() == shown
    assert desk.get("/v1/webhook").json() == [shown]
    assert desk.request("DELETE", shown["href"]).status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/resume")):
        assert desk.request(method, shown["href"] + path).status_code == 404


def test_a_webhook_under_one_key_is_made_and_deleted_once(desk: Browser) -> None:
    key, body = {"Idempotency-Key": "erp"}, {"url": "https://93.184.215.14/x"}
    first, again = (desk.post("/v1/webhook", key, json=body) for _ in range(2))
    other = desk.post("/v1/webhook", key, json={"url": "https://93.184.215.14/y"})

    assert (again.status_code, again.content, again.headers["Location"]) == (201, first.content, first.json()["href"])
    assert (other.status_code, len(desk.get("/v1/webhook").json())) == (409, 1)
    gone = {"Idempotency-Key": "erp, gone"}
    assert [desk.request("DELETE", first.json()["href"], gone).status_code for _ in range(2)] == [204, 204]
    assert desk.request("DELETE", first.json()["href"]).status_code == 404


def test_an_answer_that_was_lost_with_the_gateway_is_found_under_its_key(desk: Browser, gateway: Gateway) -> None:
    """The webhook was kept, the answer was not: another one would be told everything twice."""
    body = {"url": "https://93.184.215.14/x"}
    first = desk.post("/v1/webhook", {"Idempotency-Key": "erp"}, json=body).json()
    with writing(gateway.engine) as connection:
        connection.execute(delete(answers))

    assert desk.post("/v1/webhook", {"Idempotency-Key": "erp"}, json=body).json() == first
    assert len(desk.get("/v1/webhook").json()) == 1


def test_what_a_webhook_would_be_can_be_tried(desk: Browser, receiver: Receiver) -> None:
    tried = desk.post("/v1/webhook?dryRun=true", json={"url": receiver.url})
    assert (tried.status_code, tried.json()["secret"]) == (200, None)
    assert desk.get("/v1/webhook").json() == []
    refused = desk.post("/v1/webhook?dryRun=true", json={"url": "https://10.0.0.1/"})
    assert refused.json()["type"] == "/problems/webhook-address-refused"

    made = desk.post("/v1/webhook", json={"url": receiver.url}).json()
    ping = desk.post(f"{made['href']}/test?dryRun=true").json()
    assert (ping["taken"], ping["failure"], receiver.got) == (False, "not sent: a dry run", [])
    assert desk.post(f"{made['href']}/resume?dryRun=true").json()["state"] == "active"
    assert desk.request("DELETE", f"{made['href']}?dryRun=true").status_code == 204
    assert desk.get(made["href"]).status_code == 200


def test_webhooks_are_told_by_page_and_by_what_they_are(desk: Browser, gateway: Gateway) -> None:
    made = [
        desk.post("/v1/webhook", json={"url": f"https://93.184.215.14/{at}", "events": events}).json()
        for at, events in enumerate((["payment.received"], [], ["statement.agreed"], ["payment.received"]))
    ]
    with writing(gateway.engine) as connection:
        connection.execute(update(webhooks).where(webhooks.c.id == made[2]["id"]).values(disabled_at_ms=1))
    whole = desk.get("/v1/webhook")
    seen, address = [], "/v1/webhook?limit=3&fields=url"
    while address:
        page = desk.get(address)
        seen += page.json()
        address = page.links.get("next", {}).get("url", "")

    def paths(query: str) -> str:
        return "".join(each["url"][-1] for each in desk.get(f"/v1/webhook?{query}").json())

    assert (whole.headers["X-Total-Count"], whole.headers["X-Result-Count"], "Link" in whole.headers) == (
        "4",
        "4",
        False,
    )
    assert seen == [{name: each[name] for name in ("id", "href", "@type", "url")} for each in whole.json()]
    assert sorted(paths("event=payment.received")) == ["0", "1", "3"], "one is told of everything"
    assert (paths("state=disabled"), sorted(paths("state=active"))) == ("2", ["0", "1", "3"])
    assert (paths("url=https://93.184.215.14/3"), paths("state=disabled&event=payment.received")) == ("3", "")


def test_a_page_of_webhooks_that_nobody_can_mean_is_refused(desk: Browser) -> None:
    for at in range(2):
        desk.post("/v1/webhook", json={"url": f"https://93.184.215.14/{at}"})
    cursor = desk.get("/v1/webhook?limit=1").links["next"]["url"].partition("cursor=")[2]

    for query, status in (
        (f"state=active&cursor={cursor}", 404),
        ("cursor=AAAA", 404),
        ("limit=0", 422),
        ("limt=1", 422),
        ("state=eaten", 422),
        ("event=statement.eaten", 422),
        ("fields=secret", 422),
    ):
        assert (query, desk.get(f"/v1/webhook?{query}").status_code) == (query, status)


def test_a_webhook_that_is_known_already_is_not_told_again(desk: Browser) -> None:
    made = desk.post("/v1/webhook", json={"url": "https://93.184.215.14/"}).json()
    told = desk.get(f"{made['href']}?fields=state")
    assert told.json() == {"id": made["id"], "href": made["href"], "@type": "webhook", "state": "active"}
    assert desk.get(made["href"], {"If-None-Match": told.headers["ETag"]}).status_code == 304


def test_there_are_only_so_many(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_routes, "MAX_WEBHOOKS", 2)
    for _ in range(2):
        assert desk.post("/v1/webhook", json={"url": "https://93.184.215.14/"}).status_code == 201
    refused = desk.post("/v1/webhook", json={"url": "https://93.184.215.14/"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/webhooks-too-many")


def test_a_receiver_on_this_machine_gets_the_ping_and_the_event_and_believes_both(
    gateway: Gateway, desk: Browser, receiver: Receiver
) -> None:
    verify = verifier()
    made = desk.post("/v1/webhook", json={"url": receiver.url}).json()
    ping = desk.post(f"{made['href']}/test").json()
    assert (ping["taken"], ping["status"], ping["failure"]) == (True, 204, None)

    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, StatementAgreed(bytes(32), held.id, 202610, bytes(32), False, 11, 12))
    receiver.status = 503
    assert deliverer_of(gateway).deliver_due() == 0
    failing = desk.get(made["href"]).json()
    assert (failing["state"], failing["failures"], failing["lastFailure"]) == ("failing", 1, "HTTP 503")
    assert failing["nextAt"] > failing["lastFailureAt"]

    receiver.status = 204
    assert desk.post(f"{made['href']}/resume").json()["state"] == "active"
    assert deliverer_of(gateway).deliver_due() == 1
    after = desk.get(made["href"]).json()
    assert (after["delivered"], after["nextBlock"], after["nextIndex"]) == (1, 2, 0)

    types, ids = [], []
    for _, headers, body in receiver.got:
        verify(made["secret"], headers, body)
        types.append(json.loads(body)["type"])
        ids.append(headers["webhook-id"])
    assert types == ["ping", "statement.agreed", "statement.agreed"]
    assert ids[1] == ids[2] != ids[0]
    _, headers, body = receiver.got[1]
    with pytest.raises(ValueError, match="not a message"):
        verify(made["secret"], headers, body + b" ")
    with pytest.raises(ValueError, match="not a message"):
        verify(made["secret"], {**headers, "webhook-timestamp": "1"}, body)


def test_a_webhook_is_told_what_comes_after_it_was_made(gateway: Gateway, desk: Browser, receiver: Receiver) -> None:
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, StatementAgreed(bytes(32), held.id, 202610, bytes(32), False, 11, 12))
    made = desk.post("/v1/webhook", json={"url": receiver.url}).json()
    assert (made["nextBlock"], deliverer_of(gateway).deliver_due(), receiver.got) == (2, 0, [])


def test_a_ping_that_is_not_taken_says_why(gateway: Gateway, desk: Browser) -> None:
    made = desk.post("/v1/webhook", json={"url": "http://127.0.0.1:9/"}).json()
    ping = desk.post(f"{made['href']}/test").json()
    assert (ping["taken"], ping["status"]) == (False, None)
    assert "ConnectionRefusedError" in ping["failure"]
    assert desk.get(made["href"]).json()["failures"] == 0


def test_a_network_that_is_allowed_no_more_is_not_told(gateway: Gateway, receiver: Receiver, desk: Browser) -> None:
    desk.post("/v1/webhook", json={"url": receiver.url})
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, StatementAgreed(bytes(32), held.id, 202610, bytes(32), False, 11, 12))

    Deliverer(gateway, Sender(), SystemClock(), lambda _: 0).deliver_due()

    assert receiver.got == []
    assert "loopback" in desk.get("/v1/webhook").json()[0]["lastFailure"]


def test_each_operation_is_described(desk: Browser) -> None:
    paths = desk.get("/openapi.json").json()["paths"]
    names = {each["operationId"] for path, item in paths.items() if "/webhook" in path for each in item.values()}
    assert names == {"post_webhook", "list_webhook", "get_webhook", "delete_webhook", "test_webhook", "resume_webhook"}
