"""What does the desk do before a month? Agreements, rate decks, credit lines, and where money to us goes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from gateway import month
from gateway.answers import as_json
from gateway.api.describing import answered
from gateway.api.guard import Desk, require_desk
from gateway.api.models import CreditBody, PartnerBody, RatesBody
from gateway.api.once import OnceRoute
from gateway.api.resources.credit import CREDIT
from gateway.api.resources.etags import check_unchanged, etag_of
from gateway.api.resources.kind import find_one, told
from gateway.api.verbs.parts import DryRun, IfMatch, Key, TheGateway
from gateway.composition import partnership_with
from ledger.chain.bindings import LimitPolicy, RateChange
from ledger.errors import Refused
from ledger.identity import Address, carrier_code
from ledger.money import Micros
from ledger.service import Service

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["before the month"], dependencies=[Depends(require_desk)])


@router.post("/agreement", operation_id="sign_agreement", responses=answered(month.sign_agreement))
def post_agreement(body: PartnerBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Sign the agreement with a partner; on chain once both have."""
    return JSONResponse(as_json(month.sign_agreement(gateway, carrier_code(body.partner), dry_run=dry_run)))


@router.post("/agreementAmendment", operation_id="amend_agreement", responses=answered(month.amend))
def post_amendment(body: PartnerBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Sign the next version of the agreement with a partner; on chain once both have."""
    return JSONResponse(as_json(month.amend(gateway, carrier_code(body.partner), dry_run=dry_run)))


@router.post("/rateDeck", operation_id="publish_rates", responses=answered(month.publish_rates))
def post_rates(body: RatesBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Publish the hash of one of our rate decks."""
    change = RateChange[body.change.upper()] if body.change else None
    answer = month.publish_rates(
        gateway,
        carrier_code(body.partner),
        body.deck,
        body.effectiveAt,
        service=Service[body.service.upper()],
        change=change,
        dry_run=dry_run,
    )
    return JSONResponse(as_json(answer))


@router.patch("/settlementAccount/{id}", operation_id="grant_credit", responses=answered(month.grant_credit))
def patch_credit(
    request: Request,
    id: Annotated[str, Path(max_length=140, examples=["CN-T.GB-B"])],
    body: CreditBody,
    gateway: TheGateway,
    session: Desk,
    if_match: IfMatch = None,
    key: Key = None,
    dry_run: DryRun = False,
) -> Response:
    """Grant a debtor of ours another credit line than the one that the ETag saw."""
    seen = find_one(gateway, session, CREDIT, id)
    if seen.creditor != gateway.carrier:
        raise Refused("a credit line is the creditor's word", expected=gateway.carrier, got=seen.creditor)
    check_unchanged(request, etag_of(told(seen)), seen.href)
    partner = carrier_code(seen.debtor)
    limit = body.creditLimit.micros(partnership_with(gateway.settings, partner).currency)
    answer = month.grant_credit(gateway, partner, Micros(limit), LimitPolicy[body.policy.upper()], dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/payee", operation_id="set_payee", responses=answered(month.set_payee))
def post_payee(
    gateway: TheGateway,
    payee: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{40}$")] = None,
    key: Key = None,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Say where token payments to us go; without payee our sending address."""
    return JSONResponse(as_json(month.set_payee(gateway, Address(payee) if payee else None, dry_run=dry_run)))
