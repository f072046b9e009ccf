"""What does a carrier hear about one direction, service and period? Findings, exceptions, totals and the waterfall."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.errors import Refused
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.prices.deck import DeckHistory
from ledger.prices.fx import Conversion
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.difference import Books, Difference
from reconciliation.exceptions import QuietPairs, exceptions_of, seen, tell_pairs
from reconciliation.explaining.explain import explain, rank
from reconciliation.explaining.explainer import Explainer
from reconciliation.explaining.lost_callers import with_lost_callers
from reconciliation.explaining.naming import named
from reconciliation.explaining.port_charges import with_samples
from reconciliation.explaining.wording import Perspective, sentence
from reconciliation.finding import Cause, Finding
from reconciliation.forgery.suspects import Evidence
from reconciliation.matching.match import match
from reconciliation.matching.services import tolerance_of
from reconciliation.matching.side import exact_sum
from reconciliation.streaming.sources import Source, file_source, table_source
from reconciliation.streaming.stream import USUAL_WAY, Month, Streamed, Way, streamed
from reconciliation.totals import Totals, compare_totals


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


class Known(TypedDict, total=False):
    """What may be known beside both sides' records."""

    decks: DeckHistory | None
    """The creditor's published decks: to name a missed rate change."""
    into: Conversion | None
    """What brings the decks' currency into the agreement's, where they differ: to name another day's exchange rate."""
    capacity: Mapping[str, int] | None
    """Circuits of the creditor's routes. This and what follows: to recognise forgery."""
    unallocated: Sequence[str]
    """Number ranges nobody holds."""
    test_numbers: Sequence[str]
    """Numbers that never answer."""
    ceased: Sequence[str]
    """Private lines that were cancelled."""
    pairs: Callable[[pa.Table], None] | None
    """Hears of every pair, piece by piece (PAIRS_SCHEMA), in no order."""
    way: Way
    """How the work is done (streaming/stream.py); the answer is the same for all."""


def reconcile(
    ours: pa.Table, theirs: pa.Table, *, scope: BatchScope, agreement: Agreement, **known: Unpack[Known]
) -> Reconciliation:
    """Compare two RatedTables (ledger/usage.py) of one direction, service and period.

    `scope.declarer` is us, `scope.creditor` says whose claim it is; rows may come in any order.

    Raises Malformed (a table that is not rated), Refused (a carrier that is not the agreement's).
    """
    return reconcile_sources(table_source(ours), table_source(theirs), scope=scope, agreement=agreement, **known)


def reconcile_parquet(
    ours: Sequence[Path], theirs: Sequence[Path], *, scope: BatchScope, agreement: Agreement, **known: Unpack[Known]
) -> Reconciliation:
    """The same from Parquet files of RATED_SCHEMA, such as archive files, of any size: no column is ever in memory.

    Rows count through each side's files in the order given. Raises Malformed, Refused.
    """
    return reconcile_sources(file_source(ours), file_source(theirs), scope=scope, agreement=agreement, **known)


def reconcile_sources(
    ours: Source, theirs: Source, *, scope: BatchScope, agreement: Agreement, **known: Unpack[Known]
) -> Reconciliation:
    """The same from records wherever they are (streaming/sources.py). Raises Malformed, Refused."""
    parties = (agreement.low, agreement.high)
    for carrier in (scope.declarer, scope.creditor):
        if carrier not in parties:
            raise Refused("not a party of the agreement", expected=" or ".join(parties), got=carrier)
    is_creditor = scope.declarer == scope.creditor
    tolerance = tolerance_of(agreement, scope.service)
    bounds_ms, is_explained = scope.period.bounds_ms(agreement.zone), known.get("decks") is not None
    month = Month(scope.service, bounds_ms, agreement.zone, tolerance, asks_debtor=is_explained)
    pairs = known.get("pairs")
    told = None if pairs is None else QuietPairs(pairs, is_creditor=is_creditor)
    creditor, debtor = (ours, theirs) if is_creditor else (theirs, ours)
    with streamed(creditor, debtor, month, known.get("way", USUAL_WAY), told) as sides:
        return _answer(_books(sides, scope, month), sides, scope, agreement, known)


def _answer(books: Books, sides: Streamed, scope: BatchScope, agreement: Agreement, known: Known) -> Reconciliation:
    is_creditor = scope.declarer == scope.creditor
    decks, pairs = known.get("decks"), known.get("pairs")
    differences = explain(books, _evidence(known, agreement))
    sums = (sides.creditor_sums, sides.debtor_sums) if is_creditor else (sides.debtor_sums, sides.creditor_sums)
    totals = compare_totals(*sums, agreement.tolerance)
    _check_complete(books, differences)
    _check_sifted(books, totals, is_creditor=is_creditor)
    if decks is not None and scope.service is Service.VOICE:
        differences = Explainer(books, decks, agreement, known.get("into")).explain(differences)
    if decks is not None and scope.service is Service.DATA:
        differences = with_samples(books, differences, decks, agreement, scope.creditor)
    differences = tuple(sorted(named(books, differences, agreement, scope.creditor), key=rank))
    findings = tuple(_finding(each, Perspective(scope, agreement, is_creditor)) for each in differences)
    if pairs is not None:
        tell_pairs(books, pairs, is_creditor=is_creditor)
    return Reconciliation(
        scope=scope,
        theirs=agreement.counterparty(scope.declarer),
        findings=findings,
        exceptions=exceptions_of(books, differences, is_creditor=is_creditor),
        totals=totals,
        waterfall=waterfall_of(findings, totals),
        pairs=len(books.pairing.ours) + books.whole.quiet,
        exact=_exact(books) + books.whole.quiet,
    )


def _evidence(known: Known, agreement: Agreement) -> Evidence:
    return Evidence(
        known.get("capacity") or {},
        tuple(known.get("unallocated", ())),
        tuple(known.get("test_numbers", ())),
        tuple(known.get("ceased", ())),
        terms=agreement.detectors,
    )


def _books(sides: Streamed, scope: BatchScope, month: Month) -> Books:
    books = Books(
        creditor=sides.creditor,
        debtor=sides.debtor,
        pairing=match(sides.creditor, sides.debtor, month.tolerance, sides.clocks),
        clocks=sides.clocks,
        tolerance=month.tolerance,
        bounds_ms=month.bounds_ms,
        zone=month.zone,
        period=scope.period,
        service=scope.service,
        whole=sides.whole,
    )
    return with_lost_callers(books)


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


def _finding(difference: Difference, perspective: Perspective) -> Finding:
    is_creditor = perspective.is_creditor
    owed, counted = difference.total_creditor, difference.total_debtor
    cause = seen(difference.cause, is_creditor=is_creditor)
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


def _exact(books: Books) -> int:
    pairing = books.pairing
    same = books.creditor.amount[pairing.ours] == books.debtor.amount[pairing.theirs]
    return int((same & (pairing.classes == 0)).sum())
