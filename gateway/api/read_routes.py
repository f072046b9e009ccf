"""What stands? Health, statements, findings, disputes, items, payables: what desks and integrators read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from gateway.answers import Money, as_json
from gateway.api.guard import require_reader
from gateway.composition import Gateway, partnership_with, partnerships
from gateway.health import health_of
from gateway.month.accepting import draft_of
from gateway.month.bypassing import found_arbitrage
from ledger.identity import AgreementId, carrier_code
from ledger.period import parse_period
from ledger.store.agreements import list_agreements
from ledger.store.batches import list_batches
from ledger.store.credit import list_credit
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliations, list_findings
from ledger.store.imports import list_imports, list_quarantined
from ledger.store.settlement import list_cycles, list_disputes, list_items, list_payables, list_statements

router = APIRouter(prefix="/v1", tags=["what stands"], dependencies=[Depends(require_reader)])


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]


@router.get("/health")
def get_health(gateway: TheGateway) -> Any:
    """How far behind the chain we are and what the outbox holds."""
    return as_json(health_of(gateway))


@router.get("/agreements")
def get_agreements(gateway: TheGateway) -> Any:
    """Our agreements: the files of the home folder, and whether the chain has them."""
    with reading(gateway.engine) as connection:
        on_chain = {row.agreement_id for row in list_agreements(connection, gateway.carrier)}
    return [
        {
            "id": as_json(held.id),
            "partner": held.partner,
            "currency": held.currency,
            "onChain": held.id in on_chain,
        }
        for held in partnerships(gateway.settings).values()
    ]


@router.get("/imports")
def get_imports(gateway: TheGateway) -> Any:
    """Imported files, the latest first, with what each left out."""
    with reading(gateway.engine) as connection:
        return [
            as_json(row) | {"quarantine": as_json(list_quarantined(connection, row.id)[:100])}
            for row in list_imports(connection)
        ]


@router.get("/usage-batches")
def get_batches(gateway: TheGateway, partner: str, period: str) -> Any:
    """Our sealed batches and every declaration on chain."""
    held, month_ = partnership_with(gateway.settings, carrier_code(partner)), parse_period(period)
    with reading(gateway.engine) as connection:
        ours = [
            {name: as_json(getattr(row, name)) for name in ("root", "count", "state", "seq")}
            | {"batchId": as_json(row.batch_id), "amount": as_json(Money(held.currency, row.amount_micros))}
            for row in list_batches(connection, held.id, month_)
        ]
        return {"ours": ours, "declared": as_json(list_declarations(connection, held.id, month_))}


@router.get("/statements/{partner}/{period}")
def get_statement(partner: str, period: str, gateway: TheGateway) -> Any:
    """The statement as the chain gives it now, and those proposed or agreed."""
    held, month_ = partnership_with(gateway.settings, carrier_code(partner)), parse_period(period)
    with reading(gateway.engine) as connection:
        draft = draft_of(connection, held, month_)
        return {
            "partner": held.partner,
            "period": str(month_),
            "currency": held.currency,
            "lines": as_json(draft.lines),
            "batchesHash": as_json(draft.batches_hash),
            "statements": as_json(list_statements(connection, held.id, month_)),
        }


@router.get("/findings")
def get_findings(gateway: TheGateway, partner: str, period: str) -> Any:
    """The findings of the latest reconciliation of each direction."""
    held, month_ = partnership_with(gateway.settings, carrier_code(partner)), parse_period(period)
    with reading(gateway.engine) as connection:
        return [
            {
                "creditor": run.scope.creditor,
                "service": run.scope.service.word,
                "ours": as_json(Money(held.currency, run.ours_micros)),
                "theirs": as_json(Money(held.currency, run.theirs_micros)),
                "pairs": run.pairs,
                "findings": as_json(list_findings(connection, run.id or 0)),
            }
            for run in latest_reconciliations(connection, held.id, month_)
        ]


@router.get("/arbitrage")
def get_arbitrage(gateway: TheGateway, period: str) -> Any:
    """What the latest search of a month for arbitrage found."""
    return as_json(found_arbitrage(gateway, parse_period(period)))


@router.get("/disputes")
def get_disputes(gateway: TheGateway, partner: str | None = None, period: str | None = None) -> Any:
    """Disputes of our agreements, oldest first."""
    month_ = parse_period(period) if period else None
    wanted = _wanted(gateway, partner)
    with reading(gateway.engine) as connection:
        return as_json([row for row in list_disputes(connection, None, month_) if row.agreement_id in wanted])


@router.get("/credit-lines")
def get_credit_lines(gateway: TheGateway, partner: str | None = None) -> Any:
    """Credit lines and exposure in both directions."""
    wanted = _wanted(gateway, partner)
    with reading(gateway.engine) as connection:
        return as_json([row for row in list_credit(connection) if row.agreement_id in wanted])


@router.get("/items")
def get_items(gateway: TheGateway) -> Any:
    """Settlement items of our agreements."""
    wanted = _wanted(gateway, None)
    with reading(gateway.engine) as connection:
        return as_json([row for row in list_items(connection) if row.agreement_id in wanted])


@router.get("/netting-cycles")
def get_cycles(gateway: TheGateway) -> Any:
    """Executed netting cycles."""
    with reading(gateway.engine) as connection:
        return as_json(list_cycles(connection))


@router.get("/payables")
def get_payables(gateway: TheGateway) -> Any:
    """What remains to be paid to us and by us."""
    wanted = _wanted(gateway, None)
    with reading(gateway.engine) as connection:
        return as_json([row for row in list_payables(connection) if row.agreement_id in wanted])


def _wanted(gateway: Gateway, partner: str | None) -> set[AgreementId]:
    if partner is not None:
        return {partnership_with(gateway.settings, carrier_code(partner)).id}
    return {held.id for held in partnerships(gateway.settings).values()}
