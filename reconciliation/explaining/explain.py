"""Why do the two sides differ? Every record and every micro of the difference gets exactly one cause.

Order of precedence, so that the outcome is the same for everybody: a record without partner is a duplicate, a part of a
split call, a period crossing, an unanswered attempt, evidence of forgery, or missing; a pair's difference is first
divided between price and quantity, then the quantity's part is an unanswered attempt, a split call, a route's bias,
within tolerance, or beyond it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np

from ledger.service import Service
from reconciliation.difference import Books, Difference, day_of, nobody, nothing
from reconciliation.explaining.clock_differences import clock_differences
from reconciliation.explaining.number_formats import find_other_formats
from reconciliation.explaining.pair_differences import SPLIT_RULE, pair_differences
from reconciliation.finding import Cause, Severity
from reconciliation.forgery.marks import find_forgery, suspects_of
from reconciliation.forgery.suspects import Evidence
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.missing import STRETCH_RECORDS, STRETCH_SHARE, lost_stretches
from reconciliation.matching.services import TRAITS
from reconciliation.matching.side import Flags, Ints, Side
from reconciliation.matching.split_calls import SplitCalls, find_split_calls

UNDISPUTED = (Cause.PERIOD_CROSSING, Cause.SPLIT_CALL, Cause.NUMBER_FORMAT, Cause.NEGATIVE_DECLARATION)
"""Causes of records without a partner that the other side has, or counts elsewhere."""
BASIS_MESSAGES, BASIS_SHARE = 50, 100
"""So many messages, one in so many of the month's, that only one side charges, ten times what only the other does."""
SPLIT_REST = "the other side wrote each in one record"


def explain(books: Books, evidence: Evidence) -> tuple[Difference, ...]:
    """All differences, in order of cause, then route, destination and day."""
    split = find_split_calls(books)
    found = [
        *clock_differences(books),
        *_unpaired(books, evidence, split),
        *_duplicates(books),
        *pair_differences(books, split.pairs),
    ]
    return tuple(sorted(found, key=rank))


def rank(each: Difference) -> tuple[int, str, str, date, str, str]:
    place = list(Cause).index(each.cause)
    return place, each.route or "", each.destination or "", each.day or date.min, each.rule, each.detail


def _unpaired(books: Books, evidence: Evidence, split: SplitCalls) -> Iterator[Difference]:
    owed = np.setdiff1d(books.pairing.missing_at_theirs, split.creditor_rows)
    counted = np.setdiff1d(books.pairing.missing_at_ours, split.debtor_rows)
    formats = find_other_formats(books, owed, counted)
    for side, rows, parts, written, is_creditor in (
        (books.creditor, owed, split.creditor_rows, formats.creditor, True),
        (books.debtor, counted, split.debtor_rows, formats.debtor, False),
    ):
        if len(parts):
            yield _one_sided(books, Cause.SPLIT_CALL, SPLIT_RULE, parts, is_creditor=is_creditor, detail=SPLIT_REST)
        if len(written):
            rule = "the same last digits, start within the window, quantity within tolerance"
            detail = formats.written
            yield _one_sided(books, Cause.NUMBER_FORMAT, rule, written, is_creditor=is_creditor, detail=detail)
        rest = np.setdiff1d(rows, written)
        for cause, rule, taken, detail in _special_cases(books, rest, is_creditor=is_creditor):
            if taken.any():
                yield _one_sided(books, cause, rule, rest[taken], is_creditor=is_creditor, detail=detail)
                rest = rest[~taken]
        if is_creditor:
            forged, rest = _forged(books, evidence, rest)
            yield from forged
        yield from _missing(books, side, rest, is_creditor=is_creditor)


def _special_cases(books: Books, rows: Ints, *, is_creditor: bool) -> Iterator[tuple[Cause, str, Flags, str]]:
    side = books.creditor if is_creditor else books.debtor
    negative = (side.quantity[rows] < 0) | (side.amount[rows] < 0)
    yield Cause.NEGATIVE_DECLARATION, "a quantity or an amount below 0", negative, "adjustments belong in a correction"
    if not TRAITS[books.service].has_clock:
        return
    rows = rows[~negative]
    crossing = _crosses(books, rows, is_creditor=is_creditor)
    yield (
        Cause.PERIOD_CROSSING,
        "start or end within the window of the period's bounds, on either clock",
        crossing,
        "near its bounds; the other side may have them in the neighbouring one",
    )
    zero = (side.quantity[rows] == 0) & (side.amount[rows] == 0)
    yield Cause.ZERO_DURATION, "quantity 0 on one side only", zero[~crossing], "unanswered attempts one side recorded"


def _crosses(books: Books, rows: Ints, *, is_creditor: bool) -> Flags:
    """Records that the other side may have put into the neighbouring period."""
    side = books.creditor if is_creditor else books.debtor
    corrections = books.clocks.ours if is_creditor else books.clocks.theirs
    window = books.tolerance.window_ms
    start, end = books.bounds_ms
    crosses = np.zeros(len(rows), np.bool_)
    true_ms = side.start_ms[rows] - corrections[rows]
    for offset in sorted({0, *(e.offset_ms for e in books.clocks.errors if e.ours != is_creditor)}):
        seen_ms = true_ms + offset
        outside = (seen_ms < start + window) | (seen_ms >= end - window)
        crosses |= outside & _near_error(books, true_ms, offset, is_creditor=is_creditor)
    if TRAITS[books.service].lasts:
        crosses |= (true_ms < end) & (true_ms + side.quantity[rows] >= end)
    return crosses


def _near_error(books: Books, true_ms: Ints, offset: int, *, is_creditor: bool) -> Flags:
    if offset == 0:
        return np.ones(len(true_ms), np.bool_)
    near = np.zeros(len(true_ms), np.bool_)
    for error in books.clocks.errors:
        if error.ours != is_creditor and error.offset_ms == offset:
            near |= (true_ms + offset >= error.from_ms - DAY_MS) & (true_ms + offset <= error.to_ms + DAY_MS)
    return near


def _forged(books: Books, evidence: Evidence, rows: Ints) -> tuple[list[Difference], Ints]:
    found: list[Difference] = []
    rest = rows
    for mark in find_forgery(suspects_of(books, rows, evidence), books.service):
        mine = np.isin(rest, rows[mark.rows])
        taken, rest = rest[mine], rest[~mine]
        if len(taken):
            amounts = books.creditor.amount[taken]
            found.append(
                Difference(
                    cause=Cause.INVENTED,
                    severity=Severity.FORGERY,
                    rule=mark.rule,
                    creditor_rows=taken,
                    debtor_rows=nobody(taken),
                    creditor_micros=amounts,
                    debtor_micros=nothing(taken),
                    route=_only(books.creditor.route.codes[taken], books.creditor.route.texts),
                    destination=_only(books.creditor.destination.codes[taken], books.creditor.destination.texts),
                    day=day_of(int(books.creditor.start_ms[taken].min()), books.zone),
                    detail=mark.detail,
                )
            )
    return found, rest


def _missing(books: Books, side: Side, rows: Ints, *, is_creditor: bool) -> Iterator[Difference]:
    """Lost stretches of a route first, one each; what is scattered is one difference."""
    cause = Cause.MISSING_AT_THEIRS if is_creditor else Cause.MISSING_AT_OURS
    scattered = np.ones(len(rows), np.bool_)
    for stretch in lost_stretches(side, rows, books.whole, is_creditor=is_creditor):
        scattered &= ~stretch.rows
        rule = f"{STRETCH_SHARE} % of a route's records of a day, {STRETCH_RECORDS} at least, have no partner"
        lost = _one_sided(books, cause, rule, rows[stretch.rows], is_creditor=is_creditor)
        yield replace(lost, route=stretch.route, day=day_of(stretch.day_ms))
    rest = rows[scattered]
    if len(rest) and _is_basis(books, side, rest, is_creditor=is_creditor):
        rule = f"{BASIS_MESSAGES} messages, one in {BASIS_SHARE}, on most days, that only one side charges"
        who, other = ("{creditor}", "{debtor}") if is_creditor else ("{debtor}", "{creditor}")
        detail = f"as if {who} charged messages that were submitted, {other} those that were delivered"
        yield _one_sided(books, Cause.DELIVERY_BASIS, rule, rest, is_creditor=is_creditor, detail=detail)
    elif len(rest):
        rule = "no partner within the window on both numbers, nor on the called number"
        yield _one_sided(books, cause, rule, rest, is_creditor=is_creditor)


def _is_basis(books: Books, side: Side, rows: Ints, *, is_creditor: bool) -> bool:
    """Whether messages that only one side has lie as failed deliveries do: over the month, on one side alone."""
    if books.service is not Service.SMS:
        return False
    others = books.pairing.missing_at_ours if is_creditor else books.pairing.missing_at_theirs
    many = len(rows) >= BASIS_MESSAGES and len(rows) * BASIS_SHARE >= len(side) + books.whole.quiet
    days = len(np.unique(side.start_ms[rows] // DAY_MS))
    return many and len(others) * 10 <= len(rows) and days * 2 * DAY_MS >= books.bounds_ms[1] - books.bounds_ms[0]


def _one_sided(
    books: Books,
    cause: Cause,
    rule: str,
    rows: Ints,
    *,
    is_creditor: bool,
    detail: str = "",
) -> Difference:
    side = books.creditor if is_creditor else books.debtor
    amounts = side.amount[rows]
    disputed = is_creditor and bool(amounts.any()) and cause not in UNDISPUTED
    return Difference(
        cause=cause,
        severity=Severity.DISPUTE if disputed else Severity.NOTICE,
        rule=rule,
        creditor_rows=rows if is_creditor else nobody(rows),
        debtor_rows=nobody(rows) if is_creditor else rows,
        creditor_micros=amounts if is_creditor else nothing(rows),
        debtor_micros=nothing(rows) if is_creditor else amounts,
        detail=detail,
    )


def _duplicates(books: Books) -> Iterator[Difference]:
    rule = "same numbers, start and quantity within one second of another record of the same side"
    for cause, rows, is_creditor in (
        (Cause.DUPLICATE_AT_OURS, books.pairing.duplicates_at_ours, True),
        (Cause.DUPLICATE_AT_THEIRS, books.pairing.duplicates_at_theirs, False),
    ):
        if len(rows):
            yield _one_sided(books, cause, rule, rows, is_creditor=is_creditor)


def _only(codes: Ints, texts: tuple[str, ...]) -> str | None:
    return texts[int(codes[0])] if len(np.unique(codes)) == 1 else None
