"""What can a member do over HTTP? Propose, approve, execute and join; and what do the members' words come to?"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from gateway import month
from gateway.answers import as_json
from gateway.api.guard import require_desk, require_reader
from gateway.api.models import Strict
from gateway.api.month_routes import DryRun, hex32
from gateway.api.once import OnceRoute
from gateway.composition import Gateway

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["the members"], dependencies=[Depends(require_desk)])
reads = APIRouter(prefix="/v1", tags=["what stands"], dependencies=[Depends(require_reader)])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]
Word = Annotated[str, Field(max_length=80)]


class ProposalBody(Strict):
    """A decision and its arguments, as `gsc members propose` takes them."""

    decision: Annotated[Word, Field(examples=["grant-licence"])]
    arguments: Annotated[
        dict[Word, Word], Field(examples=[{"carrier": "GB-B", "licence": "BASIC-INTL", "from": "2026-09-01"}])
    ]


@reads.get("/members")
def get_members(gateway: TheGateway) -> Any:
    """Members, open proposals with their delay, carriers, licences and international gateways."""
    return as_json(month.list_members(gateway))


@router.post("/member-proposals")
def post_proposal(body: ProposalBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Propose a decision; if the same one is proposed already, approve it."""
    return as_json(month.propose(gateway, body.decision, body.arguments, dry_run=dry_run))


@router.post("/member-proposals/{proposal_id}/approval")
def post_approval(proposal_id: str, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Approve an open proposal."""
    return as_json(month.approve(gateway, hex32(proposal_id), dry_run=dry_run))


@router.post("/member-proposals/{proposal_id}/execution")
def post_execution(proposal_id: str, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Execute what enough members approved; before its delay is over it waits in the outbox."""
    return as_json(month.execute(gateway, hex32(proposal_id), dry_run=dry_run))


@router.post("/memberships")
def post_membership(gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Accept the members' invitation with this gateway's sending key."""
    return as_json(month.join(gateway, dry_run=dry_run))
