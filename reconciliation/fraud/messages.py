"""Which sender's messages go to numbers beside each other, as no list of customers does?"""

from collections.abc import Iterator

import numpy as np

from reconciliation.fraud.flow import Flow
from reconciliation.fraud.grouping import Groups, grouped, pairs
from reconciliation.matching.side import Ints
from reconciliation.suspicion import Suspicion, SuspicionKind

RANGE = 1_000
"""Numbers of a range that a fraudster holds and tries one after the other."""
TAIL = 20
"""One message in twenty at each end of a burst may lie outside its days: the range has other messages, too."""


def inflated_sms(flow: Flow) -> Iterator[Suspicion]:
    """Artificially inflated traffic: codes requested for numbers that share what their delivery costs.

    Rule: one sender reaches `sms_numbers` different numbers of a range of 1,000 within `sms_days`, with no more than
    `sms_each` messages a number on average (machines of one range get messages all month), in at most `sms_ranges`
    ranges (a notice to everybody fills more). Source: the signs that messaging carriers publish (Infobip, How to
    detect and block SMS pumping fraud: bursts, and strings of similar numbers); the numbers are our defaults.
    """
    terms = flow.terms
    ranges = flow.called // RANGE
    by = grouped(pairs(flow.calling, ranges))
    dense = (by.sizes >= terms.sms_numbers) & (by.least(flow.called) > 0)
    if not dense.any():
        return
    dense &= by.distinct(flow.called) >= terms.sms_numbers
    dense &= by.sizes <= by.distinct(flow.called) * terms.sms_each
    groups = np.flatnonzero(dense)
    senders = flow.calling[by.order[by.starts[groups]]]
    for sender in np.unique(senders).tolist():
        mine = groups[senders == sender]
        if len(mine) <= terms.sms_ranges:
            rows = [_burst(flow, by, group) for group in mine.tolist()]
            found = np.sort(np.concatenate(rows))
            if len(found):
                yield _suspicion(flow, found, sum(1 for each in rows if len(each)))


def _burst(flow: Flow, by: Groups, group: int) -> Ints:
    """The range's messages, if nearly all of them came within the days of a burst; none otherwise."""
    rows = by.rows(group)
    days = np.sort(flow.day[rows])
    cut = len(days) // TAIL
    span = int(days[len(days) - 1 - cut] - days[cut]) + 1
    return rows if span <= flow.terms.sms_days else rows[:0]


def _suspicion(flow: Flow, rows: Ints, ranges: int) -> Suspicion:
    terms = flow.terms
    sender = flow.names[int(rows[0])].as_py() or "withheld"
    numbers = len(np.unique(flow.called[rows]))
    return flow.suspect(
        kind=SuspicionKind.INFLATED_SMS,
        confidence=85,
        subject=sender,
        rows=rows,
        rule=f"{terms.sms_numbers} numbers or more of a range of {RANGE:,} reached by one sender within "
        f"{terms.sms_days} days, at most {terms.sms_each} messages each, in at most {terms.sms_ranges} ranges",
        explanation=f"{sender} sent {len(rows):,} messages to {numbers:,} neighbouring numbers of {ranges:,} ranges",
    )
