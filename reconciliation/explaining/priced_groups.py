"""Which records is a rule tried on? A few of each difference, and of all pairs of its codes; then counted on all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.errors import GscError
from ledger.prices.rating import rate
from ledger.usage import USAGE_SCHEMA
from reconciliation.difference import Books, Difference
from reconciliation.explaining.reckoning import Reckoning
from reconciliation.matching.side import Flags, Ints, Side
from reconciliation.streaming.census import Census, Ranked, least_together
from reconciliation.streaming.sources import taken

SAMPLE = 64
"""Records of a difference that every rule is tried on; the one found is then counted on all of them."""
READ = (*USAGE_SCHEMA.names, "code", "amount_micros")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one side and the amounts it has for them."""

    usage: pa.Table
    """USAGE_SCHEMA; `line` counts the rows from 0."""
    amounts: Ints

    def __len__(self) -> int:
        return len(self.amounts)

    def starts_ms(self) -> tuple[int, int]:
        """The first and the last start."""
        start_ms = self.usage["start_ms"].to_numpy()
        return int(start_ms.min()), int(start_ms.max())

    def share(self, reckoning: Reckoning) -> float:
        """Of the amounts, what the reckoning gives to the micro."""
        return float(self.reproduced(reckoning).mean())

    def reproduced(self, reckoning: Reckoning) -> Flags:
        """Which amounts the reckoning gives to the micro."""
        hits = np.zeros(len(self), np.bool_)
        usage = self.usage
        if reckoning.shift_ms:
            moved = pa.array(usage["start_ms"].to_numpy() + reckoning.shift_ms)
            usage = usage.set_column(usage.schema.get_field_index("start_ms"), USAGE_SCHEMA.field("start_ms"), moved)
        try:
            rated = rate(usage, reckoning.history, reckoning.agreement, reckoning.into).rated
        except GscError:
            return hits  # a rule under which nothing can be priced gives nobody's amounts
        rows = rated["line"].to_numpy()
        hits[rows] = rated["amount_micros"].to_numpy() == self.amounts[rows]
        return hits


class Samples(NamedTuple):
    """Of one difference and side."""

    differing: Group
    all: Group
    """Of all pairs of the difference's codes, also those without a difference: a rule must give both kinds."""
    codes: frozenset[str]


def samples_of(books: Books, differences: Mapping[int, Difference], *, is_creditor: bool) -> dict[int, Samples]:
    """Some records of each difference; the side's numbers are read again once for all of them."""
    side = books.creditor if is_creditor else books.debtor
    paired = books.pairing.ours if is_creditor else books.pairing.theirs
    census = books.whole.creditor if is_creditor else books.whole.debtor
    assert census is not None, "nobody said that the debtor's records would be asked for"
    found = {at: each.creditor_rows if is_creditor else each.debtor_rows for at, each in differences.items()}
    codes = {at: np.unique(side.code.codes[rows]) for at, rows in found.items()}
    wanted = np.unique(np.concatenate([*codes.values(), np.empty(0, np.int64)]))
    known = _Known(census, side, paired, wanted)
    differing = {at: side.row[_spread(side, rows)] for at, rows in found.items()}
    beside = {at: known.of(codes[at]) for at in found}
    rows = np.unique(np.concatenate([*differing.values(), *beside.values(), np.empty(0, np.int64)]))
    read = taken(side.source, rows, READ) if len(rows) else None
    return {
        at: Samples(
            _group(read, rows, differing[at]),
            _group(read, rows, beside[at]),
            frozenset(side.code.texts[code] for code in codes[at].tolist()),
        )
        for at in found
    }


class Asked(NamedTuple):
    """Codes of one side's pairs, and what may give their amounts."""

    codes: frozenset[str]
    reckoning: Reckoning


def count_reproduced(side: Side, single: Ints, asked: Sequence[Asked]) -> list[tuple[int, int]]:
    """For each: how many amounts of all pairs of its codes follow, and of how many. Reads the side again, once.

    `single` are the side's rows without a partner, ascending.
    """
    counts = [(0, 0)] * len(asked)
    for piece in side.source.pieces if asked else ():
        for first, table in side.source.read(piece, READ):
            paired = np.ones(len(table), np.bool_)
            alone = single[(single >= first) & (single < first + len(table))] - first
            paired[alone] = False
            for at, each in enumerate(asked):
                group = _paired_group(table, paired, each.codes)
                if len(group):
                    hits, of = counts[at]
                    counts[at] = hits + int(group.reproduced(each.reckoning).sum()), of + len(group)
    return counts


def _paired_group(table: pa.Table, paired: Flags, codes: frozenset[str]) -> Group:
    column = table["code"].chunk(0)
    is_mine = pc.is_in(column.dictionary, value_set=pa.array(sorted(codes), pa.string()))
    mine = is_mine.to_numpy(zero_copy_only=False)[column.indices.to_numpy()]
    rows = np.flatnonzero(mine & paired)
    return _usage_group(table.take(pa.array(rows)))


class _Known:
    """A few pairs of each code, the same however the side is cut or ordered: those whose hashes are least."""

    def __init__(self, census: Census, side: Side, paired: Ints, codes: Ints) -> None:
        quiet = census.least(codes, SAMPLE, without=side.row)
        mine = paired[np.isin(side.code.codes[paired], codes)]
        rank = census.rank(side.a_hash[mine], side.b_hash[mine], side.start_ms[mine])
        loud = Ranked(side.row[mine], side.code.codes[mine], rank)
        self._few = least_together([quiet, loud], SAMPLE)

    def of(self, codes: Ints) -> Ints:
        """Rows of some pairs of these codes."""
        mine = np.flatnonzero(np.isin(self._few.code, codes))
        order = np.lexsort((self._few.row[mine], self._few.rank[mine]))[:SAMPLE]
        rows: Ints = self._few.row[mine[order]]
        return rows


def _spread(side: Side, rows: Ints) -> Ints:
    """Some of the rows, spread over time."""
    order = rows[np.lexsort((side.tie[rows], side.start_ms[rows]))]
    if len(order) <= SAMPLE:
        return order
    spread: Ints = order[np.linspace(0, len(order) - 1, SAMPLE).astype(np.int64)]
    return spread


def _group(read: pa.Table | None, rows: Ints, mine: Ints) -> Group:
    assert read is not None
    return _usage_group(read.take(pa.array(np.searchsorted(rows, mine))))


def _usage_group(table: pa.Table) -> Group:
    usage = table.select(USAGE_SCHEMA.names)
    numbered = usage.set_column(0, USAGE_SCHEMA.field("line"), pa.array(np.arange(len(usage)))).cast(USAGE_SCHEMA)
    return Group(numbered, np.asarray(table["amount_micros"].to_numpy(), np.int64))
