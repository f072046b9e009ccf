"""Which declarations cannot be what an honest declarer says? Gaps, dates that do not fit, and roots that changed."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.suspicion import Suspicion, SuspicionKind

CLOCK_MS = 300_000
"""A chain's and a switch's clock may differ by so much."""
DAY_MS = 86_400_000


class Declared(NamedTuple):
    """One declaration of an agreement, as the chain has it, and what was revealed of it."""

    declarer: CarrierCode
    creditor: CarrierCode
    debtor: CarrierCode
    service: Service
    period: Period
    seq: int
    root: str
    """Hexadecimal."""
    records: int
    from_ms: int
    to_ms: int
    """First and last start of its records."""
    amount_micros: Micros
    declared_ms: int
    """Of the block."""
    closed_ms: int | None = None
    """When its declarer closed the period, if it did."""
    is_correction: bool = False
    refusal: str | None = None
    """Why the file that its declarer revealed is not what it declared."""


def find_in_declarations(declared: Sequence[Declared], late_days: int) -> tuple[Suspicion, ...]:
    """What all declarations of one agreement, of every month, show; in order of declarer, direction and sequence."""
    ordered = sorted(declared, key=lambda each: (each.declarer, each.creditor, each.seq, each.declared_ms, each.root))
    found: list[Suspicion] = []
    for _, group in groupby(ordered, key=lambda each: (each.declarer, each.creditor)):
        stream = list(group)
        found += [*sequence_gaps(stream), *changed_roots(stream), *back_dated(stream, late_days)]
    return tuple(found)


def sequence_gaps(stream: Sequence[Declared]) -> Iterator[Suspicion]:
    """Numbers that a declarer's sequence leaves out.

    Rule: sequence numbers of a declarer and direction run 1, 2, 3 ... without a gap; no threshold. Source: DESIGN,
    section 11: the contract refuses a gap, and this reads what came out of it, so that a store, a fork or a copy of the
    chain that lost a declaration is noticed.
    """
    seen = {each.seq for each in stream}
    missing = sorted(set(range(1, max(seen, default=0) + 1)) - seen)
    if missing:
        first = min((each for each in stream if each.seq > missing[0]), key=lambda each: each.seq)
        words = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
        yield _suspicion(
            SuspicionKind.SEQUENCE_GAP,
            [first],
            99,
            "sequence numbers of a declarer and direction have no gap",
            f"{first.declarer}'s declarations leave out number {words}; the next one is {first.seq}",
            count=len(missing),
        )


def changed_roots(stream: Sequence[Declared]) -> Iterator[Suspicion]:
    """Two roots for one sequence number, or a revealed file that is not what was declared.

    Rule: one sequence number, one root; the records revealed prove against it. No threshold. Source: DESIGN, section 2:
    two roots for one sequence number is provable equivocation; a Merkle root stands for one file only.
    """
    for seq, group in groupby(stream, key=lambda each: each.seq):
        same = list(group)
        roots = sorted({each.root for each in same})
        if len(roots) > 1:
            said = f"{same[0].declarer} gave number {seq} two roots: {roots[0][:12]} and {roots[1][:12]}"
            yield _suspicion(SuspicionKind.CHANGED_ROOT, same, 99, "one sequence number has one root", said)
    for each in stream:
        if each.refusal is not None:
            said = f"what {each.declarer} revealed of number {each.seq} is not what it declared: {each.refusal}"
            yield _suspicion(SuspicionKind.CHANGED_ROOT, [each], 99, "revealed records prove against the root", said)


def back_dated(stream: Sequence[Declared], late_days: int) -> Iterator[Suspicion]:
    """Declarations that come before their own events, after their month was closed, or long after later events.

    Rules: block time against event time. No event begins after its declaration (five minutes are clocks; private lines
    are charged in advance and left out); what is declared after its declarer's close corrects something; a declaration
    whose last event lies `late_days` before an event already declared came late, or was made up afterwards. Source:
    DESIGN, section 2; the NRTRDE's four hours for records to be handed over show what is usual. The first two are
    proofs, the third is not.
    """
    latest: dict[tuple[Service, Period], int] = {}
    for each in stream:
        if each.service is not Service.IPL and each.to_ms > each.declared_ms + CLOCK_MS:
            hours = (each.to_ms - each.declared_ms) // 3_600_000
            said = f"{each.declarer} declared number {each.seq} {hours:,} hours before its last event"
            yield _suspicion(SuspicionKind.BACK_DATED, [each], 95, "no event begins after its declaration", said)
        if each.closed_ms is not None and each.declared_ms > each.closed_ms and not each.is_correction:
            said = f"{each.declarer} declared number {each.seq} of {each.period} after it had closed that month"
            yield _suspicion(SuspicionKind.BACK_DATED, [each], 99, "after a close only corrections are declared", said)
        key = each.service, each.period
        behind = (latest.get(key, each.to_ms) - each.to_ms) // DAY_MS
        if behind >= late_days and not each.is_correction:
            said = f"the events of {each.declarer}'s number {each.seq} end {behind} days before others already declared"
            rule = f"declared {late_days} days or more after later events"
            yield _suspicion(SuspicionKind.BACK_DATED, [each], 40, rule, said)
        latest[key] = max(latest.get(key, each.to_ms), each.to_ms)


def _suspicion(
    kind: SuspicionKind,
    declared: Sequence[Declared],
    confidence: int,
    rule: str,
    explanation: str,
    count: int | None = None,
) -> Suspicion:
    one = declared[0]
    return Suspicion(
        kind=kind,
        confidence=confidence,
        service=one.service,
        creditor=one.creditor,
        debtor=one.debtor,
        subject=f"{one.declarer} {one.seq}",
        count=len(declared) if count is None else count,
        money_at_risk_micros=max(each.amount_micros for each in declared),
        rows=np.empty(0, np.int64),
        rule=rule,
        explanation=explanation,
    )
