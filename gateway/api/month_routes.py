"""What can the operator do over HTTP? Every verb of the month, and what became of each submission."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi import Path as PathNumber
from starlette.concurrency import run_in_threadpool

from gateway import month
from gateway.answers import as_json
from gateway.api.guard import require_desk, require_reader
from gateway.api.models import (
    CODE_PATTERN,
    ArbitrageBody,
    CloseBody,
    ConfirmationBody,
    CorrectionsBody,
    CreditLineBody,
    CycleBody,
    DeclarationsBody,
    DisputesBody,
    MonthBody,
    PartnerBody,
    PartnerMonthBody,
    PaymentBody,
    RatesBody,
    ResolutionBody,
)
from gateway.api.once import OnceRoute
from gateway.composition import Gateway, partnership_of_id, partnership_with
from gateway.formats.preset import load_preset
from gateway.formats.trunks import Direction
from gateway.month.sending import submission_by_id, submissions
from gateway.month.sources import AUTO, ROAMING
from gateway.month.telling import said_of
from ledger.chain.bindings import LimitPolicy, RateChange
from ledger.errors import Malformed
from ledger.identity import Address, CarrierCode, carrier_code
from ledger.money import Micros
from ledger.period import Period, parse_period
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.settlement import dispute_of, list_payables

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["the month"], dependencies=[Depends(require_desk)])
reads = APIRouter(prefix="/v1", tags=["what stands"], dependencies=[Depends(require_reader)])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="The same key is the same payment")]
Igw = Annotated[str | None, Query(pattern=CODE_PATTERN, description="What data and private lines cross the border by")]
DryRun = Annotated[bool, Query(alias="dryRun", description="Say what would be done, and do nothing")]


@router.post("/imports")
async def post_import(
    request: Request,
    gateway: TheGateway,
    preset: Annotated[str, Query(max_length=60)],
    name: Annotated[str, Query(max_length=200)] = "upload.csv",
    batch_days: Annotated[int, Query(alias="batchDays", ge=1, le=31)] = 7,
    zone: Annotated[str | None, Query(alias="tz", max_length=60, description="Zone of its local times")] = None,
    partner: Annotated[str | None, Query(pattern=CODE_PATTERN, description="Whose traffic, if no trunk says")] = None,
    direction: Annotated[Direction | None, Query(description="in or out, likewise")] = None,
    period: Annotated[str | None, Query(description="The month an inventory of circuits is read for")] = None,
    dry_run: DryRun = False,
) -> Any:
    """Import a usage file: the body is the file. Malformed rows are quarantined with line and reason.

    The preset is one that comes with the gateway, "tap" (TAP, NRTRDE and RAP files) or "auto": one of one's own is a
    file, and callers name no files.
    """
    if preset not in (AUTO, ROAMING):
        load_preset(preset)
    with tempfile.NamedTemporaryFile(prefix="gsc-import-", suffix=".csv") as kept:
        await _receive(request.stream(), Path(kept.name))
        answer = await run_in_threadpool(
            month.import_usage,
            gateway,
            Path(kept.name),
            preset,
            name=Path(name).name,
            batch_days=batch_days,
            dry_run=dry_run,
            said=said_of(zone, partner, direction, period),
        )
    return as_json(answer)


async def _receive(chunks: AsyncIterator[bytes], path: Path) -> None:
    with path.open("wb") as stream:
        async for chunk in chunks:
            stream.write(chunk)


@router.post("/agreements")
def post_agreement(body: PartnerBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Sign the agreement with a partner; on chain once both have."""
    return as_json(month.sign_agreement(gateway, _partner(body.partner), dry_run=dry_run))


@router.post("/amendments")
def post_amendment(body: PartnerBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Sign the next version of the agreement with a partner; on chain once both have."""
    return as_json(month.amend(gateway, _partner(body.partner), dry_run=dry_run))


@router.post("/rate-decks")
def post_rates(body: RatesBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Publish the hash of one of our rate decks."""
    change = RateChange[body.change.upper()] if body.change else None
    service = Service[body.service.upper()]
    answer = month.publish_rates(
        gateway, _partner(body.partner), body.deck, body.effectiveAt, service=service, change=change, dry_run=dry_run
    )
    return as_json(answer)


@router.post("/credit-lines")
def post_credit_line(body: CreditLineBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Grant a partner a credit line for what it owes us."""
    partner = _partner(body.partner)
    limit = body.limit.micros(partnership_with(gateway.settings, partner).currency)
    policy = LimitPolicy[body.policy.upper()]
    return as_json(month.grant_credit(gateway, partner, Micros(limit), policy, dry_run=dry_run))


@router.post("/ratings")
def post_rating(body: MonthBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Rate the waiting usage under the published decks."""
    return as_json(month.rate(gateway, _maybe(body.partner), _period(body.period), dry_run=dry_run))


@router.post("/usage-batches")
def post_batches(body: MonthBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Stage: seal the rated usage into batches, each with its Merkle root and totals."""
    return as_json(month.seal(gateway, _maybe(body.partner), _period(body.period), dry_run=dry_run))


@router.post("/usage-batches/{root}/commit")
def post_commit(root: str, gateway: TheGateway, igw: Igw = None, dry_run: DryRun = False) -> Any:
    """Commit: sign the declaration of one sealed batch (and of those before it) and submit it."""
    return as_json(month.declare_root(gateway, hex32(root), igw=igw, dry_run=dry_run))


@router.post("/declarations")
def post_declarations(body: DeclarationsBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Sign and submit the declarations of all sealed batches."""
    partner, period = _maybe(body.partner), _period(body.period)
    answer = month.declare(gateway, partner, period, igw=body.igw, inline=body.inline, dry_run=dry_run)
    return as_json(answer)


@router.post("/corrections")
def post_corrections(body: CorrectionsBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Declare, in the next open period, what came or got its price after its period was closed."""
    answer = month.correct(gateway, _maybe(body.partner), _period(body.period), igw=body.igw, dry_run=dry_run)
    return as_json(answer)


@router.post("/closes")
def post_close(body: CloseBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Close a period: all of it is declared."""
    return as_json(month.close(gateway, parse_period(body.period), _maybe(body.partner), dry_run=dry_run))


@router.post("/reveals")
def post_reveal(body: PartnerMonthBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Fetch the partner's sealed records and check each file against the chain."""
    return as_json(month.reveal(gateway, _partner(body.partner), parse_period(body.period), dry_run=dry_run))


@router.post("/reconciliations")
def post_reconciliation(body: PartnerMonthBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Match both sides' records and explain every difference."""
    return as_json(month.reconcile(gateway, _partner(body.partner), parse_period(body.period), dry_run=dry_run))


@router.post("/arbitrage")
def post_arbitrage(body: ArbitrageBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Search our decks and records for calls sent round a price of ours."""
    return as_json(month.arbitrage(gateway, _period(body.period), dry_run=dry_run))


@router.post("/disputes")
def post_disputes(body: DisputesBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Open a dispute for each cause outside tolerance that costs us money; on request also for what is not revealed."""
    partner, period = _partner(body.partner), parse_period(body.period)
    answer = month.dispute(gateway, partner, period, unrevealed=body.unrevealed, again=body.again, dry_run=dry_run)
    return as_json(answer)


@router.post("/disputes/{dispute_id}/resolution")
def post_resolution(dispute_id: str, body: ResolutionBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Agree how much of a dispute is credited; on chain once both have signed the same."""
    over = hex32(dispute_id)
    with reading(gateway.engine) as connection:
        held = partnership_of_id(gateway.settings, dispute_of(connection, over).agreement_id)
    return as_json(month.resolve(gateway, over, Micros(body.credited.micros(held.currency)), dry_run=dry_run))


@router.post("/disputes/{dispute_id}/withdrawal")
def post_withdrawal(dispute_id: str, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Take one of our disputes back."""
    return as_json(month.withdraw(gateway, hex32(dispute_id), dry_run=dry_run))


@router.post("/statements")
def post_statement(body: PartnerMonthBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Agree to the month's statement; on chain once both desks have."""
    return as_json(month.accept(gateway, _partner(body.partner), parse_period(body.period), dry_run=dry_run))


@router.post("/netting-cycles")
def post_cycle(body: CycleBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Draw a netting cycle, collect every party's signature and submit it."""
    return as_json(month.net(gateway, body.currency, dry_run=dry_run))


@router.post("/payees")
def post_payee(gateway: TheGateway, payee: Annotated[str | None, Query()] = None, dry_run: DryRun = False) -> Any:
    """Say where token payments to us go; without payee our sending address."""
    return as_json(month.set_payee(gateway, Address(payee) if payee else None, dry_run=dry_run))


@router.post("/payables/{payable_id}/payments")
def post_payment(
    payable_id: str, body: PaymentBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> Any:
    """Pay one of our payables in the settlement token; under one key once, also if an earlier answer was lost."""
    over = hex32(payable_id)
    amount = Micros(body.amount.micros(currency_of(gateway, over))) if body.amount else None
    return as_json(month.pay(gateway, over, amount, key=key, dry_run=dry_run))


@router.post("/payables/{payable_id}/confirmations")
def post_confirmation(payable_id: str, body: ConfirmationBody, gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """As creditor, confirm that money arrived at the bank."""
    over = hex32(payable_id)
    amount = Micros(body.amount.micros(currency_of(gateway, over)))
    return as_json(month.confirm(gateway, over, amount, body.bankReference, dry_run=dry_run))


@router.post("/ageings")
def post_ageing(gateway: TheGateway, dry_run: DryRun = False) -> Any:
    """Age what is open and take what is owed to us up the ladder where it is ripe."""
    return as_json(month.age(gateway, dry_run=dry_run))


@reads.get("/submissions")
def get_submissions(gateway: TheGateway, kind: str | None = None) -> Any:
    """The outbox."""
    return as_json(submissions(gateway, kind))


@reads.get("/submissions/{submission_id}")
def get_submission(submission_id: Annotated[int, PathNumber(ge=1, lt=2**63)], gateway: TheGateway) -> Any:
    """One submission and where it stands."""
    return as_json(submission_by_id(gateway, submission_id))


def currency_of(gateway: Gateway, payable_id: bytes) -> str:
    """The currency of a payable."""
    with reading(gateway.engine) as connection:
        rows = [row for row in list_payables(connection) if row.payable_id == payable_id]
    return partnership_of_id(gateway.settings, rows[0].agreement_id).currency if rows else "USD"


def hex32(text: str) -> bytes:
    """An id of 32 bytes. Raises Malformed."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x")) if text.isascii() else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Malformed("not an id", expected="0x and 64 hexadecimal digits", got=repr(text[:80]))
    return raw


def _partner(text: str) -> CarrierCode:
    return carrier_code(text)


def _maybe(text: str | None) -> CarrierCode | None:
    return None if text is None else carrier_code(text)


def _period(text: str | None) -> Period | None:
    return None if text is None else parse_period(text)
