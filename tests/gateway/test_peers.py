"""What can another carrier's gateway do to ours with its answers? Nothing but be refused by name."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from gateway.peers import Peer, PeerRefused, TooMuch, told
from gateway.requests import RevealRequest
from ledger.errors import GscError, Malformed, Unavailable
from ledger.identity import AgreementId, CarrierCode, ascii32

REQUEST = RevealRequest(AgreementId(bytes(32)), 202610, ascii32("CN-T"), bytes(32), bytes(32), 1)
SIGNATURE = bytes(65)
Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def peer(answering: Answering) -> Iterator[Peer]:
    """A gateway that answers as its carrier pleases."""

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            answering(self)

        def log_message(self, *_: object) -> None:
            """Tests stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Peer(CarrierCode("GB-B"), f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(content: bytes, status: int = 200, **headers: str) -> Answering:
    def answering(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(content)

    return answering


def without_end(to: BaseHTTPRequestHandler) -> None:
    """No length, and bytes until the other side hangs up."""
    to.send_response(200)
    to.end_headers()
    try:
        while True:
            to.wfile.write(bytes(1 << 16))
    except OSError:
        to.close_connection = True


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with peer(without_end) as hostile, pytest.raises(TooMuch, match="at most 1000000 bytes") as caught:
        hostile.reveal(REQUEST, SIGNATURE, 1_000_000)

    assert (caught.value.slug, caught.value.status) == ("peer-sends-too-much", 409)


def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(50_000_000))

    with peer(answer(packed, content_encoding="gzip")) as hostile:
        assert hostile.reveal(REQUEST, SIGNATURE, 1_000_000) == packed


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b'{"signature": 5}', b'{"signature": "0xzz"}', b"\xff"]
)
def test_an_answer_that_is_no_signature_is_refused_or_empty(content: bytes, high_recursion_limit: None) -> None:
    with peer(answer(content)) as hostile:
        try:
            given = hostile.propose("statement", REQUEST, CarrierCode("CN-T"), SIGNATURE)
        except Malformed as refusal:
            assert "no signature" in str(refusal)
        else:
            assert given == b"", "what is no signature is refused when its signer is asked for"


def test_no_signature_yet_is_none() -> None:
    with peer(answer(b'{"signature": null}')) as honest:
        assert honest.propose("statement", REQUEST, CarrierCode("CN-T"), SIGNATURE) is None


def test_a_refusal_is_passed_on_short_and_on_one_line() -> None:
    problem = {"type": "/x", "detail": "no\n\x1b[2Jholds " + "x" * 5_000, "expected": {"a": ["\x07"]}, "todo": ["\r\n"]}

    with peer(answer(json.dumps(problem).encode(), 409)) as hostile, pytest.raises(PeerRefused) as caught:
        hostile.reveal(REQUEST, SIGNATURE, 1_000)

    assert caught.value.message.startswith("GB-B's gateway refuses: no ?[2Jholds x")
    assert len(str(caught.value)) < 1_000
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, Unavailable), (204, Unavailable), (500, Unavailable), (503, PeerRefused), (404, PeerRefused)],
)
def test_only_a_plain_yes_is_an_answer_and_no_redirection_is_followed(status: int, kind: type[GscError]) -> None:
    with peer(answer(b"", status, location="http://127.0.0.1:9/")) as hostile, pytest.raises(kind):
        hostile.reveal(REQUEST, SIGNATURE, 1_000)


def test_what_a_peer_tells_is_short_and_printable() -> None:
    assert told("a\n b\x1b[31m") == "a b?[31m"
    assert len(told("é" * 10_000)) == 300
