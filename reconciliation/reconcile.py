"""What does a carrier hear about one direction, service and period? Findings, exceptions, totals and the waterfall."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.errors import Refused
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.prices.deck import DeckHistory
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.difference import Books, Difference
from reconciliation.explaining.explain import explain
from reconciliation.explaining.explainer import Explainer
from reconciliation.explaining.port_charges import with_samples
from reconciliation.explaining.wording import Perspective, sentence
from reconciliation.finding import Cause, Finding, mirrored
from reconciliation.forgery.suspects import Evidence
from reconciliation.matching.match import Pairing, Rule, match
from reconciliation.matching.services import tolerance_of
from reconciliation.matching.side import Ints, Side, exact_sum
from reconciliation.streaming.sources import Source, file_source, table_source, taken
from reconciliation.streaming.stream import USUAL_WAY, Month, Streamed, Way, streamed
from reconciliation.totals import Totals, compare_totals

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


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall."""

    cause: Cause
    count: int
    difference_micros: Micros
    """Ours minus theirs."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From our total down (or up) to theirs: ours - steps = theirs, to the micro."""

    ours_micros: Micros
    steps: tuple[Step, ...]
    theirs_micros: Micros


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The engine's whole answer, as the carrier `scope.declarer` sees it."""

    scope: BatchScope
    theirs: CarrierCode
    findings: tuple[Finding, ...]
    exceptions: pa.Table
    totals: Totals
    waterfall: Waterfall
    pairs: int
    """Records matched one to one."""
    exact: int
    """Of these, with equal quantity and amount."""

    def rows_of(self, finding: int) -> pa.Table:
        """The exceptions of one finding, by its position."""
        return self.exceptions.filter(pc.equal(self.exceptions["finding"], finding))


def reconcile(
    ours: pa.Table,
    theirs: pa.Table,
    *,
    scope: BatchScope,
    agreement: Agreement,
    decks: DeckHistory | None = None,
    capacity: Mapping[str, int] | None = None,
    unallocated: Sequence[str] = (),
    test_numbers: Sequence[str] = (),
    ceased: Sequence[str] = (),
    pairs: Callable[[pa.Table], None] | None = None,
    way: Way = USUAL_WAY,
) -> Reconciliation:
    """Compare two RatedTables (ledger/usage.py) of one direction, service and period.

    `scope.declarer` is us, `scope.creditor` says whose claim it is; rows may come in any order. `decks` are the
    creditor's published decks (to name a missed rate change), `capacity` the circuits of its routes, `unallocated`
    number ranges nobody holds, `test_numbers` numbers that never answer and `ceased` private lines that were cancelled
    (to recognise forgery). `pairs` hears of every pair, piece by piece (PAIRS_SCHEMA), in no order. `way` says how the
    work is done (streaming/stream.py); the answer is the same for all.

    Raises Malformed (a table that is not rated), Refused (a carrier that is not the agreement's).
    """
    sources = table_source(ours), table_source(theirs)
    evidence = Evidence(
        capacity or {}, tuple(unallocated), tuple(test_numbers), tuple(ceased), terms=agreement.detectors
    )
    return _reconcile(*sources, _Asked(scope, agreement, decks, evidence, pairs, way))


def reconcile_parquet(
    ours: Sequence[Path],
    theirs: Sequence[Path],
    *,
    scope: BatchScope,
    agreement: Agreement,
    decks: DeckHistory | None = None,
    capacity: Mapping[str, int] | None = None,
    unallocated: Sequence[str] = (),
    test_numbers: Sequence[str] = (),
    ceased: Sequence[str] = (),
    pairs: Callable[[pa.Table], None] | None = None,
    way: Way = USUAL_WAY,
) -> Reconciliation:
    """The same from Parquet files of RATED_SCHEMA, such as archive files, of any size: never a column in memory.

    Rows count through each side's files in the order given. Raises Malformed, Refused.
    """
    sources = file_source(ours), file_source(theirs)
    evidence = Evidence(
        capacity or {}, tuple(unallocated), tuple(test_numbers), tuple(ceased), terms=agreement.detectors
    )
    return _reconcile(*sources, _Asked(scope, agreement, decks, evidence, pairs, way))


class _Asked(NamedTuple):
    """What is known beside both sides' records, and what else is to be told."""

    scope: BatchScope
    agreement: Agreement
    decks: DeckHistory | None
    evidence: Evidence
    pairs: Callable[[pa.Table], None] | None
    way: Way


def _reconcile(ours: Source, theirs: Source, asked: _Asked) -> Reconciliation:
    scope, agreement = asked.scope, asked.agreement
    parties = (agreement.low, agreement.high)
    for carrier in (scope.declarer, scope.creditor):
        if carrier not in parties:
            raise Refused("not a party of the agreement", expected=" or ".join(parties), got=carrier)
    is_creditor = scope.declarer == scope.creditor
    tolerance = tolerance_of(agreement, scope.service)
    month = Month(scope.service, scope.period.bounds_ms(agreement.zone), agreement.zone, tolerance)
    told = None if asked.pairs is None else _QuietPairs(asked.pairs, is_creditor)
    creditor, debtor = (ours, theirs) if is_creditor else (theirs, ours)
    with streamed(creditor, debtor, month, asked.way, told) as sides:
        return _answer(_books(sides, scope, month), sides, asked)


def _answer(books: Books, sides: Streamed, asked: _Asked) -> Reconciliation:
    scope, agreement = asked.scope, asked.agreement
    is_creditor = scope.declarer == scope.creditor
    differences = explain(books, asked.evidence)
    sums = (sides.creditor_sums, sides.debtor_sums) if is_creditor else (sides.debtor_sums, sides.creditor_sums)
    totals = compare_totals(*sums, agreement.tolerance)
    _check_complete(books, differences)
    _check_sifted(books, totals, is_creditor=is_creditor)
    if asked.decks is not None and scope.service is Service.VOICE:
        differences = Explainer(books, asked.decks, agreement).explain(differences)
    if asked.decks is not None and scope.service is Service.DATA:
        differences = with_samples(books, differences, asked.decks, agreement, scope.creditor)
    findings = tuple(_finding(each, Perspective(scope, agreement, is_creditor)) for each in differences)
    if asked.pairs is not None:
        _tell_pairs(books, asked.pairs, is_creditor=is_creditor)
    return Reconciliation(
        scope=scope,
        theirs=agreement.counterparty(scope.declarer),
        findings=findings,
        exceptions=_exceptions(books, differences, is_creditor=is_creditor),
        totals=totals,
        waterfall=waterfall_of(findings, totals),
        pairs=len(books.pairing.ours) + books.whole.quiet,
        exact=_exact(books) + books.whole.quiet,
    )


def _books(sides: Streamed, scope: BatchScope, month: Month) -> Books:
    return Books(
        creditor=sides.creditor,
        debtor=sides.debtor,
        pairing=match(sides.creditor, sides.debtor, month.tolerance, sides.clocks),
        clocks=sides.clocks,
        tolerance=month.tolerance,
        bounds_ms=month.bounds_ms,
        period=scope.period,
        service=scope.service,
        whole=sides.whole,
    )


def _check_complete(books: Books, differences: Sequence[Difference]) -> None:
    """Each record is in one pair or one difference, and the differences sum to the whole, to the last micro."""
    pairing = books.pairing
    whole = exact_sum(books.creditor.amount) - exact_sum(books.debtor.amount)
    explained = sum(each.total_creditor - each.total_debtor for each in differences)
    assert explained == whole, f"findings explain {explained} of {whole} micros"
    for side, paired, alone in (
        (books.creditor, pairing.ours, [d.creditor_rows for d in differences if _one_sided(d)]),
        (books.debtor, pairing.theirs, [d.debtor_rows for d in differences if _one_sided(d)]),
    ):
        seen = np.concatenate([paired, *[rows[rows >= 0] for rows in alone]])
        assert np.array_equal(np.sort(seen), np.arange(len(side))), "a record is in no finding, or in two"


def _check_sifted(books: Books, totals: Totals, *, is_creditor: bool) -> None:
    """What was read is quiet or here, on both sides; and quiet records come in pairs of equal amounts."""
    read = (totals.ours_count, totals.theirs_count) if is_creditor else (totals.theirs_count, totals.ours_count)
    here = len(books.creditor) + books.whole.quiet, len(books.debtor) + books.whole.quiet
    assert read == here, f"of {read} records {here} are neither quiet nor explained, or more than once"
    left = exact_sum(books.creditor.amount) - exact_sum(books.debtor.amount)
    whole = totals.difference_micros if is_creditor else -totals.difference_micros
    assert left == whole, f"what is to be explained differs by {left} of {whole} micros"


def _one_sided(difference: Difference) -> bool:
    if difference.cause in (Cause.CLOCK_OFFSET, Cause.TIME_ZONE):
        return False
    return bool((difference.creditor_rows < 0).any() or (difference.debtor_rows < 0).any())


def _seen(cause: Cause, *, is_creditor: bool) -> Cause:
    return cause if is_creditor else mirrored(cause)


def _finding(difference: Difference, perspective: Perspective) -> Finding:
    is_creditor = perspective.is_creditor
    owed, counted = difference.total_creditor, difference.total_debtor
    cause = _seen(difference.cause, is_creditor=is_creditor)
    return Finding(
        cause=cause,
        severity=difference.severity,
        creditor=perspective.scope.creditor,
        service=perspective.scope.service,
        period=perspective.scope.period,
        count=difference.size,
        ours_micros=owed if is_creditor else counted,
        theirs_micros=counted if is_creditor else owed,
        route=difference.route,
        destination=difference.destination,
        day=difference.day,
        explanation=sentence(difference, cause, perspective),
        rule=difference.rule,
    )


def waterfall_of(findings: Sequence[Finding], totals: Totals) -> Waterfall:
    """The findings as bars, one for each cause, in the order of the causes."""
    steps = []
    for cause in Cause:
        mine = [finding for finding in findings if finding.cause == cause]
        if mine:
            moved = sum(finding.difference_micros for finding in mine)
            steps.append(Step(cause, sum(finding.count for finding in mine), Micros(moved)))
    assert totals.ours_micros - sum(step.difference_micros for step in steps) == totals.theirs_micros
    return Waterfall(totals.ours_micros, tuple(steps), totals.theirs_micros)


def _tell_pairs(books: Books, told: Callable[[pa.Table], None], *, is_creditor: bool) -> None:
    """Pairs that had to be explained; the others were told before."""
    pairing = books.pairing
    rows = books.creditor.row[pairing.ours], books.debtor.row[pairing.theirs]
    pairs = np.stack([*rows, pairing.delta_ms], axis=1)
    for first in range(0, len(pairs), PAIRS_AT_ONCE):
        some = slice(first, first + PAIRS_AT_ONCE)
        told(_pair_rows(pairs[some], pairing.classes[some], pairing.rules[some], is_creditor=is_creditor))


class _QuietPairs:
    """Hears of pairs without a difference as they are found: creditor's row, debtor's row, offset."""

    def __init__(self, told: Callable[[pa.Table], None], is_creditor: bool) -> None:
        self._told, self._is_creditor = told, is_creditor

    def __call__(self, pairs: Ints) -> None:
        zeros = np.zeros(len(pairs), np.int64)
        self._told(_pair_rows(pairs, zeros, zeros, is_creditor=self._is_creditor))


def _pair_rows(pairs: Ints, classes: Ints, rules: Ints, *, is_creditor: bool) -> pa.Table:
    owed, counted, offset_ms = pairs.T
    seen = (owed, counted, classes, rules, offset_ms) if is_creditor else (counted, owed, classes, rules, -offset_ms)
    columns = [pa.array(column).cast(field.type) for column, field in zip(seen, PAIRS_SCHEMA, strict=True)]
    return pa.Table.from_arrays(columns, schema=PAIRS_SCHEMA)


def _exact(books: Books) -> int:
    pairing = books.pairing
    same = books.creditor.amount[pairing.ours] == books.debtor.amount[pairing.theirs]
    return int((same & (pairing.classes == 0)).sum())


def _exceptions(books: Books, differences: Sequence[Difference], *, is_creditor: bool) -> pa.Table:
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
    cause = _seen(difference.cause, is_creditor=is_creditor)
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
