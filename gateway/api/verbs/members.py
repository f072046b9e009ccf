"""What can a member do over HTTP? Propose, approve, execute and join; and what do the members' words come to?"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from gateway import month
from gateway.answers import as_json
from gateway.api.describing import answered
from gateway.api.guard import require_desk, require_reader
from gateway.api.models import Strict
from gateway.api.once import OnceRoute
from gateway.api.verbs.parts import DryRun, Id32, Key, TheGateway, raw_of
from gateway.health import health_of

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["the members"], dependencies=[Depends(require_desk)])
reads = APIRouter(prefix="/v1", tags=["the gateway"], dependencies=[Depends(require_reader)])
Word = Annotated[str, Field(max_length=80)]


class ProposalBody(Strict):
    """A decision and its arguments, as `gsc members propose` takes them."""

    decision: Annotated[Word, Field(examples=["grant-licence"])]
    arguments: Annotated[
        dict[Word, Word], Field(examples=[{"carrier": "GB-B", "licence": "BASIC-INTL", "from": "2026-09-01"}])
    ]


@reads.get("/health", operation_id="health", responses=answered(health_of))
def get_health(gateway: TheGateway) -> JSONResponse:
    """How far behind the chain we are and what the outbox holds."""
    return JSONResponse(as_json(health_of(gateway)))


@reads.get("/membership", operation_id="list_members", responses=answered(month.list_members))
def get_members(gateway: TheGateway) -> JSONResponse:
    """Members, open proposals with their delay, carriers, licences and international gateways."""
    return JSONResponse(as_json(month.list_members(gateway)))


@router.post("/membership", operation_id="join", responses=answered(month.join))
def post_membership(gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Accept the members' invitation with this gateway's sending key."""
    return JSONResponse(as_json(month.join(gateway, dry_run=dry_run)))


@router.post("/memberProposal", operation_id="propose", responses=answered(month.propose))
def post_proposal(body: ProposalBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Propose a decision; if the same one is proposed already, approve it."""
    return JSONResponse(as_json(month.propose(gateway, body.decision, body.arguments, dry_run=dry_run)))


@router.post("/memberProposal/{id}/approval", operation_id="approve", responses=answered(month.approve))
def post_approval(id: Id32, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Approve an open proposal."""
    return JSONResponse(as_json(month.approve(gateway, raw_of(id), dry_run=dry_run)))


@router.post("/memberProposal/{id}/execution", operation_id="execute", responses=answered(month.execute))
def post_execution(id: Id32, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Execute what enough members approved; before its delay is over it waits in the outbox."""
    return JSONResponse(as_json(month.execute(gateway, raw_of(id), dry_run=dry_run)))
