"""Who brings calls in round the international gate? Subscribers that are gateways, and our own numbers from abroad."""

from collections.abc import Iterator, Sequence

import numpy as np

from reconciliation.fraud.flow import RANGE, Flow, Known, begins, middle, range_words
from reconciliation.fraud.grouping import Groups, grouped
from reconciliation.matching.side import Flags, Ints
from reconciliation.suspicion import Suspicion, SuspicionKind

OVERLAPS_IN = 50
"""One call in fifty may overlap another of its number: clocks, and calls on hold."""


def sim_boxes(flow: Flow, outgoing: Sequence[Flow]) -> Iterator[Suspicion]:
    """Subscribers who only call, all the time somebody else, one call after the other, and talk.

    Rule: `sim_box_calls` calls of one number to different numbers (`sim_box_spread_bps`), none to it, no two at once
    (a switchboard's overlap), and the one in the middle lasts `sim_box_middle_ms` (an advertiser's is shorter).
    Source: Murynets, Zabarankin, Piqueras Jover, Panagia, Analysis and Detection of SIMbox Fraud in Mobility Networks,
    INFOCOM 2014 (many outgoing calls, next to no incoming, spread over numbers, in one place). The place is not in
    records between carriers; the counts are our defaults. A box that rotates SIM cards faster than the threshold, or
    has calls made to them, is not determinable from them.
    """
    terms = flow.terms
    callers = grouped(flow.calling)
    suspect = (callers.sizes >= terms.sim_box_calls) & (callers.keys > 0)
    suspect &= callers.distinct(flow.called) * 10_000 >= callers.sizes * terms.sim_box_spread_bps
    for other in outgoing:
        suspect &= ~np.isin(callers.keys, other.called)
    alone = [group for group in np.flatnonzero(suspect).tolist() if _talks_alone(flow, callers.rows(group))]
    by_range = grouped(callers.keys[alone] // RANGE)
    for group in range(len(by_range)):
        mine = [callers.rows(alone[at]) for at in by_range.rows(group).tolist()]
        yield _box(flow, np.sort(np.concatenate(mine)), len(mine))


def bypass(flow: Flow, known: Known) -> Iterator[Suspicion]:
    """Our own country's numbers calling in from abroad on a partner's route.

    Rule: `bypass_calls` calls of the ranges given as our own on one route. Source: ITU-T E.157 (international calling
    party number delivery) and i3forum on CLI spoofing; given ranges must not roam: a roamer calls home so.
    """
    rows = np.flatnonzero(begins(flow.calling, known.own))
    routes: Groups = grouped(flow.route.codes[rows])
    for group in np.flatnonzero(routes.sizes >= flow.terms.bypass_calls).tolist():
        mine = np.sort(rows[routes.rows(group)])
        route = flow.route.texts[int(routes.keys[group])]
        yield flow.suspect(
            kind=SuspicionKind.BYPASS,
            confidence=85,
            subject=route,
            rows=mine,
            rule=f"{flow.terms.bypass_calls} calls or more of our own numbers on one route from abroad",
            explanation=f"{len(mine):,} calls came in on {route} from {flow.debtor} with numbers of our own",
        )


def _talks_alone(flow: Flow, rows: Ints) -> bool:
    if middle(flow.quantity[rows]) < flow.terms.sim_box_middle_ms:
        return False
    order = rows[np.argsort(flow.start_ms[rows], kind="stable")]
    start, end = flow.start_ms[order], flow.start_ms[order] + flow.quantity[order]
    overlaps: Flags = start[1:] + 1_000 < np.maximum.accumulate(end)[:-1]
    return int(overlaps.sum()) * OVERLAPS_IN <= len(rows)


def _box(flow: Flow, rows: Ints, numbers: int) -> Suspicion:
    terms, subject = flow.terms, range_words(flow.calling[rows])
    return flow.suspect(
        kind=SuspicionKind.SIM_BOX,
        confidence=70,
        subject=subject,
        rows=rows,
        rule=f"{terms.sim_box_calls} calls or more of one number, {terms.sim_box_spread_bps // 100} % to different "
        f"numbers, none to it, never two at once, the middle one of {terms.sim_box_middle_ms // 1000} s or more",
        explanation=f"{numbers:,} calling numbers of {subject} made {len(rows):,} calls, all to others, one after "
        "another, and nobody calls them",
    )
