"""Which calls cannot have been going on at the same time?"""

import numpy as np

from ledger.kernel import kernel
from reconciliation.forgery.suspects import Feature, Mark, Suspects
from reconciliation.matching.keys import withheld_hash
from reconciliation.matching.side import Flags, Ints


def over_capacity(suspects: Suspects) -> tuple[Mark, ...]:
    """Calls in progress while a route carries more than its circuits.

    Threshold: the capacity given as evidence, exceeded by at least one call. Source: a trunk of n circuits cannot carry
    n + 1 calls; a sweep over starts and ends finds when it would have.
    """
    marks = []
    for route, circuits in sorted(suspects.evidence.capacity.items()):
        others = suspects.whole.on_route(route)
        if len(others.row):
            crowded = others.row[crowded_calls(others.start_ms, others.quantity, circuits)]
            rows = np.flatnonzero(np.isin(suspects.rows, crowded))
            rule = f"more calls at once than the {circuits} circuits of {route}"
            marks.append(Mark(rows, rule, f"while {route} carried more calls than its {circuits} circuits"))
    return tuple(marks)


def overlapping_callers(suspects: Suspects) -> tuple[Mark, ...]:
    """One calling number in several calls at once, though its matched calls never overlap.

    Threshold: `least_overlaps` such calls of a number. Source: a subscriber's line carries one call; switchboards that
    present one number for many lines overlap in matched traffic too and are no mark.
    """
    least = suspects.evidence.terms.least_overlaps
    values, counts = np.unique(suspects.features[Feature.CALLING_NUMBER], return_counts=True)
    callers, others = suspects.whole.of_callers(values[(counts >= least) & (values != withheld_hash())])
    order = np.lexsort((others.quantity, others.start_ms, callers))
    who = np.unique(callers, return_inverse=True)[1].astype(np.int64)[order]
    begin, end = others.start_ms[order], others.start_ms[order] + others.quantity[order]
    matched = others.matched[order]
    boards = np.zeros(int(who.max(initial=-1)) + 1, np.bool_)
    boards[who[matched][overlapping_calls(who[matched], begin[matched], end[matched])]] = True
    found = overlapping_calls(who, begin, end) & ~boards[who] & ~matched
    enough = np.bincount(who[found], minlength=len(boards)) >= least
    rows = others.row[order][found & enough[who]]
    detail = f"{int(enough.sum())} calling numbers in several calls at once"
    rule = f"{least} or more overlapping calls of one calling number"
    return (Mark(np.flatnonzero(np.isin(suspects.rows, rows)), rule, detail),)


@kernel
def overlapping_calls(who: Ints, begin: Ints, end: Ints) -> Flags:
    """Which calls, ascending by caller and begin, overlap another of their caller by more than a second."""
    overlaps = np.zeros(len(who), np.bool_)
    last = -1
    for call in range(len(who)):
        same = last >= 0 and who[last] == who[call]
        if same and begin[call] + 1_000 < end[last]:
            overlaps[call] = True
            overlaps[last] = True
        if not same or end[call] > end[last]:
            last = call
    return overlaps


@kernel
def crowded_calls(start: Ints, quantity: Ints, circuits: int) -> Flags:
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
