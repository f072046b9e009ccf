"""How do carriers come to sign the same struct? Each signs on its own desk's word, and shows the other its signature.

Our signature goes out when our desk has agreed; a peer's is kept when it comes; the call to the contract is made once
every party's signature is there. A struct that differs in one figure has another digest: nothing is signed by mistake.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway
from gateway.peers import PROPOSALS as KINDS
from gateway.peers import Peer, decode, encode, peer_of, require_key
from ledger.chain.bound import Struct
from ledger.errors import Malformed, Refused
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.store.engine import reading, writing
from ledger.store.proposals import Proposal, record_proposal, signatures_of


@dataclass(frozen=True, slots=True)
class Offer:
    """A struct that several carriers sign, and what it is about."""

    kind: str
    struct: Struct
    agreement_id: AgreementId | None = None
    period: Period | None = None


def sign_own(gateway: Gateway, offer: Offer) -> bytes:
    """Sign and remember it; the digest. From then on peers that offer the same get our signature."""
    signed = gateway.signer.sign(offer.struct)
    with writing(gateway.engine) as connection:
        _record(gateway, connection, offer, gateway.carrier, signed.signature)
    return signed.digest


def collect(gateway: Gateway, offer: Offer, parties: Iterable[CarrierCode]) -> Mapping[CarrierCode, bytes]:
    """Our signature and those the other parties give now; whoever is missing has not agreed yet.

    Raises Unavailable, PeerRefused, SignatureRefused.
    """
    digest = sign_own(gateway, offer)
    with reading(gateway.engine) as connection:
        signatures = signatures_of(connection, offer.kind, digest)
    for party in parties:
        if party not in signatures:
            given = _ask(gateway, peer_of(gateway, party), offer, signatures[gateway.carrier])
            if given is not None:
                signatures[party] = given
    return signatures


def keep_proposal(gateway: Gateway, offer: Offer, signer: CarrierCode, signature: bytes) -> bytes | None:
    """A peer's offer arrives: check and keep its signature; ours, if our desk has signed the same.

    Raises SignatureRefused, Malformed.
    """
    require_key(gateway, signer, offer.struct, signature)
    with writing(gateway.engine) as connection:
        _record(gateway, connection, offer, signer, signature)
        return signatures_of(connection, offer.kind, gateway.signer.digest(offer.struct)).get(gateway.carrier)


def read_offer(kind: str, raw: bytes) -> Struct:
    """A peer's struct of a kind that carriers sign together. Raises Malformed."""
    if kind not in KINDS:
        raise Malformed("not a proposal", expected=" or ".join(KINDS), got=repr(kind[:40]))
    return decode(KINDS[kind], raw)


def refuse_difference(what: str, ours: object, theirs: object) -> Refused:
    """The refusal of a struct whose figures are not what we draw ourselves."""
    return Refused(
        f"{what} is not what we draw from the chain", expected=ours, got=theirs, todo="Follow the chain, draw it again."
    )


def _ask(gateway: Gateway, peer: Peer, offer: Offer, own: bytes) -> bytes | None:
    given = peer.propose(offer.kind, offer.struct, gateway.carrier, own)
    if given is None:
        return None
    require_key(gateway, peer.carrier, offer.struct, given)
    with writing(gateway.engine) as connection:
        _record(gateway, connection, offer, peer.carrier, given)
    return given


def _record(gateway: Gateway, connection: Connection, offer: Offer, signer: CarrierCode, signature: bytes) -> None:
    proposal = Proposal(
        kind=offer.kind,
        digest=gateway.signer.digest(offer.struct),
        signer=signer,
        agreement_id=offer.agreement_id,
        period=offer.period,
        struct=encode(offer.struct),
        signature=signature,
        received_at_ms=gateway.clock.now_ms(),
    )
    record_proposal(connection, proposal)
