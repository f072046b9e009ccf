"""Which octets over peering ports are others', and what honest ports carry that looks like it?

Honest: a route leaked for an afternoon, forged source addresses, and a spare port that carries nothing but scans.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from ledger.money import Micros
from ledger.period import Period
from reconciliation.arbitrage.peering import FLOW_SCHEMA, find_transit_resale
from scripts.traffic.carriers import CN_T, GB_B
from scripts.traffic.counting import Counted, count_rows
from scripts.traffic.forgeries.calls import UTC
from scripts.traffic.prices import Ints

PORTS, SOLD_PORTS = 24, 4
"""Of all ports, how many carry others' octets for money; the last one is spare."""
CONE = frozenset(range(64_512, 64_712))
HOUR_MS, HOURS = 3_600_000, 31 * 24
OWN_EACH, OTHERS_EACH = 8, 4
"""Networks that an hour of a port tells of."""
MICROS_A_GIGABYTE = Micros(2_000)


@dataclass(frozen=True, slots=True)
class Flows:
    """What all ports' exports say of a month, and which rows must be told."""

    table: pa.Table
    planted: Ints


def draw_flows(seed: int, month: Period) -> Flows:
    """Two hundred announced networks over 24 ports, hour by hour; a fifth to two thirds of four ports is others'."""
    rng = np.random.default_rng([seed, 19])
    sold = rng.choice(PORTS - 1, SOLD_PORTS, replace=False)
    share = np.clip(rng.lognormal(-4.0, 0.6, PORTS), 0, 0.06)
    share[sold] = rng.uniform(0.2, 0.65, SOLD_PORTS)
    begin = month.bounds_ms(UTC)[0]
    port, hour = np.divmod(np.arange(PORTS * HOURS), HOURS)
    busy = rng.lognormal(24, 0.5, len(port)) * (1 + np.sin(hour % 24 * np.pi / 12) / 2)
    busy[port == PORTS - 1] = 0
    leaked = (port == (sold[0] + 1) % (PORTS - 1)) & (hour >= 400) & (hour < 404)
    foreign = np.where(leaked, 0.9, share[port])
    own = _rows(rng, port, hour, busy * (1 - foreign), np.array(sorted(CONE)), OWN_EACH)
    scans = np.where(port == PORTS - 1, 40_000, 0)
    others = _rows(rng, port, hour, busy * foreign + scans, np.arange(1_000, 9_000), OTHERS_EACH)
    ports, hours, source, octets = (np.concatenate(both) for both in zip(own, others, strict=True))
    names = pa.array([f"lon-{number}" for number in range(PORTS)]).take(pa.array(ports))
    columns = [names, pa.array(begin + hours * HOUR_MS), pa.array(source), pa.array(octets)]
    planted = np.flatnonzero(np.isin(ports, sold) & (source < 64_512))
    return Flows(pa.Table.from_arrays(columns, schema=FLOW_SCHEMA), planted)


def count_flows(drawn: Flows, terms: DetectorTerms | None = None) -> Counted:
    """How the detector did, in rows of the export."""
    parties = GB_B.code, CN_T.code
    found = find_transit_resale(drawn.table, CONE, parties, MICROS_A_GIGABYTE, terms or DetectorTerms())
    return count_rows("peering_resale: octets", len(drawn.table), drawn.planted, found)


def _rows(
    rng: np.random.Generator, port: Ints, hour: Ints, octets: object, networks: Ints, each: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Each hour's octets of a port, spread over some networks."""
    parts = rng.dirichlet(np.ones(each), len(port))
    spread = (np.asarray(octets)[:, None] * parts).astype(np.int64).ravel()
    kept = spread > 0
    source = rng.choice(networks, len(spread))
    return np.repeat(port, each)[kept], np.repeat(hour, each)[kept], source[kept], spread[kept]
