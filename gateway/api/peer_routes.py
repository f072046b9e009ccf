"""What may other carriers' gateways ask? Records of closed periods, our signature under what both drew, and an ear."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gateway.answers import as_json
from gateway.api.models import EntryBody, ProposalBody, RevealBody
from gateway.composition import Gateway, partnership_of_id
from gateway.month.accepting import check_statement
from gateway.month.amending import check_amendment
from gateway.month.countersigning import Offer, keep_proposal, read_offer, sign_own
from gateway.month.netting import check_cycle
from gateway.month.resolving import check_resolution
from gateway.peers import require_key
from gateway.reveal import answer_reveal
from gateway.thread.receiving import receive_entry
from ledger.chain.bindings import Amendment, NettingCycle, Resolution, Statement, Terms
from ledger.chain.bound import Struct
from ledger.errors import Malformed, NotFound
from ledger.identity import AgreementId, CarrierCode
from ledger.period import period_of_key
from ledger.store.engine import reading
from ledger.store.settlement import dispute_of

router = APIRouter(prefix="/peer/v1", tags=["between carriers"])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]


@router.post("/reveals", response_class=Response)
def post_reveal(body: RevealBody, gateway: TheGateway) -> Response:
    """The sealed records a signed request asks for, as the Parquet file that was sealed."""
    content = answer_reveal(gateway, body.request, body.signature)
    return Response(content, media_type="application/vnd.apache.parquet")


@router.post("/proposals")
def post_proposal(body: ProposalBody, gateway: TheGateway) -> Any:
    """Takes a peer's signature under a statement, resolution, agreement, amendment or netting cycle; answers with ours
    if our desk has signed the same, or null if it has not yet."""
    struct = read_offer(body.kind, body.struct)
    signer = CarrierCode(body.signer)
    require_key(gateway, signer, struct, body.signature)
    offer = _offer(gateway, body.kind, struct, signer)
    if isinstance(struct, NettingCycle):
        check_cycle(gateway, struct, signer)
        sign_own(gateway, offer)
    given = keep_proposal(gateway, offer, signer, body.signature)
    return {"digest": as_json(gateway.signer.digest(struct)), "signature": as_json(given)}


@router.post("/dispute-entries")
def post_entry(body: EntryBody, gateway: TheGateway) -> Any:
    """Takes a peer's signed entry of a dispute's thread, with its files."""
    files = [(each.name, each.content) for each in body.files]
    row = receive_entry(gateway, body.struct, body.signature, body.text, files)
    return {"digest": as_json(row.digest), "number": row.number}


def _offer(gateway: Gateway, kind: str, struct: Struct, signer: CarrierCode) -> Offer:
    """What the struct is about: its signer must be the counterparty, its figures those that we draw from the chain.

    Raises NotFound, Refused (naming what differs), Conflict.
    """
    match struct:
        case Terms():
            return _with_counterparty(gateway, kind, struct, AgreementId(struct.struct_hash()), signer)
        case Amendment():
            offer = _with_counterparty(gateway, kind, struct, struct.agreement_id, signer)
            check_amendment(gateway, partnership_of_id(gateway.settings, struct.agreement_id), struct)
            return offer
        case Statement():
            offer = _with_counterparty(gateway, kind, struct, struct.agreement_id, signer, struct.period)
            check_statement(gateway, partnership_of_id(gateway.settings, struct.agreement_id), struct)
            return offer
        case Resolution():
            gateway.catch_up()
            with reading(gateway.engine) as connection:
                row = dispute_of(connection, struct.dispute_id)
            offer = _with_counterparty(gateway, kind, struct, row.agreement_id, signer, row.period.key)
            check_resolution(row, struct)
            return offer
        case NettingCycle():
            return Offer(kind, struct)
    raise Malformed("not a proposal", got=type(struct).__name__)


def _with_counterparty(
    gateway: Gateway,
    kind: str,
    struct: Struct,
    agreement_id: AgreementId,
    signer: CarrierCode,
    period: int | None = None,
) -> Offer:
    held = partnership_of_id(gateway.settings, agreement_id)
    if signer != held.partner:
        raise NotFound("no such agreement", got=f"0x{agreement_id.hex()}")
    return Offer(kind, struct, agreement_id, None if period is None else period_of_key(period))
