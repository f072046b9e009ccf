"""How do we talk to a node? JSON-RPC over one kept-alive HTTP connection, with typed errors.

web3 stays out of the hot path: decoding raw answers through the generated bindings is many times faster.
"""

import http.client
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from ledger.errors import Malformed, NodeRefused, Unavailable

JsonRpcCall = tuple[str, Sequence[object]]
"""A method and its parameters: ("eth_getBlockByNumber", ["latest", False])."""

_STALE = (http.client.RemoteDisconnected, http.client.CannotSendRequest, ConnectionError)
_DOWN = (OSError, http.client.HTTPException)


class Rpc:
    """One node's JSON-RPC endpoint. Safe to share between threads: requests take turns."""

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        """`url` is http:// or https://. Nothing is sent yet. Raises Malformed."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Malformed("not a chain URL", expected="http://host:port", got=repr(url[:80]))
        self.url = url
        self._timeout = timeout_seconds
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, *params: object) -> Any:
        """The result of one call. Raises Unavailable, NodeRefused."""
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        if not isinstance(answer, dict):
            raise _unreadable(self.url)
        if answer.get("error") is not None:
            raise _refused(method, answer["error"])
        return answer.get("result")

    def batch(self, calls: Sequence[JsonRpcCall]) -> list[Any]:
        """The results in the order of the calls, sent as one request.

        A call the node refuses gives its NodeRefused as a value, so that the others' results survive.
        Raises Unavailable if the node does not answer all of them.
        """
        if not calls:
            return []
        answers = self._post(
            [
                {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
                for i, (method, params) in enumerate(calls)
            ]
        )
        if isinstance(answers, dict) and answers.get("error") is not None:
            raise _refused("batch", answers["error"])
        if not isinstance(answers, list):
            raise _unreadable(self.url)
        by_id = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and "id" in answer}
        if by_id.keys() != set(range(len(calls))):
            raise Unavailable(
                "the node did not answer the whole batch", expected=len(calls), got=len(by_id), todo="Try again."
            )
        return [_value(method, by_id[i]) for i, (method, _) in enumerate(calls)]

    def close(self) -> None:
        """Give the connection back; the next call opens a new one."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, body: object) -> Any:
        payload = msgspec.json.encode(body)
        with self._lock:
            try:
                status, content = self._exchange(payload)
            except _DOWN as down:
                self._drop()
                raise Unavailable(
                    f"the chain at {self.url} does not answer",
                    got=f"{type(down).__name__}: {down}",
                    todo="Start it, or check the URL; then try again.",
                ) from down
        try:
            return msgspec.json.decode(content)
        except msgspec.DecodeError:
            raise _unreadable(self.url, f"HTTP {status}") from None

    def _exchange(self, payload: bytes) -> tuple[int, bytes]:
        kept = self._connection is not None
        try:
            return self._once(payload)
        except _STALE:
            self._drop()
            if not kept:
                raise
            return self._once(payload)  # the node had closed a kept connection; same bytes, so nothing doubles

    def _once(self, payload: bytes) -> tuple[int, bytes]:
        connection = self._connection or self._open()
        self._connection = connection
        connection.request("POST", self._path, payload, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()

    def _open(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=self._timeout)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _value(method: str, answer: Mapping[str, Any]) -> Any:
    return _refused(method, answer["error"]) if answer.get("error") is not None else answer.get("result")


def _refused(method: str, error: object) -> NodeRefused:
    if not isinstance(error, dict):
        return NodeRefused(method, str(error))
    code = error.get("code")
    return NodeRefused(
        method,
        str(error.get("message", "no message")),
        code=code if isinstance(code, int) else None,
        returndata=_returndata(error.get("data")),
    )


def _returndata(data: object) -> bytes | None:
    """Where the engines put what a reverted call returned: in `data`, or one level down in `data.result`."""
    if isinstance(data, Mapping):
        data = next((data[name] for name in ("result", "data", "return") if data.get(name)), None)
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None


def _unreadable(url: str, got: str = "something else") -> Unavailable:
    return Unavailable(f"{url} does not speak JSON-RPC", expected="JSON-RPC 2.0", got=got, todo="Check the URL.")
