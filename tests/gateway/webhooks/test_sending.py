"""Does a message go to the address that was checked, once, and nowhere else?"""

import threading
from collections.abc import Iterator

import pytest

from gateway.webhooks.addresses import WebhookAddressRefused, parse_networks
from gateway.webhooks.sending import Sender, Taken
from tests.gateway.webhooks.receiving import Receiver, receiving

HERE = parse_networks(["127.0.0.1"])
PUBLIC = "93.184.215.14"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_a_name_that_leads_inside_after_it_was_checked_is_not_followed(receiver: Receiver) -> None:
    """DNS rebinding: public when the webhook is made, loopback when it is told."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    sender = Sender((), lambda *_: next(answers))
    url = f"https://hook.example:{receiver.port}/"

    sender.check(url)
    became = sender(url, {}, b"{}")

    assert became == Taken(None, "the address of hook.example is loopback: 127.0.0.1")
    assert receiver.got == []


def test_the_connection_goes_to_the_checked_address_under_the_name(receiver: Receiver) -> None:
    """The name is asked once for each message: no second answer can lead elsewhere."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    became = Sender(HERE, resolve)(f"http://hook.example:{receiver.port}/in?x=1", {"webhook-id": "evt_1"}, b'{"a":1}')

    assert (became, asked) == (Taken(204, None), ["hook.example"])
    [(path, headers, body)] = receiver.got
    assert (path, headers["host"], headers["webhook-id"], body) == (
        "/in?x=1",
        f"hook.example:{receiver.port}",
        "evt_1",
        b'{"a":1}',
    )


def test_a_redirect_is_a_failure_and_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/inside"}

    became = Sender(HERE)(receiver.url, {}, b"{}")

    assert (became.status, became.failure) == (307, "HTTP 307")
    assert len(receiver.got) == 1


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert Sender(HERE)(receiver.url, {}, b"{}") == Taken(204, None)


def test_of_a_long_answer_only_the_beginning_is_read_and_little_is_kept(receiver: Receiver) -> None:
    receiver.status, receiver.content = 500, b"\x1b[31m" + b"x" * 5_000_000

    became = Sender(HERE)(receiver.url, {}, b"{}")

    assert became.status == 500
    assert became.failure is not None and len(became.failure) <= 200 and became.failure.isprintable()


def test_a_receiver_that_does_not_answer_in_time_is_left(receiver: Receiver) -> None:
    done = threading.Event()
    receiver.before_answer = lambda: done.wait(10)

    became = Sender(HERE, timeout_seconds=0.2)(receiver.url, {}, b"{}")
    done.set()

    assert became.status is None and "no answer within" in (became.failure or "")


def test_nobody_there_is_a_failure() -> None:
    became = Sender(HERE)("http://127.0.0.1:9/", {}, b"{}")
    assert became.status is None and "ConnectionRefusedError" in (became.failure or "")


def test_a_tls_server_that_is_none_is_a_failure(receiver: Receiver) -> None:
    became = Sender(HERE)(f"https://127.0.0.1:{receiver.port}/", {}, b"{}")
    assert became.status is None and became.failure
    assert receiver.got == []


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/"])
def test_loopback_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(WebhookAddressRefused):
        Sender().check(url)
