"""What did netting set off, and which payments did it leave? Each cycle with its items, positions and legs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, partnerships
from gateway.desk.shapes import hexed
from gateway.desk.views.payables import PayableRow, payable_rows
from ledger.errors import NotFound
from ledger.store.engine import reading
from ledger.store.settlement import (
    CycleRow,
    PositionRow,
    list_cycles,
    list_disputes,
    list_items,
    list_payables,
    list_positions,
    list_statements,
)


@dataclass(frozen=True, slots=True)
class CycleLine:
    """One cycle in the list."""

    id: str
    currency: str
    gross_micros: int
    netted_micros: int
    saved_permille: int
    """Of the gross amount: what need not be paid."""
    ours: int
    """Our position: positive is owed to us."""
    legs: int
    block: int


@dataclass(frozen=True, slots=True)
class ItemLine:
    """What went into a cycle: a direction of a statement, or what a dispute decided."""

    id: str
    partner: str
    creditor: str
    debtor: str
    amount_micros: int
    due_at: int
    source: str
    """Key of a word: statement or dispute."""
    href: str


@dataclass(frozen=True, slots=True)
class CycleView:
    """One cycle: what went in, where it left each carrier, and what is to be paid."""

    line: CycleLine
    items: Sequence[ItemLine]
    positions: Sequence[PositionRow]
    """Of all carriers of the cycle; they sum to zero."""
    legs: Sequence[PayableRow]


@dataclass(frozen=True, slots=True)
class CyclesView:
    """Every cycle, the latest first, and what waits for the next."""

    rows: Sequence[CycleLine]
    waiting: Sequence[ItemLine]


def cycles_view(gateway: Gateway) -> CyclesView:
    """The list of cycles."""
    with reading(gateway.engine) as connection:
        legs = list_payables(connection)
        taken = Counter(leg.cycle_id for leg in legs)
        rows = [
            _line(gateway, row, list_positions(connection, row.cycle_id), taken[row.cycle_id])
            for row in list_cycles(connection)
        ]
    return CyclesView(sorted(rows, key=lambda each: -each.block), _items(gateway, None))


def cycle_view(gateway: Gateway, cycle_id: bytes) -> CycleView:
    """One cycle. Raises NotFound."""
    with reading(gateway.engine) as connection:
        row = next((each for each in list_cycles(connection) if each.cycle_id == cycle_id), None)
        if row is None:
            raise NotFound("no such netting cycle on the chain", got=hexed(cycle_id), todo="See all: /desk/netting")
        positions = list_positions(connection, cycle_id)
        ids = {hexed(leg.payable_id) for leg in list_payables(connection) if leg.cycle_id == cycle_id}
        now_ms = gateway.clock.now_ms()
        shown = payable_rows(connection, list(partnerships(gateway.settings).values()), now_ms)
    return CycleView(
        line=_line(gateway, row, positions, len(ids)),
        items=_items(gateway, cycle_id),
        positions=positions,
        legs=[each for each in shown if each.id in ids],
    )


def _line(gateway: Gateway, row: CycleRow, positions: Sequence[PositionRow], legs: int) -> CycleLine:
    return CycleLine(
        id=hexed(row.cycle_id),
        currency=row.currency,
        gross_micros=row.gross_micros,
        netted_micros=row.netted_micros,
        saved_permille=(row.gross_micros - row.netted_micros) * 1000 // row.gross_micros if row.gross_micros else 0,
        ours=sum(each.position_micros for each in positions if each.carrier == gateway.carrier),
        legs=legs,
        block=row.block_number,
    )


def _items(gateway: Gateway, cycle_id: bytes | None) -> list[ItemLine]:
    """Our items of a cycle, or those that no cycle took yet."""
    found = []
    with reading(gateway.engine) as connection:
        for held in partnerships(gateway.settings).values():
            months = {row.statement_id: str(row.period) for row in list_statements(connection, held.id)}
            disputes = {row.dispute_id for row in list_disputes(connection, held.id)}
            for item in list_items(connection, held.id):
                if item.cycle_id != cycle_id:
                    continue
                of_dispute = item.source in disputes
                month = months.get(item.source, "")
                found.append(
                    ItemLine(
                        id=hexed(item.item_id),
                        partner=held.partner,
                        creditor=item.creditor,
                        debtor=held.agreement.counterparty(item.creditor),
                        amount_micros=item.amount_micros,
                        due_at=item.due_at,
                        source="dispute" if of_dispute else "statement",
                        href=f"/desk/disputes/{hexed(item.source)}"
                        if of_dispute
                        else f"/desk/statements/{held.partner}/{month}",
                    )
                )
    return found
