"""Which exchange is called so much, and so long, that somebody must be paid for it?"""

from collections.abc import Iterator, Sequence

import numpy as np

from reconciliation.fraud.flow import MINUTE_MS, RANGE, Flow, middle
from reconciliation.fraud.grouping import grouped
from reconciliation.matching.side import Flags, Ints
from reconciliation.suspicion import Suspicion, SuspicionKind


def traffic_pumping(flow: Flow, incoming: Sequence[Flow], told: Flags) -> Iterator[Suspicion]:
    """Ranges of 10,000 numbers that get far more minutes than they send: free conferences and chat lines that share
    the termination charge.

    Rule: `pumping_minutes` in the month, `pumping_ratio` times the minutes that the range sends us, and the middle call
    lasts `pumping_long_times` the direction's (a hotline or a televote has short ones). Records that are `told` as
    another fraud are left out. Source: 47 CFR 61.3(bbb) as of 2019: access stimulation is a terminating-to-originating
    ratio of 6:1 in an end office in a calendar month (3:1 with a revenue-sharing agreement; 10:1 and 500,000 minutes
    for a rural one). One carrier sees its own share of an end office's minutes: hence a lower volume, and the length.
    """
    usual = middle(flow.quantity[flow.quantity > 0])
    rows = np.flatnonzero((flow.called > 0) & ~told)
    ranges = grouped(flow.called[rows] // RANGE)
    to_ms = ranges.sums(flow.quantity[rows])
    large = np.flatnonzero(to_ms >= flow.terms.pumping_minutes * MINUTE_MS)
    for group in large.tolist():
        mine = np.sort(rows[ranges.rows(group)])
        from_ms = sum(_sent(each, int(ranges.keys[group])) for each in incoming)
        longer = middle(flow.quantity[mine]) >= usual * flow.terms.pumping_long_times
        if longer and int(to_ms[group]) >= from_ms * flow.terms.pumping_ratio:
            yield _suspicion(flow, mine, int(ranges.keys[group]), int(to_ms[group]), from_ms)


def _sent(flow: Flow, of_range: int) -> int:
    return int(flow.quantity[flow.calling // RANGE == of_range].sum())


def _suspicion(flow: Flow, rows: Ints, of_range: int, to_ms: int, from_ms: int) -> Suspicion:
    terms, subject = flow.terms, f"{of_range}*"
    return flow.suspect(
        kind=SuspicionKind.TRAFFIC_PUMPING,
        confidence=70,
        subject=subject,
        rows=rows,
        rule=f"{terms.pumping_ratio}:1 of {terms.pumping_minutes:,} minutes or more to one range, the middle call "
        f"{terms.pumping_long_times} times as long as usual (47 CFR 61.3(bbb))",
        explanation=f"{to_ms // MINUTE_MS:,} minutes went to {subject} and {from_ms // MINUTE_MS:,} came from it",
    )
