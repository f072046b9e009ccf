"""Which calls went round a price of ours? The page of one finding of arbitrage."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from gateway.composition import Gateway
from gateway.desk.views.records.sealing import RecordSide
from gateway.month.bypassing import FoundArbitrage, arbitrage_of
from ledger.errors import NotFound
from ledger.period import Period
from ledger.store.arbitrages import list_arbitrages
from ledger.store.engine import reading

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class ArbitrageView:
    """A finding of arbitrage and one page of the records that show it."""

    period: str
    finding: FoundArbitrage
    lines: Sequence[RecordSide]
    shown_from: int
    total: int
    next_after: int | None


def arbitrage_view(gateway: Gateway, period: Period, number: int, after: int = 0) -> ArbitrageView:
    """One page of a finding's records. Raises NotFound."""
    with reading(gateway.engine) as connection:
        rows = list_arbitrages(connection, period)
    row = next((each for each in rows if each.number == number), None)
    if row is None or row.evidence_path is None:
        raise NotFound("no such finding", expected=f"1 to {len(rows)}, with records", got=number, todo="Search again.")
    table = pq.read_table(gateway.settings.home / row.evidence_path)
    lines = [_line(row.declarer or "", each) for each in table.slice(after, PAGE_ROWS).to_pylist()]
    last = after + len(lines)
    return ArbitrageView(
        period=str(period),
        finding=arbitrage_of(row),
        lines=lines,
        shown_from=after + 1 if lines else 0,
        total=len(table),
        next_after=last if last < len(table) else None,
    )


def _line(declarer: str, values: dict[str, object]) -> RecordSide:
    """A row of the evidence file: a record, its batch's root and its leaf."""
    index = values.pop("leaf")
    root = f"0x{values.pop('root')}"
    return RecordSide(declarer=declarer, root=root, index=index, **values)  # type: ignore[arg-type]
