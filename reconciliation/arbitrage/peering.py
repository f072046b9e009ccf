"""Does a partner sell others' traffic over a peering that is for its own?

A peering is cheap, or free, because each side brings its own subscribers' traffic. Who resells it brings others': calls
whose callers are of none of the partner's ranges, or octets of networks outside what the partner announces as its own
and its customers'. Source: settlement-free interconnection policies, which limit a peer to its own and its customers'
routes; the trade's bilateral agreements, which limit a direct trunk to a carrier's own origination.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.detector_terms import DetectorTerms
from ledger.identity import CarrierCode
from ledger.money import Micros, div_half_even
from ledger.service import Service
from reconciliation.arbitrage.numbers import begins
from reconciliation.arbitrage.sold import Sold, suspect
from reconciliation.matching.side import Ints, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

CONFIDENCE = 90
"""Percent, of callers: a number may have been ported."""
CERTAIN = 99
"""Percent, of networks: an address is announced or it is not."""
LEAST_OCTETS = 10**9
"""Of others over a port in a month: what scans the internet fills a spare port with less."""

FLOW_SCHEMA = pa.schema(
    [
        pa.field("port", pa.string(), nullable=False),
        pa.field("start_ms", pa.int64(), nullable=False),
        pa.field("source_as", pa.int64(), nullable=False),  # network whose octets they are
        pa.field("octets", pa.int64(), nullable=False),
    ]
)
"""What a port's flow export says (IPFIX, RFC 7011: octetDeltaCount by bgpSourceAsNumber)."""


def find_call_resale(
    sold: Sold, routes: Collection[str], own: Sequence[str], terms: DetectorTerms
) -> tuple[Suspicion, ...]:
    """Peering routes over which others' callers come; the costliest first.

    `routes` are for the debtor's own callers alone, whose numbers begin with one of `own`. Threshold: `peering_calls`
    of other callers, and `peering_foreign_bps` of the route's: travellers in the partner's network make less. Calls
    without a caller's number tell nothing. Money at risk: what these calls cost; the agreement's price for transit
    would be more.
    """
    names = sold.table["route"].to_pylist()
    callers = sold.table["a_party"]
    known = np.asarray(pc.not_equal(callers, "").to_numpy(), np.bool_)
    foreign = known & ~begins(callers, own)
    found = []
    for route in sorted(set(routes) & set(names)):
        mine = np.array([name == route for name in names], np.bool_)
        rows = np.flatnonzero(mine & foreign)
        told = int((mine & known).sum())
        if len(rows) >= terms.peering_calls and len(rows) * 10_000 >= told * terms.peering_foreign_bps:
            found.append(_of_calls(sold, route, rows, told, terms))
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.subject)))


def find_transit_resale(
    flows: pa.Table,
    cone: Collection[int],
    parties: tuple[CarrierCode, CarrierCode],
    micros_per_gigabyte: Micros,
    terms: DetectorTerms,
) -> tuple[Suspicion, ...]:
    """Peering ports over which octets of networks outside the partner's own and its customers' come.

    flows: FLOW_SCHEMA; cone: the networks that the partner (the debtor of `parties`) announces as its own and its
    customers'. Threshold: LEAST_OCTETS of others, and `peering_foreign_bps` of the port's. Money at risk: the octets at
    the price of transit.
    """
    source, octets = (np.asarray(flows[name].to_numpy(), np.int64) for name in ("source_as", "octets"))
    outside = ~np.isin(source, np.array(sorted(cone), np.int64))
    ports = np.array(flows["port"].to_pylist(), np.str_)
    found = []
    for port in np.unique(ports).tolist():
        mine = ports == port
        rows = np.flatnonzero(mine & outside)
        whole, theirs = exact_sum(octets[mine]), exact_sum(octets[rows])
        if theirs >= LEAST_OCTETS and theirs * 10_000 >= whole * terms.peering_foreign_bps:
            risk = Micros(div_half_even(theirs * micros_per_gigabyte, 10**9))
            found.append(_of_octets(parties, port, rows, (theirs, whole), risk, source, terms))
    return tuple(found)


def _of_calls(sold: Sold, route: str, rows: Ints, told: int, terms: DetectorTerms) -> Suspicion:
    paid = exact_sum(sold.column("amount_micros")[rows])
    return suspect(
        sold,
        SuspicionKind.PEERING_RESALE,
        CONFIDENCE,
        route,
        rows,
        paid,
        f"{terms.peering_calls} or more calls of others, {terms.peering_foreign_bps / 100:g} % of a peering",
        f"{len(rows):,} of {told:,} calls on {route}, a peering with {sold.debtor}, come from callers that are not "
        f"{sold.debtor}'s",
    )


def _of_octets(
    parties: tuple[CarrierCode, CarrierCode],
    port: str,
    rows: Ints,
    sums: tuple[int, int],
    risk: Micros,
    source: Ints,
    terms: DetectorTerms,
) -> Suspicion:
    theirs, whole = sums
    networks = np.unique(source[rows])
    return Suspicion(
        kind=SuspicionKind.PEERING_RESALE,
        confidence=CERTAIN,
        service=Service.DATA,
        creditor=parties[0],
        debtor=parties[1],
        subject=port,
        count=len(rows),
        money_at_risk_micros=risk,
        rows=rows,
        rule=f"{terms.peering_foreign_bps / 100:g} % of a peering's octets from networks outside the announced ones",
        explanation=f"{theirs * 100 // whole} % of the octets on {port} come from {len(networks):,} networks that "
        f"{parties[1]} does not announce, the first AS{int(networks[0])}",
    )
