"""What does a carrier hear about one direction, service and period? Findings, exceptions, totals and the waterfall."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

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
from reconciliation.matching.services import clocks_of, tolerance_of
from reconciliation.matching.side import Ints, Side, exact_sum, side_of
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
        return self.exceptions.filter(pa.compute.equal(self.exceptions["finding"], finding))


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
) -> Reconciliation:
    """Compare two RatedTables (ledger/usage.py) of one direction, service and period.

    `scope.declarer` is us, `scope.creditor` says whose claim it is; rows may come in any order. `decks` are the
    creditor's published decks (to name a missed rate change), `capacity` the circuits of its routes, `unallocated`
    number ranges nobody holds, `test_numbers` numbers that never answer and `ceased` private lines that were cancelled
    (to recognise forgery). `pairs` hears of every pair, piece by piece (PAIRS_SCHEMA).

    Raises Malformed (a table that is not rated), Refused (a carrier that is not the agreement's).
    """
    books = _books(ours, theirs, scope, agreement)
    evidence = Evidence(
        capacity or {}, tuple(unallocated), tuple(test_numbers), tuple(ceased), terms=agreement.detectors
    )
    differences = explain(books, evidence)
    _check_complete(books, differences)
    is_creditor = scope.declarer == scope.creditor
    perspective = Perspective(scope, agreement, is_creditor)
    if decks is not None and scope.service is Service.VOICE:
        differences = Explainer(books, decks, agreement).explain(differences)
    if decks is not None and scope.service is Service.DATA:
        differences = with_samples(books, differences, decks, agreement, scope.creditor)
    findings = tuple(_finding(each, perspective) for each in differences)
    if pairs is not None:
        _tell_pairs(books.pairing if is_creditor else books.pairing.mirrored(), pairs)
    us, them = (books.creditor, books.debtor) if is_creditor else (books.debtor, books.creditor)
    totals = compare_totals(us, them, agreement.zone, agreement.tolerance)
    return Reconciliation(
        scope=scope,
        theirs=agreement.counterparty(scope.declarer),
        findings=findings,
        exceptions=_exceptions(books, differences, is_creditor=is_creditor),
        totals=totals,
        waterfall=waterfall_of(findings, totals),
        pairs=len(books.pairing.ours),
        exact=_exact(books),
    )


def _books(ours: pa.Table, theirs: pa.Table, scope: BatchScope, agreement: Agreement) -> Books:
    parties = (agreement.low, agreement.high)
    for carrier in (scope.declarer, scope.creditor):
        if carrier not in parties:
            raise Refused("not a party of the agreement", expected=" or ".join(parties), got=carrier)
    us, them = side_of(ours, scope.service), side_of(theirs, scope.service)
    creditor, debtor = (us, them) if scope.declarer == scope.creditor else (them, us)
    tolerance = tolerance_of(agreement, scope.service)
    estimated = clocks_of(creditor, debtor, tolerance, scope.service)
    return Books(
        creditor=creditor,
        debtor=debtor,
        pairing=match(creditor, debtor, tolerance, estimated),
        clocks=estimated,
        tolerance=tolerance,
        bounds_ms=scope.period.bounds_ms(agreement.zone),
        period=scope.period,
        service=scope.service,
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


def _tell_pairs(pairing: Pairing, told: Callable[[pa.Table], None]) -> None:
    columns = [pairing.ours, pairing.theirs, pairing.classes, pairing.rules, pairing.delta_ms]
    for first in range(0, len(pairing.ours), PAIRS_AT_ONCE):
        piece = [column[first : first + PAIRS_AT_ONCE] for column in columns]
        arrays = [pa.array(part).cast(field.type) for part, field in zip(piece, PAIRS_SCHEMA, strict=True)]
        told(pa.Table.from_arrays(arrays, schema=PAIRS_SCHEMA))


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
    return pa.concat_tables(tables) if tables else EXCEPTIONS_SCHEMA.empty_table()


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
        _optional(our_rows),
        _optional(their_rows),
        _lines(us, our_rows),
        _lines(them, their_rows),
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


def _optional(rows: Ints) -> pa.Array:
    return pa.array(rows, mask=rows < 0)


def _lines(side: Side, rows: Ints) -> pa.Array:
    lines = np.zeros(len(rows), np.int64)
    lines[rows >= 0] = side.line[rows[rows >= 0]]
    return pa.array(lines, mask=rows < 0)
