"""What does the desk do with usage? Import, rate, seal, declare, close, reveal, reconcile, and search."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from gateway import month
from gateway.answers import as_json
from gateway.api.describing import answered
from gateway.api.guard import require_desk
from gateway.api.models import (
    CODE_PATTERN,
    ArbitrageBody,
    CloseBody,
    CorrectionsBody,
    DeclarationsBody,
    MonthBody,
    PartnerMonthBody,
)
from gateway.api.once import OnceRoute
from gateway.api.verbs.parts import (
    DryRun,
    Id32,
    Igw,
    Key,
    TheGateway,
    maybe_partner,
    maybe_period,
    raw_of,
    receive_file,
)
from gateway.formats.preset import load_preset
from gateway.formats.trunks import Direction
from gateway.month.sources import AUTO, ROAMING
from gateway.month.telling import said_of
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["the month"], dependencies=[Depends(require_desk)])
UNNAMED = "upload.csv"
"""Of a body that is sent without a name."""
FILE_BODY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.post(
    "/usageImport",
    operation_id="import_usage",
    responses=answered(month.import_usage),
    openapi_extra={"requestBody": FILE_BODY},
)
async def post_import(
    request: Request,
    gateway: TheGateway,
    preset: Annotated[str, Query(max_length=60, examples=["csv"])],
    name: Annotated[str, Query(max_length=200, examples=["october.csv"])] = UNNAMED,
    batch_days: Annotated[int, Query(alias="batchDays", ge=1, le=31)] = 7,
    zone: Annotated[str | None, Query(alias="tz", max_length=60, description="Zone of its local times")] = None,
    partner: Annotated[str | None, Query(pattern=CODE_PATTERN, description="Whose traffic, if no trunk says")] = None,
    direction: Annotated[Direction | None, Query(description="in or out, likewise")] = None,
    period: Annotated[str | None, Query(max_length=20, description="The month of an inventory of circuits")] = None,
    key: Key = None,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Import a usage file: the body is the file. Malformed rows are quarantined with line and reason.

    The preset is one that comes with the gateway, "tap" (TAP, NRTRDE and RAP files) or "auto": one of one's own is a
    file, and callers name no files.
    """
    if preset not in (AUTO, ROAMING):
        load_preset(preset)
    with tempfile.NamedTemporaryFile(prefix="gsc-import-", suffix=".csv") as kept:
        await receive_file(request.stream(), Path(kept.name))
        answer = await run_in_threadpool(
            month.import_usage,
            gateway,
            Path(kept.name),
            preset,
            name=Path(name).name if Path(name).name.strip(". ") else UNNAMED,
            batch_days=batch_days,
            dry_run=dry_run,
            said=said_of(zone, partner, direction, period),
        )
    return JSONResponse(as_json(answer))


@router.post("/rating", operation_id="rate", responses=answered(month.rate))
def post_rating(body: MonthBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Rate the waiting usage under the published decks."""
    answer = month.rate(gateway, maybe_partner(body.partner), maybe_period(body.period), dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/cdrTransaction", operation_id="seal", responses=answered(month.seal))
def post_batches(body: MonthBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Stage: seal the rated usage into batches, each with its Merkle root and totals."""
    answer = month.seal(gateway, maybe_partner(body.partner), maybe_period(body.period), dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/cdrTransaction/{id}/commit", operation_id="commit", responses=answered(month.declare_root))
def post_commit(
    id: Id32, gateway: TheGateway, igw: Igw = None, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Commit: sign the declaration of one sealed batch (and of those before it) and submit it."""
    return JSONResponse(as_json(month.declare_root(gateway, raw_of(id), igw=igw, dry_run=dry_run)))


@router.post("/declaration", operation_id="declare", responses=answered(month.declare))
def post_declarations(
    body: DeclarationsBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Sign and submit the declarations of all sealed batches."""
    partner, period = maybe_partner(body.partner), maybe_period(body.period)
    return JSONResponse(
        as_json(month.declare(gateway, partner, period, igw=body.igw, inline=body.inline, dry_run=dry_run))
    )


@router.post("/correction", operation_id="correct", responses=answered(month.correct))
def post_corrections(
    body: CorrectionsBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Declare, in the next open period, what came or got its price after its period was closed."""
    partner, period = maybe_partner(body.partner), maybe_period(body.period)
    return JSONResponse(as_json(month.correct(gateway, partner, period, igw=body.igw, dry_run=dry_run)))


@router.post("/periodClose", operation_id="close", responses=answered(month.close))
def post_close(body: CloseBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Close a period: all of it is declared."""
    answer = month.close(gateway, parse_period(body.period), maybe_partner(body.partner), dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/reveal", operation_id="reveal", responses=answered(month.reveal))
def post_reveal(body: PartnerMonthBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Fetch the partner's sealed records and check each file against the chain."""
    answer = month.reveal(gateway, carrier_code(body.partner), parse_period(body.period), dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/reconciliation", operation_id="reconcile", responses=answered(month.reconcile))
def post_reconciliation(
    body: PartnerMonthBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Match both sides' records and explain every difference."""
    answer = month.reconcile(gateway, carrier_code(body.partner), parse_period(body.period), dry_run=dry_run)
    return JSONResponse(as_json(answer))


@router.post("/arbitrageSearch", operation_id="search_arbitrage", responses=answered(month.arbitrage))
def post_arbitrage(body: ArbitrageBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Search our decks and records for calls sent round a price of ours."""
    return JSONResponse(as_json(month.arbitrage(gateway, maybe_period(body.period), dry_run=dry_run)))


@router.post("/fraudSearch", operation_id="search_fraud", responses=answered(month.fraud))
def post_fraud(body: ArbitrageBody, gateway: TheGateway, key: Key = None, dry_run: DryRun = False) -> JSONResponse:
    """Search our records and all declarations for fraud, and for forgery that leaves no difference."""
    return JSONResponse(as_json(month.fraud(gateway, maybe_period(body.period), dry_run=dry_run)))
