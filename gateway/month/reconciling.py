"""Verb *reconcile*: where do the two sides differ, by how much, and why?"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.answers import Money
from gateway.composition import Gateway, partnership_with
from gateway.month.books import book_of, files_of, require_revealed, revealed_book
from gateway.month.decks import direction_decks
from gateway.month.late_books import late_records
from gateway.month.listing import begin_listing, list_path
from gateway.month.parts import Direction, directions
from gateway.month.versions import of_period
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.prices.deck import DeckHistory
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.findings import FindingRow, ReconciliationRow, record_reconciliation
from ledger.usage import BatchScope
from reconciliation.explaining.late import with_late
from reconciliation.finding import Cause, Finding
from reconciliation.reconcile import Reconciliation, reconcile_parquet


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """One explained difference."""

    cause: Cause
    severity: str
    count: int
    ours: Money
    theirs: Money
    difference: Money
    route: str | None
    destination: str | None
    day: str | None
    explanation: str
    rule: str


@dataclass(frozen=True, slots=True)
class ReconciledDirection:
    """Both sides of one direction. The findings' differences sum to ours minus theirs, to the last micro."""

    creditor: CarrierCode
    service: Service
    ours: Money
    theirs: Money
    difference: Money
    ours_count: int
    theirs_count: int
    pairs: int
    exact: int
    findings: tuple[FindingAnswer, ...]


@dataclass(frozen=True, slots=True)
class ReconcileAnswer:
    """Both directions of a period with one partner."""

    partner: CarrierCode
    period: Period
    directions: tuple[ReconciledDirection, ...]
    dry_run: bool


def reconcile(gateway: Gateway, partner: CarrierCode, period: Period, *, dry_run: bool = False) -> ReconcileAnswer:
    """Match ours against theirs in both directions and explain every difference. Raises Conflict before reveal."""
    signed = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    held = of_period(gateway, signed, period)
    done = []
    for direction in directions(held):
        result = compare(gateway, direction, period) if dry_run else _compare_and_keep(gateway, direction, period)
        if result is not None:
            done.append(_answer(result, direction))
    return ReconcileAnswer(partner, period, tuple(done), dry_run)


def compare(
    gateway: Gateway,
    direction: Direction,
    period: Period,
    *,
    unrevealed: bool = False,
    pairs: Callable[[pa.Table], None] | None = None,
) -> Reconciliation | None:
    """The engine's answer for one direction, from our archive and what was revealed; None if nobody declared.

    With `unrevealed` it does without what the partner did not reveal. `pairs` hears of every pair.
    Raises otherwise Conflict before reveal, RootMismatch for a file that changed since.
    """
    if not unrevealed:
        require_revealed(gateway, direction, period)
    ours = book_of(gateway, direction, gateway.carrier, period)
    theirs = revealed_book(gateway, direction, period)
    if not ours.batches and not theirs.batches:
        return None
    result = reconcile_parquet(
        files_of(gateway, ours.own),
        files_of(gateway, theirs.own),
        scope=direction.scope(gateway.carrier, period),
        agreement=direction.held.agreement,
        decks=_decks(gateway, direction),
        capacity=gateway.settings.capacity,
        unallocated=gateway.settings.unallocated,
        test_numbers=gateway.settings.known.test_numbers,
        ceased=gateway.settings.known.ceased,
        pairs=pairs,
    )
    late = late_records(gateway, direction, period, ours.late, theirs.late)
    return with_late(result, late, direction.held.agreement)


def finding_answer(finding: Finding, currency: str) -> FindingAnswer:
    """A finding as answers show it."""
    return FindingAnswer(
        cause=finding.cause,
        severity=finding.severity,
        count=finding.count,
        ours=Money(currency, finding.ours_micros),
        theirs=Money(currency, finding.theirs_micros),
        difference=Money(currency, finding.difference_micros),
        route=finding.route,
        destination=finding.destination,
        day=finding.day.isoformat() if finding.day else None,
        explanation=finding.explanation,
        rule=finding.rule,
    )


def _decks(gateway: Gateway, direction: Direction) -> DeckHistory | None:
    """The creditor's decks, if we hold them: they let the engine name a missed rate change."""
    try:
        with reading(gateway.engine) as connection:
            return direction_decks(gateway, connection, direction.held, direction.creditor, direction.service).history
    except NotFound:
        return None


def _compare_and_keep(gateway: Gateway, direction: Direction, period: Period) -> Reconciliation | None:
    """The engine's answer, its findings in the store, the records that differ and the list of all in files."""
    gateway.settings.work_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=gateway.settings.work_path, prefix=".pairs-") as scratch:
        listing = begin_listing(gateway, direction, period, Path(scratch))
        result = compare(gateway, direction, period, pairs=listing.pairs.hear)
        if result is not None:
            path = _exceptions_path(gateway, result.scope)
            exceptions = listing.write(list_path(gateway.settings.home / path), result.exceptions)
            _write(gateway, path, exceptions)
            _record(gateway, result, path)
    return result


def _record(gateway: Gateway, result: Reconciliation, path: str) -> None:
    now_ms = gateway.clock.now_ms()
    run = ReconciliationRow(
        scope=result.scope,
        ours_micros=result.totals.ours_micros,
        theirs_micros=result.totals.theirs_micros,
        pairs=result.pairs,
        ours_count=result.totals.ours_count,
        theirs_count=result.totals.theirs_count,
        exceptions_path=path,
        reconciled_at_ms=now_ms,
    )
    with writing(gateway.engine) as connection:
        record_reconciliation(connection, run, [_row(finding) for finding in result.findings])


def _exceptions_path(gateway: Gateway, scope: BatchScope) -> str:
    folder = gateway.settings.work_path / "reconciled" / f"{scope.period}" / scope.agreement_id.hex()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scope.creditor}-{scope.service.word}.parquet"
    return path.relative_to(gateway.settings.home).as_posix()


def _write(gateway: Gateway, relative: str, table: pa.Table) -> None:
    path = gateway.settings.home / relative
    partial = path.with_suffix(".part")
    pq.write_table(table, partial, compression="zstd", row_group_size=10_000)
    partial.replace(path)


def _row(finding: Finding) -> FindingRow:
    return FindingRow(
        cause=finding.cause,
        severity=finding.severity,
        creditor=finding.creditor,
        service=finding.service,
        period=finding.period,
        count=finding.count,
        ours_micros=finding.ours_micros,
        theirs_micros=finding.theirs_micros,
        route=finding.route,
        destination=finding.destination,
        day=finding.day.isoformat() if finding.day else None,
        explanation=finding.explanation,
        rule=finding.rule,
    )


def _answer(result: Reconciliation, direction: Direction) -> ReconciledDirection:
    currency = direction.held.currency
    ours, theirs = result.totals.ours_micros, result.totals.theirs_micros
    return ReconciledDirection(
        creditor=direction.creditor,
        service=direction.service,
        ours=Money(currency, ours),
        theirs=Money(currency, theirs),
        difference=Money(currency, Micros(ours - theirs)),
        ours_count=result.totals.ours_count,
        theirs_count=result.totals.theirs_count,
        pairs=result.pairs,
        exact=result.exact,
        findings=tuple(finding_answer(finding, currency) for finding in result.findings),
    )
