"""Which steps of a month are done with one partner, and which command comes next?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.batches import list_batches, list_revealed
from ledger.store.declarations import closed_by, list_declarations
from ledger.store.findings import latest_reconciliations
from ledger.store.imports import unsealed_usage
from ledger.store.settlement import ItemRow, PayableRow, StatementRow, list_disputes, list_items, list_payables


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the month and whether it is done, next, or still to come."""

    word: str
    standing: str


STEPS = ("import", "rate", "seal", "declare", "close", "reveal", "reconcile", "dispute", "accept", "net", "pay")


def steps_of(
    connection: Connection, gateway: Gateway, held: Partnership, period: Period, agreed: StatementRow | None
) -> list[Step]:
    """Which steps of the month are done: what comes before a done one is done too."""
    done = _declaring(connection, gateway, held, period) | _settling(connection, held, period, agreed)
    last = max((position for position, word in enumerate(STEPS) if done.get(word)), default=-1)
    return [
        Step(word, "done" if position <= last else "now" if position == last + 1 else "todo")
        for position, word in enumerate(STEPS)
    ]


def next_command(
    connection: Connection,
    steps: Sequence[Step],
    held: Partnership,
    period: Period,
    agreed: StatementRow | None,
    carrier: CarrierCode,
) -> str:
    """What to type next; nothing when the month is done."""
    word = next((step.word for step in steps if step.standing == "now"), None)
    if word is None:
        return ""
    if word == "import":
        return "gsc import FILE --preset PRESET"
    if word == "net":
        return "gsc net"
    if word == "pay":
        left = [row for row in _payables(connection, held, agreed) if row.outstanding_micros]
        return f"gsc pay 0x{left[0].payable_id.hex()}" if left[0].debtor == carrier else "gsc age"
    return f"gsc {word} --partner {held.partner} --period {period}"


def _declaring(connection: Connection, gateway: Gateway, held: Partnership, period: Period) -> dict[str, bool]:
    batches = list_batches(connection, held.id, period)
    waiting = [
        usage
        for usage in unsealed_usage(connection)
        if usage.scope.agreement_id == held.id and usage.scope.period == period
    ]
    declared = list_declarations(connection, held.id, period, gateway.carrier)
    revealed = [row for row in list_revealed(connection, held.id, period) if row.refusal is None]
    theirs = list_declarations(connection, held.id, period, held.partner)
    return {
        "import": bool(batches or waiting),
        "seal": bool(batches) and not waiting,
        "declare": bool(batches) and len(declared) >= len(batches),
        "close": gateway.carrier in closed_by(connection, held.id, period),
        "reveal": bool(theirs) and len(revealed) >= len(theirs),
        "reconcile": bool(latest_reconciliations(connection, held.id, period)),
    }


def _settling(
    connection: Connection, held: Partnership, period: Period, agreed: StatementRow | None
) -> dict[str, bool]:
    """A cycle may leave nothing between the two: what they owed went against what others owe."""
    netted = agreed is not None and all(item.cycle_id for item in _items(connection, held, agreed))
    unpaid = any(row.outstanding_micros for row in _payables(connection, held, agreed))
    return {
        "dispute": bool(list_disputes(connection, held.id, period)),
        "accept": agreed is not None,
        "net": netted,
        "pay": netted and not unpaid,
    }


def _items(connection: Connection, held: Partnership, agreed: StatementRow | None) -> list[ItemRow]:
    """What the statement made payable, each until a cycle took it."""
    if agreed is None:
        return []
    return [item for item in list_items(connection, held.id) if item.source == agreed.statement_id]


def _payables(connection: Connection, held: Partnership, agreed: StatementRow | None) -> list[PayableRow]:
    """What the cycles of the statement's items left between the two."""
    cycles = {item.cycle_id for item in _items(connection, held, agreed)}
    return [row for row in list_payables(connection, held.id) if row.cycle_id in cycles]
