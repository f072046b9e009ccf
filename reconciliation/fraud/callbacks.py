"""Who rings many of our numbers for a moment, so that they call back dearly?"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from reconciliation.fraud.flow import RANGE, Flow, Known, is_dear, middle_price
from reconciliation.fraud.grouping import grouped, pairs
from reconciliation.matching.side import Ints
from reconciliation.suspicion import Suspicion, SuspicionKind

HOUR_MS = 3_600_000
PING_SHARE = 90
"""Percent of a ringer's calls that last a moment: a call centre talks more often."""


class Rings(NamedTuple):
    """Rings for a moment: who, whom, when."""

    calling: Ints
    called: Ints
    start_ms: Ints


def wangiri(incoming: Sequence[Flow], outgoing: Sequence[Flow], known: Known) -> Iterator[Suspicion]:
    """Calls back to numbers that rang many of ours for a moment.

    Rule: a number rings `wangiri_numbers` different numbers for at most `wangiri_ping_ms` each (unanswered attempts
    last 0), nine of ten of its calls so; `wangiri_callbacks` calls go back to its range of 10,000 within
    `wangiri_hours` of the ring, and a minute of them costs `dear_times` the direction's middle price, or the range is
    known as premium. Source: i3forum, release 3.3, 4.1.6 (missed call campaign). Needs records of attempts or of calls
    of a few seconds: where switches write neither, only the calls back are there, and they look like any others.
    """
    rings = _rings(incoming)
    if len(rings.calling) == 0:
        return
    for flow in outgoing:
        back = _calls_back(flow, rings)
        usual = middle_price(flow)
        ranges = grouped(flow.called[back] // RANGE)
        for group in np.flatnonzero(ranges.sizes >= flow.terms.wangiri_callbacks).tolist():
            mine = np.sort(back[ranges.rows(group)])
            if is_dear(flow, mine, usual, known):
                yield _campaign(flow, mine, rings)


def _rings(incoming: Sequence[Flow]) -> Rings:
    """The rings of all numbers that ring many."""
    found = [_rings_of(flow) for flow in incoming]
    none = np.empty(0, np.int64)
    columns = zip(*found, strict=True) if found else ((none,), (none,), (none,))
    return Rings(*(np.concatenate(column) for column in columns))


def _rings_of(flow: Flow) -> Rings:
    brief = (flow.quantity <= flow.terms.wangiri_ping_ms) & (flow.calling > 0)
    callers = grouped(flow.calling)
    moments = callers.sums(brief.astype(np.int64))
    suspect = (moments >= flow.terms.wangiri_numbers) & (moments * 100 >= callers.sizes * PING_SHARE)
    rows = np.flatnonzero(brief & suspect[callers.of])
    rung = grouped(flow.calling[rows])
    many = rung.distinct(flow.called[rows]) >= flow.terms.wangiri_numbers
    rows = rows[many[rung.of]]
    return Rings(flow.calling[rows], flow.called[rows], flow.start_ms[rows])


def _calls_back(flow: Flow, rings: Rings) -> Ints:
    """Rows of calls to a ringer by somebody whom it rang not long before."""
    rows = np.flatnonzero(np.isin(flow.called, np.unique(rings.calling)))
    span_ms = flow.terms.wangiri_hours * HOUR_MS
    began = min(int(rings.start_ms.min()), int(flow.start_ms[rows].min(initial=2**62))) - span_ms
    rang = grouped(pairs(rings.calling, rings.called))
    keys = pairs(flow.called[rows], flow.calling[rows])
    at = np.minimum(np.searchsorted(rang.keys, keys), len(rang) - 1)
    known = rang.keys[at] == keys
    width = max(int(rings.start_ms.max()), int(flow.start_ms[rows].max(initial=0))) - began + 1
    moments = np.sort(rang.of * width + rings.start_ms - began)
    back = at * width + flow.start_ms[rows] - began
    last = moments[np.maximum(np.searchsorted(moments, back, side="right") - 1, 0)]
    found: Ints = rows[known & (last <= back) & (last >= back - span_ms)]
    return found


def _campaign(flow: Flow, rows: Ints, rings: Rings) -> Suspicion:
    terms, numbers = flow.terms, np.unique(flow.called[rows])
    rung = int(np.isin(rings.calling, numbers).sum())
    subject = f"{int(numbers[0]) // RANGE}*"
    return flow.suspect(
        kind=SuspicionKind.WANGIRI,
        confidence=90,
        subject=subject,
        rows=rows,
        rule=f"{terms.wangiri_callbacks} dear calls back within {terms.wangiri_hours} hours to numbers that rang "
        f"{terms.wangiri_numbers} or more for a moment",
        explanation=f"{len(numbers):,} numbers of {subject} rang {rung:,} times for a moment and were called back "
        f"{len(rows):,} times",
    )
