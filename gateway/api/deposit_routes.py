"""What can the operator do with deposits over HTTP?"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from gateway import month
from gateway.answers import as_json
from gateway.api.guard import require_desk, require_reader
from gateway.api.models import DepositBody, PaymentBody, WithdrawalBody
from gateway.api.month_routes import DryRun, Key, currency_of, hex32
from gateway.api.once import OnceRoute
from gateway.composition import Gateway, partnership_with
from ledger.chain.abi import address_bytes
from ledger.identity import Address, carrier_code
from ledger.money import Micros

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["deposits"], dependencies=[Depends(require_desk)])
reads = APIRouter(prefix="/v1", tags=["what stands"], dependencies=[Depends(require_reader)])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]


@reads.get("/exposures")
def get_exposures(gateway: TheGateway, partner: str | None = None) -> Any:
    """What each debtor owes, of which limit, and how much of it is deposited."""
    return as_json(month.exposure(gateway, carrier_code(partner) if partner else None))


@router.post("/deposits")
def post_deposit(body: DepositBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> Any:
    """Deposit money for what we owe a partner; under one key once, also if an earlier answer was lost."""
    amount = _amount(gateway, body)
    return as_json(month.deposit(gateway, carrier_code(body.partner), amount, key=key, dry_run=dry_run))


@router.post("/deposits/withdrawals")
def post_withdrawal(body: WithdrawalBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Take back what the exposure does not need."""
    if body.to is not None:
        address_bytes(body.to)
    payee = Address(body.to) if body.to else None
    partner, amount = carrier_code(body.partner), _amount(gateway, body)
    return as_json(month.withdraw_deposit(gateway, partner, amount, payee, dry_run=dry_run))


@router.post("/payables/{payable_id}/deposit-applications")
def post_application(payable_id: str, body: PaymentBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Pay one of our payables out of our deposit; without amount as much as possible."""
    over = hex32(payable_id)
    amount = Micros(body.amount.micros(currency_of(gateway, over))) if body.amount else None
    return as_json(month.apply_deposit(gateway, over, amount, dry_run=dry_run))


@router.post("/payables/{payable_id}/seizure")
def post_seizure(payable_id: str, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Have a terminated payable paid out of its debtor's deposit."""
    return as_json(month.seize_deposit(gateway, hex32(payable_id), dry_run=dry_run))


def _amount(gateway: Gateway, body: DepositBody) -> Micros:
    held = partnership_with(gateway.settings, carrier_code(body.partner))
    return Micros(body.amount.micros(held.currency))
