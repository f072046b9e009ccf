"""Which records and pairs does each finding consist of, and which pairs are there at all?"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.difference import Books, Difference
from reconciliation.finding import Cause, mirrored
from reconciliation.matching.match import Pairing, Rule
from reconciliation.matching.side import Ints, Side
from reconciliation.streaming.sources import taken

EXCEPTIONS_SCHEMA = pa.schema(
    [
        pa.field("ours_row", pa.int64()),  # row of our table, null where we have no record
        pa.field("theirs_row", pa.int64()),
        pa.field("ours_line", pa.int64()),  # its line of the raw file
        pa.field("theirs_line", pa.int64()),
        pa.field("cause", pa.string(), nullable=False),
        pa.field("finding", pa.int32(), nullable=False),  # position in Reconciliation.findings
        pa.field("ours_micros", pa.int64(), nullable=False),  # what this cause explains of the record's amount
        pa.field("theirs_micros", pa.int64(), nullable=False),
        pa.field("offset_ms", pa.int64()),  # corrected start at theirs minus ours, null without a pair
        pa.field("rule", pa.string(), nullable=False),  # what made the pair, or that there is none
        pa.field("fields", pa.string(), nullable=False),  # columns that differ, separated by commas
    ]
)
"""One row for each record or pair of each finding that moves money; a pair with two causes has two rows.
Clock findings have none: they cover whole routes."""

PAIRS_SCHEMA = pa.schema(
    [
        pa.field("ours_row", pa.int64(), nullable=False),
        pa.field("theirs_row", pa.int64(), nullable=False),
        pa.field("class", pa.uint8(), nullable=False),  # PairClass
        pa.field("rule", pa.uint8(), nullable=False),  # Rule
        pa.field("offset_ms", pa.int64(), nullable=False),  # corrected start at theirs minus ours
    ]
)
"""One row for each pair, also of records that agree."""
PAIRS_AT_ONCE = 1 << 20


def seen(cause: Cause, *, is_creditor: bool) -> Cause:
    """The creditor's cause as one of the two sides sees it."""
    return cause if is_creditor else mirrored(cause)


def tell_pairs(books: Books, told: Callable[[pa.Table], None], *, is_creditor: bool) -> None:
    """Pairs that had to be explained; the others were told before."""
    pairing = books.pairing
    rows = books.creditor.row[pairing.ours], books.debtor.row[pairing.theirs]
    pairs = np.stack([*rows, pairing.delta_ms], axis=1)
    for first in range(0, len(pairs), PAIRS_AT_ONCE):
        some = slice(first, first + PAIRS_AT_ONCE)
        told(_pair_rows(pairs[some], pairing.classes[some], pairing.rules[some], is_creditor=is_creditor))


class QuietPairs:
    """Hears of pairs without a difference as they are found: creditor's row, debtor's row, offset."""

    def __init__(self, told: Callable[[pa.Table], None], *, is_creditor: bool) -> None:
        self._told, self._is_creditor = told, is_creditor

    def __call__(self, pairs: Ints) -> None:
        zeros = np.zeros(len(pairs), np.int64)
        self._told(_pair_rows(pairs, zeros, zeros, is_creditor=self._is_creditor))


def _pair_rows(pairs: Ints, classes: Ints, rules: Ints, *, is_creditor: bool) -> pa.Table:
    owed, counted, offset_ms = pairs.T
    seen = (owed, counted, classes, rules, offset_ms) if is_creditor else (counted, owed, classes, rules, -offset_ms)
    columns = [pa.array(column).cast(field.type) for column, field in zip(seen, PAIRS_SCHEMA, strict=True)]
    return pa.Table.from_arrays(columns, schema=PAIRS_SCHEMA)


def exceptions_of(books: Books, differences: Sequence[Difference], *, is_creditor: bool) -> pa.Table:
    """The table of EXCEPTIONS_SCHEMA, as the creditor or the debtor sees it; lines are read again from the files."""
    tables = [
        _exception_rows(books, at, each, is_creditor=is_creditor)
        for at, each in enumerate(differences)
        if each.cause not in (Cause.CLOCK_OFFSET, Cause.TIME_ZONE)
    ]
    if not tables:
        return EXCEPTIONS_SCHEMA.empty_table()
    us, them = (books.creditor, books.debtor) if is_creditor else (books.debtor, books.creditor)
    without = pa.concat_tables(tables)
    return _with_lines(_with_lines(without, "ours_row", "ours_line", us), "theirs_row", "theirs_line", them)


def _exception_rows(books: Books, at: int, difference: Difference, *, is_creditor: bool) -> pa.Table:
    order = _chronological(books, difference)
    creditor, debtor = difference.creditor_rows[order], difference.debtor_rows[order]
    owed, counted = difference.creditor_micros[order], difference.debtor_micros[order]
    offset, rule = _how_paired(books.pairing, creditor, debtor)
    sides = [(creditor, books.creditor, owed), (debtor, books.debtor, counted)]
    (our_rows, us, our_micros), (their_rows, them, their_micros) = sides if is_creditor else reversed(sides)
    cause = seen(difference.cause, is_creditor=is_creditor)
    size = len(order)
    columns = [
        _place(us, our_rows),
        _place(them, their_rows),
        pa.nulls(size, pa.int64()),
        pa.nulls(size, pa.int64()),
        pa.repeat(pa.scalar(cause.value), size),
        pa.repeat(pa.scalar(at, pa.int32()), size),
        pa.array(our_micros),
        pa.array(their_micros),
        pa.array(offset if is_creditor else -offset, mask=(creditor < 0) | (debtor < 0)),
        rule,
        pa.repeat(pa.scalar(difference.fields), size),
    ]
    return pa.Table.from_arrays(columns, schema=EXCEPTIONS_SCHEMA)


def _chronological(books: Books, difference: Difference) -> Ints:
    """By start, then by what the records say, so that the order of the input's rows does not show."""
    has_creditor = difference.creditor_rows >= 0
    row = np.where(has_creditor, difference.creditor_rows, difference.debtor_rows)
    start, tie = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    for side, mine in ((books.creditor, has_creditor), (books.debtor, ~has_creditor)):
        start[mine], tie[mine] = side.start_ms[row[mine]], side.tie[row[mine]]
    order: Ints = np.lexsort((row, tie, start))
    return order


def _how_paired(pairing: Pairing, creditor: Ints, debtor: Ints) -> tuple[Ints, pa.Array]:
    """Start difference and words of the rule for each row; 0 and "no partner" without a pair."""
    offset, rule = np.zeros(len(creditor), np.int64), np.full(len(creditor), len(Rule))
    paired = (creditor >= 0) & (debtor >= 0)
    at = np.searchsorted(pairing.ours, creditor[paired])
    offset[paired], rule[paired] = pairing.delta_ms[at], pairing.rules[at]
    words = pa.array([*(each.words for each in Rule), "no partner"], pa.string())
    return offset, words.take(pa.array(rule))


def _place(side: Side, rows: Ints) -> pa.Array:
    """Where records stand among all of their side; null without one."""
    places = np.full(len(rows), -1, np.int64)
    places[rows >= 0] = side.row[rows[rows >= 0]]
    return pa.array(places, mask=rows < 0)


def _with_lines(exceptions: pa.Table, rows: str, lines: str, side: Side) -> pa.Table:
    """The column `lines` filled for the records of the column `rows`, read again from the side's source."""
    places = exceptions[rows].combine_chunks()
    known = pc.unique(places.drop_null()).sort()
    found = taken(side.source, known.to_numpy(zero_copy_only=False), ("line",))["line"]
    filled = found.take(pc.index_in(places, value_set=known)) if len(known) else pa.nulls(len(places), pa.int64())
    return exceptions.set_column(exceptions.schema.get_field_index(lines), EXCEPTIONS_SCHEMA.field(lines), filled)
