"""How does one carrier's gateway talk to another's? Structs in canonical bytes, each signed by a registered key.

Nothing that a peer sends is trusted: it is decoded into our own structs, its signature is recovered, and the registry
on chain says whether that key speaks for the carrier now.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from gateway.composition import Gateway
from gateway.signing import refuse_signer
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    NettingCycle,
    Resolution,
    Statement,
    Terms,
    calldata_carrier_registry_is_key_of,
    result_carrier_registry_is_key_of,
)
from ledger.chain.bound import Struct
from ledger.errors import GscError, Malformed, NotFound, Unavailable
from ledger.identity import Address, CarrierCode, ascii32

TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 2**31
S = TypeVar("S", bound=Struct)

PROPOSALS: Mapping[str, type[Struct]] = {
    "agreement": Terms,
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


class Peer:
    """Another carrier's gateway."""

    def __init__(self, carrier: CarrierCode, url: str) -> None:
        self.carrier = carrier
        self.url = url

    def reveal(self, struct: Struct, signature: bytes) -> bytes:
        """The archive file of one sealed batch, unchecked. Raises PeerRefused or Unavailable."""
        response = self._post("/peer/v1/reveals", {"request": _hex(encode(struct)), "signature": _hex(signature)})
        return response.content

    def propose(self, kind: str, struct: Struct, signer: CarrierCode, signature: bytes) -> bytes | None:
        """The peer's signature over the same struct, None while its desk has not agreed. Raises PeerRefused."""
        body = {"kind": kind, "struct": _hex(encode(struct)), "signer": signer, "signature": _hex(signature)}
        answer = self._post("/peer/v1/proposals", body).json()
        given = answer.get("signature")
        return bytes.fromhex(given[2:]) if isinstance(given, str) and given.startswith("0x") else None

    def _post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        try:
            with httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                response = client.post(path, json=body)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.carrier}'s gateway does not answer",
                got=f"{self.url}: {error}",
                todo="Try again once it runs; nothing was changed.",
            ) from None
        if response.status_code >= 400:
            raise _refused(self.carrier, response)
        return response


def peer_of(gateway: Gateway, carrier: CarrierCode) -> Peer:
    """A carrier's gateway as our settings know it. Raises NotFound."""
    url = gateway.settings.peers.get(carrier)
    if url is None:
        known = ", ".join(gateway.settings.peers) or "no peer"
        raise NotFound(f"no gateway of {carrier} is known", expected=f"[peers] {carrier} = URL", got=known)
    return Peer(carrier, url)


def _refused(carrier: CarrierCode, response: httpx.Response) -> GscError:
    problem: Any
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    if response.status_code >= 500 and response.status_code != 503:
        return Unavailable(f"{carrier}'s gateway failed", got=f"HTTP {response.status_code}")
    detail = str(problem.get("detail", f"HTTP {response.status_code}"))[:500]
    return PeerRefused(
        f"{carrier}'s gateway refuses: {detail}",
        expected=problem.get("expected"),
        got=problem.get("got"),
        todo=str(problem.get("todo", "")),
        peer=carrier,
        peer_problem=str(problem.get("type", "")),
    )


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
