"""Which private lines are charged that cannot be?

A line that only the creditor charges is missing at the debtor, whether it was forgotten there or never was: records do
not tell the two apart. What is marked here cannot have been in service at all.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.forgery.suspects import Evidence, Mark, Suspects
from reconciliation.matching.side import Flags, Ints, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

DAY_MS = 86_400_000


def ceased_circuits(suspects: Suspects) -> tuple[Mark, ...]:
    """Private lines that were cancelled, or never ordered, and are charged all the same.

    Source: the circuits given as evidence, from the debtor's orders and cancellations. No threshold.
    """
    hit = pc.is_in(suspects.circuits, value_set=pa.array(suspects.evidence.ceased, pa.string()))
    rows = np.flatnonzero(np.asarray(hit.to_numpy(), np.bool_))
    return (Mark(rows, "a circuit that was cancelled or never ordered", "of circuits that are not in service"),)


def overlapping_days(suspects: Suspects) -> tuple[Mark, ...]:
    """Days of a private line that another record of the same line charges too.

    Source: a circuit is in service once a day. Threshold: one day. Only the record without partner is marked.
    """
    served = np.flatnonzero(suspects.quantity > 0)
    circuits, others = suspects.whole.of_circuits(np.unique(suspects.circuit[served]))
    twice = np.zeros(len(suspects.rows), np.bool_)
    for row in served.tolist():
        mine = circuits == suspects.circuit[row]
        begin, end = suspects.start_ms[row], suspects.start_ms[row] + suspects.quantity[row] * DAY_MS
        same_days = (others.start_ms < end) & (others.start_ms + others.quantity * DAY_MS > begin)
        twice[row] = bool((mine & same_days & (others.row != suspects.rows[row])).any())
    found: Ints = np.flatnonzero(twice)
    return (Mark(found, "days of a circuit that another record charges", "for days that are charged twice"),)


def ghost_circuits(
    charged: pa.Table, evidence: Evidence, creditor: CarrierCode, debtor: CarrierCode
) -> Iterator[Suspicion]:
    """Both of the above in a creditor's whole month, whoever else has the records: one suspicion for each circuit.

    Installations and other charges of no days are left out, but those of a circuit that is not in service.
    """
    ceased = np.asarray(pc.is_in(charged["route"], value_set=pa.array(evidence.ceased, pa.string())).to_numpy())
    twice = _charged_twice(charged)
    for hit, rule, said in (
        (ceased, "a circuit that was cancelled or never ordered", "is charged, and not in service"),
        (twice & ~ceased, "days of a circuit that another record charges", "is charged twice for the same days"),
    ):
        rows = np.flatnonzero(hit)
        circuits = charged["route"].take(pa.array(rows))
        for circuit in sorted(set(circuits.to_pylist())):
            mine = rows[np.asarray(pc.equal(circuits, circuit).to_numpy(), np.bool_)]
            yield Suspicion(
                kind=SuspicionKind.GHOST_CIRCUIT,
                confidence=99,
                service=Service.IPL,
                creditor=creditor,
                debtor=debtor,
                subject=circuit,
                count=len(mine),
                money_at_risk_micros=Micros(exact_sum(_ints(charged["amount_micros"])[mine])),
                rows=mine,
                rule=rule,
                explanation=f"{circuit} {said}",
            )


def _charged_twice(charged: pa.Table) -> Flags:
    """Records some of whose days an earlier record of the same circuit has; one that begins first is the first."""
    begin, days = _ints(charged["start_ms"]), _ints(charged["quantity"])
    codes = _ints(charged["route"].combine_chunks().dictionary_encode().indices) if len(charged) else begin
    served = np.flatnonzero(days > 0)
    order = served[np.lexsort((days[served], begin[served], codes[served]))]
    twice = np.zeros(len(charged), np.bool_)
    ends = begin[order] + days[order] * DAY_MS
    for at in range(1, len(order)):
        if codes[order[at]] == codes[order[at - 1]]:
            twice[order[at]] = begin[order[at]] < ends[at - 1]
            ends[at] = max(ends[at], ends[at - 1])
    return twice


def _ints(column: pa.ChunkedArray | pa.Array) -> Ints:
    return np.asarray(column.to_numpy(), np.int64)
