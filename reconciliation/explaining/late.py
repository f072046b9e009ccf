"""What do records that came late change, and did the other side count them in their own month?

A late record is declared in a later period and corrects an earlier one. Its counterpart, if there is one, is a record
of that earlier period that had none then, or came late as well. What was counted before is no difference to argue
about; what nobody had, and what has another amount now, is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.exceptions import EXCEPTIONS_SCHEMA
from reconciliation.explaining.wording import counted_noun
from reconciliation.finding import Cause, Finding, Severity
from reconciliation.matching.match import match
from reconciliation.matching.services import clocks_of, tolerance_of
from reconciliation.matching.side import Side, side_of
from reconciliation.reconcile import Reconciliation, waterfall_of
from reconciliation.totals import compare_totals, sums_of_side, sums_together

RULE = "declared after the close of its own period, as a correction"


@dataclass(frozen=True, slots=True)
class LateRecords:
    """RatedTables. Late: declared in this period. Alone: of the corrected periods, without a counterpart there."""

    ours: pa.Table
    theirs: pa.Table
    ours_alone: pa.Table
    theirs_alone: pa.Table
    corrects: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A late record, or a pair with at least one; rows count within the late tables, None where that side is none."""

    ours: int | None
    theirs: int | None
    ours_micros: int
    theirs_micros: int
    paired: bool
    counted_ours: int = 0
    """Of ours_micros: what the other side had counted."""
    counted_theirs: int = 0


def with_late(result: Reconciliation, late: LateRecords, agreement: Agreement) -> Reconciliation:
    """The answer for the period's own records with its late records as findings of their own.

    In the exceptions a late record's row counts on after the own records of its side. The differences still sum to the
    whole, to the last micro. Raises Malformed.
    """
    if not len(late.ours) and not len(late.theirs):
        return result
    is_creditor = result.scope.declarer == result.scope.creditor
    rows = list(_rows(late, agreement, result.scope.service, is_creditor=is_creditor))
    found = [each for each in _groups(rows, result, late, agreement) if each[1]]
    findings = (*result.findings, *(finding for finding, _ in found))
    own = result.totals.ours_count, result.totals.theirs_count
    exceptions = [_exceptions(group, len(result.findings) + at, own, late) for at, (_, group) in enumerate(found)]
    more = (sums_of_side(side_of(table, result.scope.service), agreement.zone) for table in (late.ours, late.theirs))
    us, them = (sums_together(own, late) for own, late in zip(result.totals.sums(), more, strict=True))
    totals = compare_totals(us, them, agreement.tolerance)
    return replace(
        result,
        findings=findings,
        exceptions=pa.concat_tables([result.exceptions, *exceptions]),
        totals=totals,
        waterfall=waterfall_of(findings, totals),
    )


def _rows(late: LateRecords, agreement: Agreement, service: Service, *, is_creditor: bool) -> Iterator[_Row]:
    """Every late record once: with its counterpart, or alone."""
    us = side_of(pa.concat_tables([late.ours, late.ours_alone]), service)
    them = side_of(pa.concat_tables([late.theirs, late.theirs_alone]), service)
    creditor, debtor = (us, them) if is_creditor else (them, us)
    tolerance = tolerance_of(agreement, service)
    pairing = match(creditor, debtor, tolerance, clocks_of(creditor, debtor, tolerance, service))
    seen = pairing if is_creditor else pairing.mirrored()
    pairs = zip(seen.ours.tolist(), seen.theirs.tolist(), strict=True)
    lates = len(late.ours), len(late.theirs)
    for at, other in sorted(pairs):
        if at < lates[0] or other < lates[1]:
            yield _pair(us, them, at, other, lates)
    paired = set(seen.ours.tolist()), set(seen.theirs.tolist())
    for at in sorted(set(range(lates[0])) - paired[0]):
        yield _Row(at, None, int(us.amount[at]), 0, paired=False)
    for other in sorted(set(range(lates[1])) - paired[1]):
        yield _Row(None, other, 0, int(them.amount[other]), paired=False)


def _pair(us: Side, them: Side, at: int, other: int, lates: tuple[int, int]) -> _Row:
    """A pair with a late record: what the other side had counted before, or counts alike, is settled."""
    ours, theirs = int(us.amount[at]), int(them.amount[other])
    is_ours, is_theirs = at < lates[0], other < lates[1]
    counted = min(ours, theirs) if is_ours and is_theirs else theirs if is_ours else ours
    return _Row(
        ours=at if is_ours else None,
        theirs=other if is_theirs else None,
        ours_micros=ours if is_ours else 0,
        theirs_micros=theirs if is_theirs else 0,
        paired=True,
        counted_ours=counted if is_ours else 0,
        counted_theirs=counted if is_theirs else 0,
    )


def _groups(
    rows: Sequence[_Row], result: Reconciliation, late: LateRecords, agreement: Agreement
) -> Iterator[tuple[Finding, list[_Row]]]:
    """The findings: counted by both, counted otherwise, only ours, only theirs; each with its rows."""
    them, of = result.theirs, " and ".join(map(str, late.corrects))
    counted = [row for row in rows if row.paired]
    settled = [replace(row, ours_micros=row.counted_ours, theirs_micros=row.counted_theirs) for row in counted]
    apart = [
        replace(
            row, ours_micros=row.ours_micros - row.counted_ours, theirs_micros=row.theirs_micros - row.counted_theirs
        )
        for row in counted
        if row.ours_micros - row.counted_ours != row.theirs_micros - row.counted_theirs
    ]
    single = [row for row in rows if not row.paired]
    ours, theirs = [row for row in single if row.ours is not None], [row for row in single if row.ours is None]
    yield _finding(result, agreement, settled, Severity.NOTICE, f"of {of} came late and had a counterpart"), settled
    yield _finding(result, agreement, apart, Severity.DISPUTE, f"of {of} came late with another amount"), apart
    yield _finding(result, agreement, ours, Severity.DISPUTE, f"of {of} came late from us, and {them} has none"), ours
    yield _finding(result, agreement, theirs, Severity.DISPUTE, f"of {of} came late from {them}, we have none"), theirs


def _finding(
    result: Reconciliation, agreement: Agreement, rows: Sequence[_Row], severity: Severity, said: str
) -> Finding:
    scope = result.scope
    ours, theirs = sum(row.ours_micros for row in rows), sum(row.theirs_micros for row in rows)
    amounts = f"{agreement.currency} {show_micros(ours, 2)} ours, {show_micros(theirs, 2)} {result.theirs}'s"
    return Finding(
        cause=Cause.LATE_RECORD,
        severity=severity,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        count=len(rows),
        ours_micros=Micros(ours),
        theirs_micros=Micros(theirs),
        route=None,
        destination=None,
        day=None,
        explanation=f"{counted_noun(len(rows), scope.service)} {said}: {amounts}",
        rule=RULE,
    )


def _exceptions(rows: Sequence[_Row], finding: int, own: tuple[int, int], late: LateRecords) -> pa.Table:
    ours_line, theirs_line = late.ours["line"].to_pylist(), late.theirs["line"].to_pylist()
    columns = {
        "ours_row": [None if row.ours is None else own[0] + row.ours for row in rows],
        "theirs_row": [None if row.theirs is None else own[1] + row.theirs for row in rows],
        "ours_line": [None if row.ours is None else ours_line[row.ours] for row in rows],
        "theirs_line": [None if row.theirs is None else theirs_line[row.theirs] for row in rows],
        "cause": [Cause.LATE_RECORD.value] * len(rows),
        "finding": [finding] * len(rows),
        "ours_micros": [row.ours_micros for row in rows],
        "theirs_micros": [row.theirs_micros for row in rows],
        "offset_ms": [None] * len(rows),
        "rule": ["counterpart of an earlier period" if row.paired else "no partner" for row in rows],
        "fields": [""] * len(rows),
    }
    return pa.Table.from_pydict(columns, schema=EXCEPTIONS_SCHEMA)
