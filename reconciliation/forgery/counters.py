"""Which samples of a port say more octets than went through it?

A counter that is reset, or wraps, makes a difference that is far too large when it is read as if it had only grown.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.matching.side import Flags, Ints, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

BITS_PER_MEGABIT = 1_000_000
WRAP = 1 << 32
"""What a 32-bit counter holds before it begins again. One of 64 bits does not within a lifetime (RFC 2863, 3.1.6): its
resets pass the line rate."""
PPM = 10_000
"""What is left beside a wrap may differ by 1 % of the other side's sample, as far as an agreement's tolerance goes."""
LEAST_OCTETS = 1_000_000
"""... or by so much, where hardly anything went through, ..."""
MOST_SLACK = WRAP // 64
"""... and by no more: of a fast port's samples a wrap is within the tolerance."""


def over_line_rate(
    samples: pa.Table, line_mbps: Mapping[str, int], seconds: int, creditor: CarrierCode, debtor: CarrierCode
) -> Iterator[Suspicion]:
    """Samples of more octets than the port's line rate lets through in their interval.

    Rule: rate x interval, no threshold beyond it. Source: the line rates given as evidence; physics.
    """
    routes, octets = samples["route"], _ints(samples["quantity"])
    for port, mbps in sorted(line_mbps.items()):
        most = mbps * BITS_PER_MEGABIT // 8 * seconds
        rows = np.flatnonzero((octets > most) & np.asarray(pc.equal(routes, port).to_numpy(), np.bool_))
        if len(rows):
            largest = int(octets[rows].max())
            said = f"{len(rows):,} samples of {port} say up to {largest:,} octets; {mbps:,} Mbps let {most:,} through"
            rule = f"more than {mbps:,} Mbps carry in {seconds} s"
            yield _suspicion(samples, rows, port, rule, said, 99, creditor, debtor)


def wrapped_samples(
    claimed: pa.Table, ours: pa.Table, creditor: CarrierCode, debtor: CarrierCode
) -> Iterator[Suspicion]:
    """Samples that exceed the other side's by just what a counter holds: a wrap or a reset counted as traffic.

    Rule: for the same parties, port and interval the creditor's octets less the debtor's are 2^32 within 1 % of the
    debtor's sample (and MOST_SLACK). Source: RFC 2863, section 3.1.6, on counters that wrap. A reset read as a wrap
    adds 2^32 less what the counter held, which may be anything: it is found where it passes the line rate, else it is
    a difference.
    """
    rows, partner = _same_samples(claimed, ours)
    more, base = _ints(claimed["quantity"])[rows], _ints(ours["quantity"])[partner]
    slack = np.clip(base // 1_000_000 * PPM, LEAST_OCTETS, MOST_SLACK)
    wrapped: Flags = np.abs(more - base - WRAP) <= slack
    mine = rows[wrapped]
    routes = claimed["route"].take(pa.array(mine))
    for port in sorted(set(routes.to_pylist())):
        of_port = np.asarray(pc.equal(routes, port).to_numpy(), np.bool_)
        said = f"{int(of_port.sum()):,} samples of {port} exceed {debtor}'s by what a 32-bit counter holds"
        rule = f"the two sides' samples differ by {WRAP:,} octets within 1 %"
        yield _suspicion(claimed, np.sort(mine[of_port]), port, rule, said, 95, creditor, debtor)


def _same_samples(claimed: pa.Table, ours: pa.Table) -> tuple[Ints, Ints]:
    """Rows of both tables that are one sample; a key that one side holds twice is left out."""
    keys = ["a_party", "b_party", "route", "start_ms"]

    def once(table: pa.Table, name: str) -> pa.Table:
        numbered = table.select(keys).append_column(name, pa.array(np.arange(len(table))))
        counted = numbered.group_by(keys).aggregate([(name, "min"), (name, "count")])
        return counted.filter(pc.equal(counted[f"{name}_count"], 1)).select([*keys, f"{name}_min"])

    joined = once(claimed, "row").join(once(ours, "partner"), keys, join_type="inner")
    rows, partner = _ints(joined["row_min"]), _ints(joined["partner_min"])
    order = np.argsort(rows)
    return rows[order], partner[order]


def _suspicion(
    table: pa.Table,
    rows: Ints,
    port: str,
    rule: str,
    explanation: str,
    confidence: int,
    creditor: CarrierCode,
    debtor: CarrierCode,
) -> Suspicion:
    return Suspicion(
        kind=SuspicionKind.COUNTER_RESET,
        confidence=confidence,
        service=Service.DATA,
        creditor=creditor,
        debtor=debtor,
        subject=port,
        count=len(rows),
        money_at_risk_micros=_port_charges(table, port),
        rows=rows,
        rule=rule,
        explanation=explanation,
    )


def _port_charges(table: pa.Table, port: str) -> Micros:
    """What the port's samples and its charge cost: which part of it the samples moved, only rating again can tell."""
    mine = np.asarray(pc.equal(table["code"], port).to_numpy(), np.bool_)
    return Micros(exact_sum(_ints(table["amount_micros"])[mine]))


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), np.int64)
