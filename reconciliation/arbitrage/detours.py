"""Which detours were taken over a whole month, in which prices changed?

Each stretch between two changes of price is searched by the prices in force; what is found of one scheme, cycle and
destination is one finding.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import Micros, Nanos
from ledger.prices.deck import DeckHistory
from reconciliation.arbitrage.circles import (
    ArbitrageFinding,
    Direction,
    Scheme,
    Traffic,
    explain,
    find_arbitrage,
    middle_is_known,
)
from reconciliation.arbitrage.tromboning import find_trombones
from reconciliation.matching.side import Ints


def find_detours(
    us: CarrierCode, decks: Mapping[Direction, DeckHistory], traffic: Traffic, from_ms: int, to_ms: int
) -> tuple[ArbitrageFinding, ...]:
    """What a carrier finds in [from_ms, to_ms) with the decks and records it has, the costliest first.

    All decks and tables are of one currency. Refiles and rings are those of `find_arbitrage`; trombones are told only
    if they cost us money or return where they came from: other transit is business. `rows` are those of the whole
    table of the finding's direction.
    """
    schemes = _schemes(decks, traffic, from_ms, to_ms)
    found = [
        *schemes,
        *(each for each in _trombones(us, traffic) if each.lost_micros or each.cycle[0] == each.cycle[2]),
    ]
    return tuple(sorted(found, key=lambda f: (-f.lost_micros - f.at_risk_micros, f.scheme, f.cycle, f.destination)))


def loser(finding: ArbitrageFinding) -> CarrierCode:
    """Whose money it is: last in a refile, first in a ring, the middle of a trombone."""
    return finding.cycle[{Scheme.REFILE: -1, Scheme.RING: 0, Scheme.TROMBONE: 1}[finding.scheme]]


def _schemes(
    decks: Mapping[Direction, DeckHistory], traffic: Traffic, from_ms: int, to_ms: int
) -> list[ArbitrageFinding]:
    changes = {at for history in decks.values() for at in history.moments() if from_ms < at < to_ms}
    joined: dict[tuple[Scheme, tuple[CarrierCode, ...], str], ArbitrageFinding] = {}
    for begin, end in pairwise([from_ms, *sorted(changes), to_ms]):
        in_force = {direction: history for direction, history in decks.items() if history.moments()[0] <= begin}
        rows = {direction: _between(table, begin, end) for direction, table in traffic.tables.items()}
        part = Traffic({way: table.take(pa.array(rows[way])) for way, table in traffic.tables.items()}, traffic.homes)
        for finding in find_arbitrage(in_force, begin, part):
            key = finding.scheme, finding.cycle, finding.destination
            here = finding
            if finding.direction is not None:
                here = replace(finding, rows=rows[finding.direction][finding.rows])
            joined[key] = _joined(joined[key], here, decks) if key in joined else here
    return list(joined.values())


def _between(table: pa.Table, begin: int, end: int) -> Ints:
    start = np.asarray(table["start_ms"].to_numpy(), np.int64)
    return np.flatnonzero((start >= begin) & (start < end))


def _joined(one: ArbitrageFinding, other: ArbitrageFinding, decks: Mapping[Direction, DeckHistory]) -> ArbitrageFinding:
    gain, minutes = Nanos(max(one.gain_nanos, other.gain_nanos)), one.minutes + other.minutes
    known = middle_is_known(one.cycle, decks)
    return replace(
        one,
        codes=tuple(sorted({*one.codes, *other.codes})),
        gain_nanos=gain,
        minutes=minutes,
        lost_micros=Micros(one.lost_micros + other.lost_micros),
        exposed_minutes=one.exposed_minutes + other.exposed_minutes,
        at_risk_micros=Micros(one.at_risk_micros + other.at_risk_micros),
        direction=one.direction or other.direction,
        rows=np.concatenate([one.rows, other.rows]),
        explanation=explain(one.scheme, one.cycle, one.destination, gain, minutes, known=known),
    )


def _trombones(us: CarrierCode, traffic: Traffic) -> tuple[ArbitrageFinding, ...]:
    incoming = {debtor: table for (creditor, debtor), table in traffic.tables.items() if creditor == us}
    outgoing = {creditor: table for (creditor, debtor), table in traffic.tables.items() if debtor == us}
    return find_trombones(us, incoming, outgoing)
