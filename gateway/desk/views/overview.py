"""What needs a person, and how does each partner stand? The first page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, partnerships
from gateway.desk.views.attention import Attention, attention_of
from gateway.desk.views.credit import CreditRow, credit_rows
from gateway.desk.views.disputes import OPEN_DISPUTES
from gateway.desk.views.moods import Mood, State
from gateway.desk.views.payables import PayableRow, payable_rows
from gateway.desk.views.statement import lines_of, net_of
from gateway.health import GatewayHealth
from gateway.month.accepting import draft_of
from gateway.month.bypassing import FoundArbitrage, arbitrage_of
from ledger.period import Period
from ledger.store.agreements import list_agreements
from ledger.store.arbitrages import list_arbitrages
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.imports import last_import_ms
from ledger.store.settlement import list_disputes, list_statements


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """One partner in one period, on the overview."""

    partner: str
    period: str
    currency: str
    ours_micros: int
    theirs_micros: int
    net_micros: int
    disputed_micros: int
    overdue_micros: int
    credit: CreditRow | None
    state: State
    imported_at_ms: int | None
    """When usage with this partner was last imported, of any month."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the gateway itself is."""

    chain_block: int
    chain_time: int
    blocks_behind: int
    outbox: dict[str, int]
    reachable: bool


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The first page: what needs a person, then every partner."""

    periods: Sequence[str]
    period: str
    attention: Sequence[Attention]
    partners: Sequence[PartnerRow]
    payables: Sequence[PayableRow]
    arbitrage: Sequence[FoundArbitrage]
    health: Health


def overview(gateway: Gateway, health: GatewayHealth, asked: Period | None) -> OverviewView:
    """The first page: attention, partners, payables."""
    now_ms = gateway.clock.now_ms()
    held_all = list(partnerships(gateway.settings).values())
    with reading(gateway.engine) as connection:
        on_chain = {row.agreement_id for row in list_agreements(connection, gateway.carrier)}
        known = [held for held in held_all if held.id in on_chain]
        periods = sorted({row.scope.period for held in known for row in list_declarations(connection, held.id)})
        period = asked or (periods[-1] if periods else None)
        payables = payable_rows(connection, known, now_ms)
        rows = [_partner_row(connection, gateway, held, period, payables, now_ms) for held in known if period]
        return OverviewView(
            periods=[str(each) for each in periods],
            period=str(period) if period else "",
            attention=attention_of(connection, gateway, known, period, payables, health, now_ms),
            partners=sorted(rows, key=lambda row: (-abs(row.net_micros), row.partner)),
            payables=payables,
            arbitrage=[arbitrage_of(row) for row in list_arbitrages(connection, period)] if period else [],
            health=Health(
                health.head or health.followed,
                health.chain_time,
                health.lag,
                dict(health.outbox),
                health.chain_reachable,
            ),
        )


def _partner_row(
    connection: Connection,
    gateway: Gateway,
    held: Partnership,
    period: Period | None,
    payables: Sequence[PayableRow],
    now_ms: int,
) -> PartnerRow:
    assert period is not None
    draft = draft_of(connection, held, period)
    agreed = next((row for row in list_statements(connection, held.id, period) if row.agreed_at), None)
    disputes = list_disputes(connection, held.id, period)
    signed = lines_of(connection, draft, agreed)
    ours = sum(line.creditor_micros if line.creditor == gateway.carrier else line.debtor_micros for line in signed)
    theirs = sum(line.debtor_micros if line.creditor == gateway.carrier else line.creditor_micros for line in signed)
    disputed = sum(row.amount_micros for row in disputes if row.state in OPEN_DISPUTES)
    lines = credit_rows(connection, held, now_ms)
    between = [row for row in payables if {row.debtor, row.creditor} == set(held.carriers)]
    state = State("agreed", Mood.GOOD) if agreed else State("disputed", Mood.WARN) if disputed else State("open")
    return PartnerRow(
        partner=held.partner,
        period=str(period),
        currency=held.currency,
        ours_micros=ours,
        theirs_micros=theirs,
        net_micros=net_of(signed, gateway.carrier),
        disputed_micros=disputed,
        overdue_micros=sum(row.outstanding_micros for row in between if row.days_overdue > 0),
        credit=next((line for line in lines if line.creditor == held.partner), None),
        state=state,
        imported_at_ms=last_import_ms(connection, held.id),
    )
