"""Does the JSON-RPC connection give what the node said, and typed errors for what it did not?"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ledger.chain.rpc import Rpc
from ledger.errors import Malformed, NodeRefused, Unavailable

Answering = Callable[[Any], object]


class Node:
    """A node on loopback that answers as a test tells it; counts connections."""

    def __init__(self) -> None:
        self.answer: Answering = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": request["params"]}
        self.hang_up_after_answer = False
        self.connections = 0
        self.requests: list[Any] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def rpc(node: Node) -> Iterator[Rpc]:
    with Rpc(node.url) as connected:
        yield connected


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ws://127.0.0.1:8545", "http://", "file:///etc/passwd"])
def test_a_url_of_no_http_node_is_malformed(url: str) -> None:
    with pytest.raises(Malformed, match="not a chain URL"):
        Rpc(url)


def test_a_node_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(Unavailable, match=r"does not answer.*try again"):
        Rpc(url).call("eth_chainId")


@pytest.mark.parametrize("answer", [b"<html>bad gateway</html>", b"", b'"text"', b"[]"])
def test_something_that_is_no_node_is_unavailable(node: Node, rpc: Rpc, answer: bytes) -> None:
    node.answer = lambda _: answer
    with pytest.raises(Unavailable, match="does not speak JSON-RPC"):
        rpc.call("eth_chainId")


def test_a_batch_that_is_answered_in_part_is_unavailable(node: Node, rpc: Rpc) -> None:
    node.answer = lambda request: [{"jsonrpc": "2.0", "id": 0, "result": "0x1"}]
    with pytest.raises(Unavailable, match="whole batch"):
        rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])])


@pytest.mark.parametrize(
    ("data", "returndata"),
    [
        ("0x08c379a0", bytes.fromhex("08c379a0")),
        ({"result": "0x08c379a0", "hash": None}, bytes.fromhex("08c379a0")),
        ({"data": "0x"}, b""),
        ("Reverted 0x08c379a0", None),
        ("0xzz", None),
        ({"hash": "0x01"}, None),
        (None, None),
        (5, None),
    ],
)
def test_what_a_reverted_call_returned_is_found_wherever_the_engine_put_it(
    node: Node, rpc: Rpc, data: object, returndata: bytes | None
) -> None:
    error = {"code": -32000, "message": "execution reverted", "data": data}
    node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "error": error}
    with pytest.raises(NodeRefused, match="refused eth_call: execution reverted") as refused:
        rpc.call("eth_call", {})
    assert (refused.value.code, refused.value.returndata) == (-32000, returndata)


def test_one_refused_call_of_a_batch_leaves_the_others_their_results(node: Node, rpc: Rpc) -> None:
    node.answer = lambda request: [
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "nonce too low"}},
        {"jsonrpc": "2.0", "id": 0, "result": "0x1"},
    ]
    first, second = rpc.batch([("eth_sendRawTransaction", ["0x01"]), ("eth_sendRawTransaction", ["0x02"])])
    assert first == "0x1"
    assert isinstance(second, NodeRefused)
    assert second.reason == "nonce too low"


def test_a_batch_refused_as_a_whole_raises(node: Node, rpc: Rpc) -> None:
    node.answer = lambda request: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "too large"}}
    with pytest.raises(NodeRefused, match="too large"):
        rpc.batch([("eth_chainId", [])])


def test_an_empty_batch_asks_nothing(node: Node, rpc: Rpc) -> None:
    assert rpc.batch([]) == []
    assert node.requests == []


def test_a_result_of_null_is_none_and_no_error(node: Node, rpc: Rpc) -> None:
    node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": None, "error": None}
    assert rpc.call("eth_getTransactionReceipt", "0x00") is None


def test_parameters_arrive_as_they_were_given(rpc: Rpc) -> None:
    assert rpc.call("eth_getBlockByNumber", "latest", False) == ["latest", False]


def test_one_connection_serves_many_calls(node: Node, rpc: Rpc) -> None:
    for _ in range(5):
        rpc.call("eth_chainId")
    assert node.connections == 1


def test_a_kept_connection_the_node_has_closed_is_opened_again_with_the_same_bytes(node: Node, rpc: Rpc) -> None:
    node.hang_up_after_answer = True
    for _ in range(3):
        assert rpc.call("eth_sendRawTransaction", "0x01") == ["0x01"]
    assert node.connections == 3
    assert node.requests[0] == node.requests[1] == node.requests[2]


def test_threads_share_one_connection_without_mixing_answers(rpc: Rpc) -> None:
    got: dict[int, object] = {}

    def ask(number: int) -> None:
        got[number] = [rpc.call("eth_call", number, turn) for turn in range(20)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {number: [[number, turn] for turn in range(20)] for number in range(4)}


def _handler(node: Node) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            node.connections += 1
            super().setup()

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            node.requests.append(request)
            answer = node.answer(request)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = node.hang_up_after_answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
