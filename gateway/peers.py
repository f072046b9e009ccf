"""How does one carrier's gateway talk to another's? Structs in canonical bytes, each signed by a registered key.

Nothing that a peer sends is trusted: it is decoded into our own structs, its signature is recovered, and the registry
on chain says whether that key speaks for the carrier now.
"""

import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import httpx
import msgspec

from gateway.composition import Gateway
from gateway.signing import refuse_signer
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    Amendment,
    NettingCycle,
    Resolution,
    Statement,
    Terms,
    calldata_carrier_registry_is_key_of,
    result_carrier_registry_is_key_of,
)
from ledger.chain.bound import Struct
from ledger.errors import Conflict, GscError, Malformed, NotFound, Unavailable
from ledger.identity import Address, CarrierCode, ascii32

TIMEOUT_SECONDS = 30.0
"""Without a byte from the peer."""
WHOLE_ANSWER_SECONDS = 900.0
"""From the first byte to the last: a peer that drips holds a worker no longer."""
MAX_ANSWER_BYTES = 2**20
"""Of an answer or a problem document."""
MAX_BRACKETS = 256
"""Of a peer's JSON answer; ours have fewer than ten."""
MAX_TOLD_CHARACTERS = 300
"""Of each sentence of a peer's refusal that we pass on."""
CHUNK_BYTES = 2**16
PLAIN = {"Accept-Encoding": "identity"}
S = TypeVar("S", bound=Struct)

PROPOSALS: Mapping[str, type[Struct]] = {
    "agreement": Terms,
    "amendment": Amendment,
    "statement": Statement,
    "resolution": Resolution,
    "netting_cycle": NettingCycle,
}
"""What carriers sign together, by the store's word for it."""


class PeerRefused(GscError):
    """A peer's gateway answered with a problem; slug and status are the peer's."""

    slug, status = "peer-refused", 409


def encode(struct: Struct) -> bytes:
    """A struct as peers and the store exchange it."""
    return struct.abi_encode()


def decode(kind: type[S], raw: bytes) -> S:
    """The struct behind `encode`. Raises Malformed unless it encodes to the very same bytes."""
    try:
        struct = kind(*decode_all([each for _, each in kind.FIELDS], raw))
    except (ValueError, IndexError, TypeError) as error:
        raise Malformed(f"not a {kind.__name__}", got=str(error)[:120]) from None
    if struct.abi_encode() != raw:
        raise Malformed(f"not the canonical bytes of a {kind.__name__}", got=f"{len(raw)} bytes")
    return struct


def require_key(gateway: Gateway, carrier: CarrierCode, struct: Struct, signature: bytes) -> Address:
    """The carrier's key that signed the struct. Raises SignatureRefused unless the registry knows it as valid now."""
    signer = gateway.signer.domains.signer_of(struct, signature)
    at = gateway.client.now_ms() // 1000
    known = gateway.client.view(
        gateway.network.carrier_registry,
        calldata_carrier_registry_is_key_of(ascii32(carrier), signer, at),
        result_carrier_registry_is_key_of,
    )
    if not known:
        raise refuse_signer(f"the signature is not {carrier}'s", f"a key of {carrier} in the registry", signer)
    return signer


class TooMuch(Conflict):
    """A peer sends more bytes than what we asked for can have; the rest was not read."""

    slug = "peer-sends-too-much"


class Peer:
    """Another carrier's gateway."""

    def __init__(self, carrier: CarrierCode, url: str) -> None:
        self.carrier = carrier
        self.url = url

    def reveal(self, struct: Struct, signature: bytes, most_bytes: int) -> bytes:
        """The archive file of one sealed batch, unchecked. Raises PeerRefused, Unavailable, TooMuch."""
        body = {"request": _hex(encode(struct)), "signature": _hex(signature)}
        return self._post("/peer/v1/reveals", body, most_bytes)

    def propose(self, kind: str, struct: Struct, signer: CarrierCode, signature: bytes) -> bytes | None:
        """The peer's signature over the same struct, None while its desk has not agreed.

        Raises PeerRefused, Unavailable, TooMuch, Malformed for an answer that is none.
        """
        body = {"kind": kind, "struct": _hex(encode(struct)), "signer": signer, "signature": _hex(signature)}
        content = self._post("/peer/v1/proposals", body, MAX_ANSWER_BYTES)
        given = _document(content).get("signature", "")
        if given is None:
            return None
        try:
            return bytes.fromhex(str(given).removeprefix("0x"))
        except ValueError:
            raise Malformed(
                f"{self.carrier}'s gateway gives no signature", expected="0x and digits, or null", got=told(given)
            ) from None

    def deliver_entry(self, struct: Struct, signature: bytes, text: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Bring an entry of a dispute's thread. Raises PeerRefused, Unavailable, TooMuch."""
        sent = [{"name": name, "content": b64encode(content).decode("ascii")} for name, content in files]
        body = {"struct": _hex(encode(struct)), "signature": _hex(signature), "text": text, "files": sent}
        self._post("/peer/v1/dispute-entries", body, MAX_ANSWER_BYTES)

    def _post(self, path: str, body: Mapping[str, object], most_bytes: int) -> bytes:
        try:
            with (
                httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False) as client,
                client.stream("POST", path, json=body, headers=PLAIN) as response,
            ):
                refused = response.status_code != httpx.codes.OK
                content = self._received(response, MAX_ANSWER_BYTES if refused else most_bytes)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.carrier}'s gateway does not answer",
                got=f"{self.url}: {told(error)}",
                todo="Try again once it runs; nothing was changed.",
            ) from None
        if refused:
            raise _refused(self.carrier, response.status_code, content)
        return content

    def _received(self, response: httpx.Response, most_bytes: int) -> bytes:
        """The body as it came, up to a bound: nothing is unpacked, and what the headers promise does not count."""
        content = bytearray()
        ends_at = time.monotonic() + WHOLE_ANSWER_SECONDS
        for piece in response.iter_raw(CHUNK_BYTES):
            content += piece
            if len(content) > most_bytes or time.monotonic() > ends_at:
                raise TooMuch(
                    f"{self.carrier}'s gateway answers with more than there is",
                    expected=f"at most {most_bytes} bytes within {WHOLE_ANSWER_SECONDS:.0f} s",
                    got=f"{len(content)} bytes and no end",
                    todo=f"Ask {self.carrier} to repair its gateway; nothing was kept.",
                )
        return bytes(content)


def peer_of(gateway: Gateway, carrier: CarrierCode) -> Peer:
    """A carrier's gateway as our settings know it. Raises NotFound."""
    url = gateway.settings.peers.get(carrier)
    if url is None:
        known = ", ".join(gateway.settings.peers) or "no peer"
        raise NotFound(f"no gateway of {carrier} is known", expected=f"[peers] {carrier} = URL", got=known)
    return Peer(carrier, url)


def told(words: object) -> str:
    """What a peer says, fit for a line of ours: short, printable, on one line."""
    text = " ".join(str(words)[: 4 * MAX_TOLD_CHARACTERS].split())
    return "".join(each if each.isprintable() else "?" for each in text)[:MAX_TOLD_CHARACTERS]


def _refused(carrier: CarrierCode, status: int, content: bytes) -> GscError:
    if not 400 <= status < 500 and status != httpx.codes.SERVICE_UNAVAILABLE:
        return Unavailable(f"{carrier}'s gateway failed", got=f"HTTP {status}")
    problem = _document(content)
    expected, got = (told(problem[name]) if problem.get(name) is not None else None for name in ("expected", "got"))
    return PeerRefused(
        f"{carrier}'s gateway refuses: {told(problem.get('detail', f'HTTP {status}'))}",
        expected=expected,
        got=got,
        todo=told(problem.get("todo", "")),
        peer=carrier,
        peer_problem=told(problem.get("type", "")),
    )


def _document(content: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer, empty if it is none. Brackets are counted first: how many a reader's stack bears is
    not for a recursion limit to say, which libraries raise."""
    if content.count(b"[") + content.count(b"{") > MAX_BRACKETS:
        return {}
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
