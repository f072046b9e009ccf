"""What does the desk do to settle? Dispute, accept, net, pay, confirm, age."""

import tempfile
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from gateway import month
from gateway.answers import as_json
from gateway.api.describing import answered
from gateway.api.guard import Desk, no_such_resource, require_desk
from gateway.api.models import ConfirmationBody, CycleBody, DisputesBody, PaymentBody, ResolutionBody
from gateway.api.once import OnceRoute
from gateway.api.resources.bills import CUSTOMER_BILL
from gateway.api.resources.etags import check_unchanged, etag_of
from gateway.api.resources.kind import find_one, told
from gateway.api.verbs.parts import DryRun, Id32, IfMatch, Key, TheGateway, currency_of, raw_of, receive_file
from gateway.composition import partnership_of_id, partnerships
from gateway.documents.bank.confirming import confirm_from_bank
from ledger.errors import Malformed
from ledger.identity import CarrierCode, carrier_code
from ledger.money import Micros
from ledger.period import Period, parse_period
from ledger.store.engine import reading
from ledger.store.settlement import dispute_of

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["settlement"], dependencies=[Depends(require_desk)])
BANK_BODY = {"required": True, "content": {"application/xml": {"schema": {"type": "string", "format": "binary"}}}}


@router.post("/dispute", operation_id="dispute", responses=answered(month.dispute))
def post_disputes(body: DisputesBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Open a dispute for each cause outside tolerance that costs us money; on request also for what is not revealed."""
    partner, period = carrier_code(body.partner), parse_period(body.period)
    answer = month.dispute(gateway, partner, period, unrevealed=body.unrevealed, again=body.again, dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/dispute/{id}/investigation", operation_id="investigate", responses=answered(month.take_up))
def post_investigation(id: Id32, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """As creditor, take a dispute up: the debtor sees that somebody looks into it."""
    return JSONResponse(as_json(month.take_up(gateway, raw_of(id), dry_run=dry_run)))


@router.post("/dispute/{id}/resolution", operation_id="resolve", responses=answered(month.resolve))
def post_resolution(
    id: Id32, body: ResolutionBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Agree how much of a dispute is credited; on chain once both have signed the same."""
    over = raw_of(id)
    with reading(gateway.engine) as connection:
        held = partnership_of_id(gateway.settings, dispute_of(connection, over).agreement_id)
    credited = Micros(body.credited.micros(held.currency))
    return JSONResponse(as_json(month.resolve(gateway, over, credited, dry_run=dry_run)))


@router.post("/dispute/{id}/withdrawal", operation_id="withdraw_dispute", responses=answered(month.withdraw))
def post_withdrawal(id: Id32, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Take one of our disputes back."""
    return JSONResponse(as_json(month.withdraw(gateway, raw_of(id), dry_run=dry_run)))


@router.post("/customerBill/{id}/acceptance", operation_id="accept", responses=answered(month.accept))
def post_acceptance(
    request: Request,
    id: Annotated[str, Path(max_length=140, examples=["GB-B.2026-10"])],
    gateway: TheGateway,
    session: Desk,
    if_match: IfMatch = None,
    key: Key = None,
    dry_run: DryRun = False,
) -> Response:
    """Agree to the bill that the ETag saw; on chain once both desks have."""
    partner, period = _bill_of(id)
    if partner not in partnerships(gateway.settings):
        raise no_such_resource()
    gateway.catch_up()
    bill = find_one(gateway, session, CUSTOMER_BILL, id)
    check_unchanged(request, etag_of(told(bill)), bill.href)
    return JSONResponse(as_json(month.accept(gateway, partner, period, dry_run=dry_run)))


@router.post("/nettingCycle", operation_id="net", responses=answered(month.net))
def post_cycle(body: CycleBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Draw a netting cycle, collect every party's signature and submit it."""
    return JSONResponse(as_json(month.net(gateway, body.currency, dry_run=dry_run)))


@router.post("/payment", operation_id="pay", responses=answered(month.pay))
def post_payment(body: PaymentBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Pay one of our payables in the settlement token; under one key once, also if an earlier answer was lost."""
    currency = currency_of(gateway, body.payable)
    amount = Micros(body.amount.micros(currency)) if body.amount else None
    return JSONResponse(as_json(month.pay(gateway, body.payable, amount, key=key, dry_run=dry_run)))


@router.post("/paymentConfirmation", operation_id="confirm", responses=answered(month.confirm))
def post_confirmation(
    body: ConfirmationBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """As creditor, confirm that money arrived at the bank."""
    amount = Micros(body.amount.micros(currency_of(gateway, body.payable)))
    return JSONResponse(as_json(month.confirm(gateway, body.payable, amount, body.bankReference, dry_run=dry_run)))


@router.post(
    "/bankStatement",
    operation_id="confirm_from_bank",
    responses=answered(confirm_from_bank),
    openapi_extra={"requestBody": BANK_BODY},
)
async def post_bank_statement(
    request: Request,
    gateway: TheGateway,
    name: Annotated[str, Query(max_length=200, examples=["2026-12-01.xml"])] = "bank.xml",
    key: Key = None,
    dry_run: DryRun = False,
) -> JSONResponse:
    """As creditor, confirm what the bank's camt.053 or camt.054 says arrived: the body is the file.

    A booking pays the payable that it names, once; what did not match is told with its reason.
    """
    with tempfile.NamedTemporaryFile(prefix="gsc-bank-", suffix=".xml") as kept:
        await receive_file(request.stream(), FilePath(kept.name))
        answer = await run_in_threadpool(
            confirm_from_bank, gateway, FilePath(kept.name), name=FilePath(name).name, dry_run=dry_run
        )
    return JSONResponse(as_json(answer))


@router.post("/ageing", operation_id="age", responses=answered(month.age))
def post_ageing(gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Age what is open and take what is owed to us up the ladder where it is ripe."""
    return JSONResponse(as_json(month.age(gateway, dry_run=dry_run)))


def _bill_of(text: str) -> tuple[CarrierCode, Period]:
    partner, _, period = text.partition(".")
    try:
        return carrier_code(partner), parse_period(period)
    except Malformed:
        raise no_such_resource() from None
