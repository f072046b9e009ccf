"""Which callers send a burst of calls to a range that pays somebody for them?"""

from collections.abc import Iterator

import numpy as np

from reconciliation.fraud.flow import (
    DAY_MS,
    MINUTE_MS,
    RANGE,
    Flow,
    Known,
    begins,
    is_dear,
    middle_price,
    range_words,
)
from reconciliation.fraud.grouping import grouped, pairs, reached, within
from reconciliation.matching.side import Flags, Ints, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

PREMIUM_CALLS = 5


def irsf(flow: Flow, known: Known) -> Iterator[Suspicion]:
    """Bursts of few callers to one dear range of 10,000 numbers: a hacked switchboard, stolen or unpaid SIM cards.

    Rule: callers who call the range at least `irsf_calls_each` times within `irsf_days` make `irsf_calls` calls and
    `irsf_minutes` together; on those days the range's callers make as many calls each on average (a televote has many
    callers with few calls), and a minute costs `dear_times` the direction's middle price, or the range is known as
    premium. Source: i3forum, Fraud classification and recommendations, release 3.3, 4.1.3 and 4.1.4 (volume, few
    calling numbers, dear ranges, hours or days); its numbers are left to the carriers, so ours are defaults.
    """
    terms = flow.terms
    ranges = flow.called // RANGE
    pair = grouped(pairs(flow.calling, ranges))
    days = flow.day
    brief = pair.most(days) - pair.least(days) < terms.irsf_days
    burst = ((pair.sizes >= terms.irsf_calls_each) & brief)[pair.of] & (flow.called > 0)
    rows = np.flatnonzero(burst)
    usual = middle_price(flow)
    by_range = grouped(ranges[rows])
    enough = by_range.sizes >= terms.irsf_calls
    enough &= by_range.sums(flow.quantity[rows]) >= terms.irsf_minutes * MINUTE_MS
    for group in np.flatnonzero(enough).tolist():
        mine = rows[by_range.rows(group)]
        if _are_few(flow, ranges, mine) and is_dear(flow, mine, usual, known):
            yield _burst(flow, np.sort(mine), premium=bool(begins(flow.called[mine], known.premium).any()))


def premium_ranges(flow: Flow, known: Known, told: Flags) -> Iterator[Suspicion]:
    """Callers who use ranges known to share revenue for hours a day.

    Rule: `premium_minutes` of one caller to the ranges given as premium within any 24 hours, in PREMIUM_CALLS calls or
    more (two long talks are no pattern); records that are `told` as a burst already are left out. Source: the premium
    ranges of national numbering plans and the lists that carriers exchange; the minutes are our default.
    """
    rows = np.flatnonzero(begins(flow.called, known.premium) & ~told & (flow.calling > 0))
    if len(rows) == 0:
        return
    callers = grouped(flow.calling[rows])
    talked = within(callers.of, flow.start_ms[rows], flow.quantity[rows], DAY_MS)
    calls = within(callers.of, flow.start_ms[rows], np.ones(len(rows), np.int64), DAY_MS)
    heavy = (talked >= flow.terms.premium_minutes * MINUTE_MS) & (calls >= PREMIUM_CALLS)
    shown = reached(callers.of, flow.start_ms[rows], heavy, DAY_MS)
    for group in np.unique(callers.of[shown]).tolist():
        mine = rows[np.flatnonzero(shown & (callers.of == group))]
        minutes = exact_sum(flow.quantity[mine]) // MINUTE_MS
        number = str(int(callers.keys[group]))
        yield flow.suspect(
            kind=SuspicionKind.PREMIUM_RANGE,
            confidence=60,
            subject=number,
            rows=np.sort(mine),
            rule=f"{flow.terms.premium_minutes} minutes and {PREMIUM_CALLS} calls of one caller to premium ranges "
            "within 24 hours",
            explanation=f"{number} talked {minutes:,} minutes to premium ranges in {len(mine):,} calls",
        )


def _are_few(flow: Flow, ranges: Ints, rows: Ints) -> bool:
    """Whether the range's callers of those days make many calls each."""
    days = flow.day
    first, last = int(days[rows].min()), int(days[rows].max())
    there = np.flatnonzero((ranges == ranges[rows[0]]) & (days >= first) & (days <= last))
    return len(there) >= flow.terms.irsf_calls_each * len(np.unique(flow.calling[there]))


def _burst(flow: Flow, rows: Ints, *, premium: bool) -> Suspicion:
    terms, subject = flow.terms, range_words(flow.called[rows])
    callers = len(np.unique(flow.calling[rows]))
    minutes = exact_sum(flow.quantity[rows]) // MINUTE_MS
    days = len(np.unique(flow.day[rows]))
    return flow.suspect(
        kind=SuspicionKind.IRSF,
        confidence=95 if premium else 80,
        subject=subject,
        rows=rows,
        rule=f"{terms.irsf_calls} calls and {terms.irsf_minutes} minutes to one dear range within {terms.irsf_days} "
        f"days by callers with {terms.irsf_calls_each} calls or more each",
        explanation=f"{len(rows):,} calls and {minutes:,} minutes of {callers:,} calling numbers to {subject} "
        f"on {days} days",
    )
