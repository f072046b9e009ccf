"""What can the desk do with deposits over HTTP?"""

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from gateway import month
from gateway.answers import as_json
from gateway.api.describing import answered
from gateway.api.guard import require_desk
from gateway.api.models import DepositBody, PayableBody, PaymentBody, WithdrawalBody
from gateway.api.once import OnceRoute
from gateway.api.verbs.parts import DryRun, Key, TheGateway, currency_of
from gateway.composition import Gateway, partnership_with
from ledger.chain.abi import address_bytes
from ledger.identity import Address, carrier_code
from ledger.money import Micros

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["deposits"], dependencies=[Depends(require_desk)])


@router.post("/deposit", operation_id="deposit", responses=answered(month.deposit))
def post_deposit(body: DepositBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Deposit money for what we owe a partner; under one key once, also if an earlier answer was lost."""
    amount = _amount(gateway, body)
    return JSONResponse(as_json(month.deposit(gateway, carrier_code(body.partner), amount, key=key, dry_run=dry_run)))


@router.post("/depositWithdrawal", operation_id="withdraw_deposit", responses=answered(month.withdraw_deposit))
def post_withdrawal(
    body: WithdrawalBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Take back what the exposure does not need."""
    if body.to is not None:
        address_bytes(body.to)
    payee = Address(body.to) if body.to else None
    partner, amount = carrier_code(body.partner), _amount(gateway, body)
    return JSONResponse(as_json(month.withdraw_deposit(gateway, partner, amount, payee, dry_run=dry_run)))


@router.post("/depositApplication", operation_id="apply_deposit", responses=answered(month.apply_deposit))
def post_application(body: PaymentBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Pay one of our payables out of our deposit; without amount as much as possible."""
    currency = currency_of(gateway, body.payable)
    amount = Micros(body.amount.micros(currency)) if body.amount else None
    return JSONResponse(as_json(month.apply_deposit(gateway, body.payable, amount, dry_run=dry_run)))


@router.post("/depositSeizure", operation_id="seize_deposit", responses=answered(month.seize_deposit))
def post_seizure(body: PayableBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Have a terminated payable paid out of its debtor's deposit."""
    currency_of(gateway, body.payable)
    return JSONResponse(as_json(month.seize_deposit(gateway, body.payable, dry_run=dry_run)))


def _amount(gateway: Gateway, body: DepositBody) -> Micros:
    held = partnership_with(gateway.settings, carrier_code(body.partner))
    return Micros(body.amount.micros(held.currency))
