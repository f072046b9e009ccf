"""May this peer see these records? Only the counterparty, only after both closes, and each request once."""

import hashlib

from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.revealing import require_closed
from gateway.peers import decode, require_key
from gateway.requests import REQUEST_SECONDS, RevealRequest
from ledger.archive import archive_name
from ledger.errors import NotFound, Refused, RequestConflict
from ledger.identity import Root, text_of_ascii32
from ledger.period import period_of_key
from ledger.store.batches import batch_of_root
from ledger.store.declarations import closed_by
from ledger.store.engine import reading, writing
from ledger.store.idempotency import Answer, answer, ask


def answer_reveal(gateway: Gateway, raw: bytes, signature: bytes) -> bytes:
    """The archive file a signed request asks for, as it was sealed.

    Raises SignatureRefused (not the counterparty's key), PeriodStillOpen, NotFound (also for what is not theirs to
    see), Refused (too late or too far ahead), RequestConflict (the same request again).
    """
    request = decode(RevealRequest, raw)
    held = _counterparty(gateway, request)
    require_key(gateway, held.partner, request, signature)
    _require_timely(gateway, request)
    gateway.catch_up()
    period = period_of_key(request.period)
    with reading(gateway.engine) as connection:
        require_closed(held, period, closed_by(connection, held.id, period))
        batch = batch_of_root(connection, Root(request.root))
    if batch.scope.agreement_id != held.id or batch.scope.period != period:
        raise NotFound("no batch with this root", got=request.root.hex())
    content = (gateway.settings.archive_path / archive_name(batch.root)).read_bytes()
    _use_once(gateway, held, request)
    return content


def _counterparty(gateway: Gateway, request: RevealRequest) -> Partnership:
    held = partnership_of_id(gateway.settings, request.agreement_id)
    if text_of_ascii32(request.requester) != held.partner:
        raise NotFound("no such agreement", got=f"0x{request.agreement_id.hex()}")
    return held


def _require_timely(gateway: Gateway, request: RevealRequest) -> None:
    now = gateway.now_s
    if not now <= request.deadline <= now + 2 * REQUEST_SECONDS:
        raise Refused(
            "the request is out of time",
            expected=f"a deadline from {now} to {now + 2 * REQUEST_SECONDS}",
            got=request.deadline,
            todo="Compare the clocks of both gateways, then ask again.",
        )


def _use_once(gateway: Gateway, held: Partnership, request: RevealRequest) -> None:
    """A request that was overheard is worth nothing: its nonce counts once."""
    hashed = hashlib.sha256(request.abi_encode()).digest()
    with writing(gateway.engine) as connection:
        key = request.nonce.hex()
        if ask(connection, f"reveal {held.partner}", key, hashed, gateway.clock.now_ms()) is not None:
            raise RequestConflict("this request was answered before", got=key, todo="Ask with a new nonce.")
        answer(connection, f"reveal {held.partner}", key, Answer(200, "text/plain", b"answered"))
