"""How does one message reach an address? One POST to the address that was checked; no redirects, no proxies."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.webhooks.addresses import Network, Resolve, checked_address, parse_target, system_resolve
from ledger.errors import GscError

TIMEOUT_SECONDS = 15.0
"""From the first byte to the last, the name's resolution apart."""
MAX_ANSWER_BYTES = 4096
"""Read of an answer; the rest is left."""
GONE = 410


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message."""

    status: int | None
    """Of HTTP, None if no answer came."""
    failure: str | None
    """None if it was taken: any status from 200 to 299."""


class Send(Protocol):
    """Brings one message to a URL."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        """Never raises for what the other side does: that is a finding."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends by this machine's network."""

    allowed: Sequence[Network] = ()
    """Own networks, where http is enough."""
    resolve: Resolve = system_resolve
    timeout_seconds: float = TIMEOUT_SECONDS
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def check(self, url: str) -> None:
        """Whether this may be a webhook's address now. Raises Malformed, WebhookAddressRefused."""
        checked_address(parse_target(url), self.allowed, self.resolve)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        try:
            target = parse_target(url)
            address = checked_address(target, self.allowed, self.resolve)
        except GscError as error:
            return Taken(None, f"{error.message}: {error.got}")
        context = self.trust if target.secure else None
        attempt = _Attempt(self.timeout_seconds)
        try:
            stream = attempt.connect(address, target.port, context, target.host)
            return _post(stream, target.host, target.path, {"Host": target.authority, **headers}, body)
        except (OSError, http.client.HTTPException) as error:
            late = attempt.ended.is_set() or isinstance(error, TimeoutError)
            said = f"no answer within {self.timeout_seconds:g} s" if late else f"{type(error).__name__}: {error}"
            return Taken(None, _line(said))
        finally:
            attempt.close()


class _Attempt:
    """One connection with one deadline: a server that drips does not hold us."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ended = threading.Event()
        self._stream: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def connect(self, address: str, port: int, context: ssl.SSLContext | None, host: str) -> socket.socket:
        """A stream to the very address, with the name for TLS."""
        self._timer.start()
        self._stream = socket.create_connection((address, port), timeout=self.seconds)
        if context is not None:
            self._stream = context.wrap_socket(self._stream, server_hostname=host, do_handshake_on_connect=False)
            self._stream.do_handshake()
        return self._stream

    def close(self) -> None:
        self._timer.cancel()
        if self._stream is not None:
            self._stream.close()

    def _end(self) -> None:
        self.ended.set()
        if self._stream is not None:
            try:
                socket.socket.shutdown(self._stream, socket.SHUT_RDWR)
            except OSError:
                return


def _post(stream: socket.socket, host: str, path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    connection = http.client.HTTPConnection(host)
    connection.sock = stream
    connection.request("POST", path, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    said = response.read(MAX_ANSWER_BYTES)
    if 200 <= response.status < 300:
        return Taken(response.status, None)
    return Taken(response.status, _line(f"HTTP {response.status} {said[:120].decode('utf-8', 'replace')}"))


def _line(text: str) -> str:
    """Fit for a line of ours: short, printable."""
    return "".join(each if each.isprintable() else " " for each in text)[:200].strip()
