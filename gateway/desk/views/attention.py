"""What needs a person, and where does that person act? The first thing the first page says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership
from gateway.desk.views.credit import credit_rows
from gateway.desk.views.disputes import OPEN_DISPUTES
from gateway.desk.views.findings import DISPUTABLE, finding_rows
from gateway.desk.views.moods import Mood
from gateway.desk.views.payables import PayableRow
from gateway.health import GatewayHealth
from ledger.money import Micros
from ledger.period import Period
from ledger.store.batches import list_revealed
from ledger.store.declarations import closed_by
from ledger.store.dispute_entries import list_undelivered
from ledger.store.outbox import list_submissions
from ledger.store.proposals import list_proposals
from ledger.store.settlement import list_disputes, list_statements
from ledger.store.states import SubmissionState
from ledger.store.suspicions import list_suspicions
from ledger.store.webhooks import list_webhooks

ATTENTION_PERCENT = 75
"""From this alert share on a line needs a person; half of it is told in its cell alone."""
_ORDER = (Mood.BAD, Mood.WARN, Mood.NOTE, Mood.GOOD)


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that needs a person: a sentence's key, its words, and where to act."""

    word: str
    values: Mapping[str, object]
    mood: Mood
    href: str
    act: str = "look"
    """Key of the link's word."""


def attention_of(
    connection: Connection,
    gateway: Gateway,
    known: Sequence[Partnership],
    period: Period | None,
    payables: Sequence[PayableRow],
    health: GatewayHealth,
    now_ms: int,
) -> list[Attention]:
    """Everything that waits for a person, the worst first."""
    found: list[Attention] = []
    if not health.chain_reachable:
        found.append(Attention("behind", {"block": health.followed}, Mood.BAD, "/desk/chain"))
    found += _outbox(connection)
    found += _late(gateway, known, payables)
    for held in known:
        found += _credit(connection, held, now_ms)
        if period is not None:
            found += _month(connection, gateway, held, period)
    found += _suspected(connection, period)
    found += _untold(connection)
    waiting = list_undelivered(connection, gateway.carrier)
    if waiting:
        found.append(Attention("undelivered", {"count": len(waiting)}, Mood.WARN, "/desk/disputes"))
    return sorted(found, key=lambda item: _ORDER.index(item.mood))


def _outbox(connection: Connection) -> list[Attention]:
    found = []
    for state in (SubmissionState.NEEDS_OPERATOR, SubmissionState.HELD, SubmissionState.REVERTED):
        rows = list_submissions(connection, [state])
        if rows:
            mood = Mood.WARN if state is SubmissionState.HELD else Mood.BAD
            reason = ", ".join(sorted({row.error or "—" for row in rows}))
            found.append(Attention(state.value, {"count": len(rows), "reason": reason}, mood, "/desk/chain"))
    return found


def _late(gateway: Gateway, known: Sequence[Partnership], payables: Sequence[PayableRow]) -> list[Attention]:
    found = []
    for row in payables:
        if row.days_overdue > 0 and row.outstanding_micros:
            unit = next(held.currency for held in known if {row.debtor, row.creditor} == set(held.carriers))
            values = {
                "debtor": row.debtor,
                "creditor": row.creditor,
                "days": row.days_overdue,
                "amount": str(Money(unit, Micros(row.outstanding_micros))),
            }
            act = "act.pay" if row.debtor == gateway.carrier else "look"
            found.append(Attention("overdue", values, Mood.BAD, f"/desk/arrears#{row.id}", act))
    return found


def _credit(connection: Connection, held: Partnership, now_ms: int) -> list[Attention]:
    found = []
    for line in credit_rows(connection, held, now_ms):
        values: dict[str, object] = {"creditor": line.creditor, "debtor": line.debtor}
        if line.stopped:
            found.append(Attention("stopped", values, Mood.BAD, "/desk/arrears"))
        elif line.alert_percent >= ATTENTION_PERCENT:
            found.append(Attention("credit", values | {"percent": line.alert_percent}, line.mood, "/desk/credit"))
    return found


def _month(connection: Connection, gateway: Gateway, held: Partnership, period: Period) -> list[Attention]:
    found = []
    here = f"/desk/statements/{held.partner}/{period}"
    about: dict[str, object] = {"partner": held.partner, "period": str(period)}
    open_ones = [row for row in list_disputes(connection, held.id, period) if row.state in OPEN_DISPUTES]
    if open_ones:
        amount = str(Money(held.currency, Micros(sum(row.amount_micros for row in open_ones))))
        values = {"partner": held.partner, "count": len(open_ones), "amount": amount}
        href = f"/desk/disputes?partner={held.partner}&period={period}"
        found.append(Attention("dispute", values, Mood.WARN, href, "act.answer"))
    wrong = [row for row in list_revealed(connection, held.id, period) if row.refusal is not None]
    if wrong:
        values = {"partner": held.partner, "count": len(wrong), "reason": str(wrong[0].refusal)}
        found.append(Attention("broken", values, Mood.BAD, f"{here}#batches"))
    if any(row.agreed_at for row in list_statements(connection, held.id, period)):
        return found
    signers = {each.signer for each in list_proposals(connection, "statement", held.id, period)}
    if held.partner in signers and gateway.carrier not in signers:
        found.append(Attention("proposal", about, Mood.WARN, f"{here}/agree", "act.sign"))
    if closed_by(connection, held.id, period) == set(held.carriers):
        mine = [row for row in finding_rows(connection, held, period) if row.finding.creditor == held.partner]
        disputable = sum(row.state.word in DISPUTABLE for row in mine)
        if disputable:
            values = about | {"count": disputable}
            found.append(Attention("disputable", values, Mood.WARN, f"{here}/dispute", "act.dispute"))
    return found


def _untold(connection: Connection) -> list[Attention]:
    """Webhooks that were given up: somebody waits for what is not told."""
    given_up = sum(each.disabled_at_ms is not None for each in list_webhooks(connection))
    return [Attention("untold", {"count": given_up}, Mood.WARN, "/desk/chain/webhooks")] if given_up else []


def _suspected(connection: Connection, period: Period | None) -> list[Attention]:
    """One line for all suspicions of the month in a currency."""
    at_risk: dict[str, list[int]] = {}
    for row in list_suspicions(connection, period):
        at_risk.setdefault(row.currency, []).append(row.at_risk_micros)
    return [
        Attention(
            "suspected",
            {"count": len(amounts), "amount": str(Money(unit, Micros(sum(amounts))))},
            Mood.WARN,
            f"/desk/fraud?period={period}" if period else "/desk/fraud",
        )
        for unit, amounts in sorted(at_risk.items())
    ]
