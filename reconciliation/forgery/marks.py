"""Which records that only the creditor holds bear marks of forgery, rather than of loss at the debtor?

A loss falls on records blindly; an inventor leaves patterns. Each detector below asks one question of the creditor's
records without a partner and is a pure function from them to marks; a record that bears none stays missing.
Statistical marks compare with the same side's matched traffic, so that a busy number is no mark in itself, and need
odds worse than one in a thousand million under the assumption of blind loss. Records of a lost stretch (missing.py) are
left out of them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.kernel import kernel
from reconciliation.difference import Books
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.missing import lost_stretches
from reconciliation.matching.side import Flags, Ints, Side, Words

LEAST_RECORDS = 5
"""A pattern needs so many records."""
ODDS_NATS = 20.7
"""ln(10^9): odds of one in a thousand million."""
RANGE_DIGITS = 2
"""A number range is what remains of a number without its last digits: blocks of 100."""
LEAST_OVERLAPS = 3
"""Calls of one number that overlap: two may be a transfer or a switchboard."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside the records."""

    capacity: Mapping[str, int] = field(default_factory=dict)
    """Circuits of the creditor's routes."""
    unallocated: tuple[str, ...] = ()
    """Beginnings of numbers that no operator holds."""


class Mark(NamedTuple):
    """One pattern and the creditor's rows that show it."""

    rows: Ints
    rule: str
    detail: str


class Suspects(NamedTuple):
    """What detectors look at."""

    side: Side
    """All of the creditor's records."""
    rows: Ints
    """Those without a partner."""
    blind: Ints
    """Of these, the ones outside lost stretches: for statistical marks."""
    matched: Flags
    """Which of the creditor's records have a partner."""
    evidence: Evidence


def find_forgery(books: Books, rows: Ints, evidence: Evidence) -> tuple[Mark, ...]:
    """All marks on the creditor's rows without a partner, strongest rule first; one row may bear several."""
    if len(rows) == 0:
        return ()
    matched = np.zeros(len(books.creditor), np.bool_)
    matched[books.pairing.ours] = True
    lost = np.zeros(len(rows), np.bool_)
    for stretch in lost_stretches(books.creditor, rows):
        lost |= stretch.rows
    suspects = Suspects(books.creditor, rows, rows[~lost], matched, evidence)
    marks = [mark for detector in DETECTORS for mark in detector(suspects) if len(mark.rows)]
    # forged calls of one length would make suspects of lost ones that happen to last as long: judge length on the rest
    unmarked = np.setdiff1d(suspects.blind, np.concatenate([rows[:0], *(mark.rows for mark in marks)]))
    marks += [mark for mark in regular_durations(suspects._replace(blind=unmarked)) if len(mark.rows)]
    return tuple(marks)


def unallocated_numbers(suspects: Suspects) -> tuple[Mark, ...]:
    """Calls to numbers that nobody holds cannot have been answered.

    Source: the number ranges given as evidence (national numbering plans, ITU-T E.164.1 assignments). No threshold.
    """
    if not suspects.evidence.unallocated:
        return ()
    called = suspects.side.table["b_party"].take(pa.array(suspects.rows))
    hit = np.zeros(len(suspects.rows), np.bool_)
    for beginning in suspects.evidence.unallocated:
        hit |= np.asarray(pc.starts_with(called, beginning).to_numpy(), np.bool_)
    return (Mark(suspects.rows[hit], "called number in an unallocated range", "to numbers that nobody holds"),)


def over_capacity(suspects: Suspects) -> tuple[Mark, ...]:
    """Calls in progress while a route carries more than its circuits.

    Threshold: the capacity given as evidence, exceeded by at least one call. Source: a trunk of n circuits cannot carry
    n + 1 calls; a sweep over starts and ends finds when it would have.
    """
    marks = []
    for route, circuits in sorted(suspects.evidence.capacity.items()):
        if route in suspects.side.route.texts:
            mine = np.flatnonzero(suspects.side.route.codes == suspects.side.route.texts.index(route))
            order = mine[np.lexsort((suspects.side.tie[mine], suspects.side.start_ms[mine]))]
            crowded = _crowded(suspects.side.start_ms[order], suspects.side.quantity[order], circuits)
            rows = np.intersect1d(order[crowded], suspects.rows)
            rule = f"more calls at once than the {circuits} circuits of {route}"
            marks.append(Mark(rows, rule, f"while {route} carried more calls than its {circuits} circuits"))
    return tuple(marks)


def overlapping_callers(suspects: Suspects) -> tuple[Mark, ...]:
    """One calling number in several calls at once, though its matched calls never overlap.

    Threshold: three such calls of a number. Source: a subscriber's line carries one call; switchboards that present one
    number for many lines overlap in matched traffic too and are no mark.
    """
    callers = _groups(suspects.side.a_hash, suspects.rows)
    found = [_overlapping(suspects, everyone, mine) for everyone, mine in callers]
    rows = np.concatenate([*found, np.empty(0, np.int64)]).astype(np.int64)
    numbers = sum(1 for each in found if len(each))
    detail = f"{numbers} calling numbers in several calls at once"
    return (Mark(np.sort(rows), f"{LEAST_OVERLAPS} or more overlapping calls of one calling number", detail),)


def number_clusters(suspects: Suspects) -> tuple[Mark, ...]:
    """Numbers, or blocks of 100 called numbers, that lack partners far more often than the traffic does.

    Threshold: five records and odds of 10^-9 (Chernoff's bound on a Poisson tail with the side's own loss share).
    Source: a blind loss spreads over numbers as the traffic does.
    """
    called = suspects.side.table["b_party"]
    block = text_hashes(pc.utf8_slice_codeunits(called, 0, -RANGE_DIGITS))
    marks = []
    for column, what in (
        (block, "called range"),
        (suspects.side.b_hash, "called number"),
        (suspects.side.a_hash, "calling number"),
    ):
        rows, numbers = _clusters(column, suspects.blind, len(suspects.side))
        rule = f"{LEAST_RECORDS} or more of one {what} without partner, odds under 1e-9"
        marks.append(Mark(rows, rule, f"in {numbers} {what}{'s' if numbers != 1 else ''}"))
    return tuple(marks)


def regular_durations(suspects: Suspects) -> tuple[Mark, ...]:
    """Many calls of exactly one length, where matched traffic has few.

    Threshold: five records and odds of 10^-9 against the length's share in matched traffic. Source: people hang up when
    they like, generators when the program says.
    """
    values, counts = np.unique(suspects.side.quantity[suspects.blind], return_counts=True)
    usual = np.sort(suspects.side.quantity[suspects.matched])
    rows = [np.empty(0, np.int64)]
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        seen = int(np.searchsorted(usual, value, "right") - np.searchsorted(usual, value, "left"))
        expected = len(suspects.blind) * (seen + 1) / (len(usual) + 1)
        if len(usual) >= 100 and count >= LEAST_RECORDS and surprise(count, expected) > ODDS_NATS:
            rows.append(suspects.blind[suspects.side.quantity[suspects.blind] == value])
    found = np.sort(np.concatenate(rows))
    return (
        Mark(found, f"{LEAST_RECORDS} or more of exactly one duration, odds under 1e-9", "of too regular duration"),
    )


DETECTORS: tuple[Callable[[Suspects], tuple[Mark, ...]], ...] = (
    unallocated_numbers,
    over_capacity,
    overlapping_callers,
    number_clusters,
)
"""In order of strength; the length of calls is the weakest mark, and is looked for in what bears none of these."""


def surprise(count: int, expected: float) -> float:
    """Nats of Chernoff's bound: P(at least `count` of a Poisson variable) <= exp(-surprise)."""
    if count <= expected:
        return 0.0
    return count * math.log(count / expected) - count + expected


def _groups(column: Words, rows: Ints) -> list[tuple[Ints, Ints]]:
    """For each value among `rows`: all rows of the side with it, and those of `rows`; several of the latter only."""
    values, counts = np.unique(column[rows], return_counts=True)
    several = values[counts >= LEAST_OVERLAPS]
    order = np.argsort(column, kind="stable")
    low, high = (np.searchsorted(column[order], several, side=side) for side in ("left", "right"))
    within = np.zeros(len(column), np.bool_)
    within[rows] = True
    everyone = [order[first:end] for first, end in zip(low.tolist(), high.tolist(), strict=True)]
    return [(each, each[within[each]]) for each in everyone]


def _overlapping(suspects: Suspects, everyone: Ints, mine: Ints) -> Ints:
    start, end = suspects.side.start_ms, suspects.side.start_ms + suspects.side.quantity
    honest = everyone[suspects.matched[everyone]]
    if _overlaps(start[honest], end[honest]).any():
        return np.empty(0, np.int64)
    found = everyone[_overlaps(start[everyone], end[everyone])]
    taken: Ints = np.intersect1d(found, mine)
    return taken if len(taken) >= LEAST_OVERLAPS else np.empty(0, np.int64)


def _overlaps(start: Ints, end: Ints) -> Flags:
    """Which intervals overlap another by more than a second."""
    overlaps = np.zeros(len(start), np.bool_)
    order = np.lexsort((end, start))
    last = -1
    for at in order.tolist():
        if last >= 0 and start[at] + 1_000 < end[last]:
            overlaps[at] = overlaps[last] = True
        if last < 0 or end[at] > end[last]:
            last = at
    return overlaps


def _clusters(column: Words, rows: Ints, size: int) -> tuple[Ints, int]:
    """Rows of the values that occur in `rows` too often for their share of the traffic, and how many values."""
    values, counts = np.unique(column[rows], return_counts=True)
    everywhere = np.sort(column)
    low, high = (np.searchsorted(everywhere, values, side=side) for side in ("left", "right"))
    share = len(rows) / max(1, size)
    suspicious = [
        count >= LEAST_RECORDS and count * 2 > whole and surprise(count, whole * share) > ODDS_NATS
        for count, whole in zip(counts.tolist(), (high - low).tolist(), strict=True)
    ]
    chosen = values[np.array(suspicious, np.bool_)]
    return rows[np.isin(column[rows], chosen)], len(chosen)


@kernel
def _crowded(start: Ints, quantity: Ints, circuits: int) -> Flags:
    """Which calls, ascending by start, are in progress at a moment with more than `circuits` calls."""
    crowded = np.zeros(len(start), np.bool_)
    active = np.empty(len(start), np.int64)
    count = 0
    for call in range(len(start)):
        kept = 0
        for k in range(count):
            if start[active[k]] + quantity[active[k]] > start[call]:
                active[kept] = active[k]
                kept += 1
        active[kept] = call
        count = kept + 1
        if count > circuits:
            for k in range(count):
                crowded[active[k]] = True
    return crowded
