"""What needs a person, and how does each partner stand? The first page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnerships
from gateway.desk.views.credit import CreditRow, credit_rows
from gateway.desk.views.disputes import OPEN_DISPUTES
from gateway.desk.views.moods import Mood, State
from gateway.desk.views.payables import PayableRow, payable_rows
from gateway.desk.views.statement import lines_of, net_of
from gateway.health import GatewayHealth
from gateway.month.accepting import draft_of
from gateway.month.bypassing import FoundArbitrage, arbitrage_of
from ledger.money import Micros
from ledger.period import Period
from ledger.store.agreements import list_agreements
from ledger.store.arbitrages import list_arbitrages
from ledger.store.batches import list_revealed
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from ledger.store.outbox import list_submissions
from ledger.store.proposals import list_proposals
from ledger.store.settlement import list_disputes, list_statements
from ledger.store.states import SubmissionState

ATTENTION_PERCENT = 75
"""From this alert share on a line needs a person; half of it is told in its cell alone."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that needs a person: a sentence's key, its words, and where to go."""

    word: str
    values: Mapping[str, object]
    mood: Mood
    href: str


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
        return OverviewView(
            periods=[str(each) for each in periods],
            period=str(period) if period else "",
            attention=_attention(connection, gateway, known, period, payables, health, now_ms),
            partners=[_partner_row(connection, gateway, held, period, payables, now_ms) for held in known if period],
            payables=payables,
            arbitrage=[arbitrage_of(row) for row in list_arbitrages(connection, period)] if period else [],
            health=Health(health.head, health.chain_time, health.lag, dict(health.outbox), health.chain_reachable),
        )


def _attention(
    connection: Connection,
    gateway: Gateway,
    known: Sequence[Partnership],
    period: Period | None,
    payables: Sequence[PayableRow],
    health: GatewayHealth,
    now_ms: int,
) -> list[Attention]:
    found: list[Attention] = []
    if not health.chain_reachable:
        found.append(Attention("behind", {"block": health.followed}, Mood.BAD, ""))
    found += _outbox_attention(connection)
    for row in payables:
        if row.days_overdue > 0 and row.outstanding_micros:
            unit = next(held.currency for held in known if {row.debtor, row.creditor} == set(held.carriers))
            values = {
                "debtor": row.debtor,
                "creditor": row.creditor,
                "days": row.days_overdue,
                "amount": str(Money(unit, Micros(row.outstanding_micros))),
            }
            other = row.debtor if row.creditor == gateway.carrier else row.creditor
            found.append(Attention("overdue", values, Mood.BAD, _href(other, period)))
    for held in known:
        found += _partner_attention(connection, gateway, held, period, now_ms)
    return found


def _outbox_attention(connection: Connection) -> list[Attention]:
    found = []
    for state in (SubmissionState.NEEDS_OPERATOR, SubmissionState.HELD, SubmissionState.REVERTED):
        rows = list_submissions(connection, [state])
        if rows:
            mood = Mood.WARN if state is SubmissionState.HELD else Mood.BAD
            reason = ", ".join(sorted({row.error or "—" for row in rows}))
            found.append(Attention(state.value, {"count": len(rows), "reason": reason}, mood, ""))
    return found


def _partner_attention(
    connection: Connection, gateway: Gateway, held: Partnership, period: Period | None, now_ms: int
) -> list[Attention]:
    found = []
    href = _href(held.partner, period)
    for line in credit_rows(connection, held, now_ms):
        values: dict[str, object] = {"creditor": line.creditor, "debtor": line.debtor}
        if line.stopped:
            found.append(Attention("stopped", values, Mood.BAD, href))
        elif line.alert_percent >= ATTENTION_PERCENT:
            found.append(Attention("credit", values | {"percent": line.alert_percent}, line.mood, href))
    if period is None:
        return found
    open_ones = [row for row in list_disputes(connection, held.id, period) if row.state in OPEN_DISPUTES]
    if open_ones:
        amount = str(Money(held.currency, Micros(sum(row.amount_micros for row in open_ones))))
        values = {"partner": held.partner, "count": len(open_ones), "amount": amount}
        found.append(Attention("dispute", values, Mood.WARN, href))
    wrong = [row for row in list_revealed(connection, held.id, period) if row.refusal is not None]
    if wrong:
        values = {"partner": held.partner, "count": len(wrong), "reason": str(wrong[0].refusal)}
        found.append(Attention("broken", values, Mood.BAD, href))
    agreed = any(row.agreed_at for row in list_statements(connection, held.id, period))
    signers = {each.signer for each in list_proposals(connection, "statement", held.id, period)}
    if not agreed and held.partner in signers and gateway.carrier not in signers:
        found.append(Attention("proposal", {"partner": held.partner, "period": str(period)}, Mood.WARN, href))
    return found


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
    )


def _href(partner: str, period: Period | None) -> str:
    return f"/desk/statements/{partner}/{period}" if period else ""
