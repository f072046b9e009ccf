"""Which calls come in and go out again within seconds, and what does that cost?

The same two numbers, nearly the same start: one call that passes through us. As transit that was sold it is business;
where we pay more for the way out than we get for the way in, or the carrier it goes back to is the one it came from,
somebody uses our decks against us. Source: tromboning and ring fraud in the CFCA's and the GSMA's public fraud lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.agreement import Tolerance
from ledger.identity import CarrierCode
from ledger.money import Micros, Nanos, show_micros
from reconciliation.arbitrage.circles import MINUTE_MS, ArbitrageFinding, Scheme
from reconciliation.matching.match import match
from reconciliation.matching.side import Flags, Ints, Side, exact_sum, side_of

PASSAGE = Tolerance(window_ms=10_000, duration_ms=5_000)
"""A call answers on both legs within ten seconds and lasts the same within five."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Calls of one way in and one way out."""

    came_from: CarrierCode
    went_to: CarrierCode
    incoming: Ints
    """Rows of the incoming table."""
    outgoing: Ints
    """Rows of the outgoing table, beside them."""


def find_trombones(
    us: CarrierCode, incoming: Mapping[CarrierCode, pa.Table], outgoing: Mapping[CarrierCode, pa.Table]
) -> tuple[ArbitrageFinding, ...]:
    """Calls we took from one partner (they pay us) and handed to one (we pay them), by partners and destination.

    The tables are rated, by partner. A finding for each group; `lost_micros` is what the way out cost beyond what the
    way in brought, 0 if it brought more; `rows` are those of the incoming table. The costliest come first.
    """
    taken = {partner: side_of(table) for partner, table in sorted(incoming.items())}
    handed = {partner: side_of(table) for partner, table in sorted(outgoing.items())}
    findings = [
        finding
        for came_from, side in taken.items()
        for went_to, other in handed.items()
        for finding in _groups(us, side, other, find_passage(came_from, side, went_to, other))
    ]
    return tuple(sorted(findings, key=lambda f: (-f.lost_micros, -f.minutes, f.cycle, f.destination)))


def find_passage(came_from: CarrierCode, incoming: Side, went_to: CarrierCode, outgoing: Side) -> Passage:
    """The calls of two tables that are one call, matched one to one."""
    pairing = match(incoming, outgoing, PASSAGE)
    alike = pairing.classes < 2
    return Passage(came_from, went_to, pairing.ours[alike], pairing.theirs[alike])


def _groups(us: CarrierCode, incoming: Side, outgoing: Side, passage: Passage) -> list[ArbitrageFinding]:
    codes = incoming.destination.codes[passage.incoming]
    return [
        _finding(us, incoming, outgoing, passage, codes == code, incoming.destination.texts[code])
        for code in np.unique(codes).tolist()
    ]


def _finding(
    us: CarrierCode, incoming: Side, outgoing: Side, passage: Passage, mine: Flags, destination: str
) -> ArbitrageFinding:
    taken, handed = passage.incoming[mine], passage.outgoing[mine]
    earned, paid = exact_sum(incoming.amount[taken]), exact_sum(outgoing.amount[handed])
    talked_ms = exact_sum(incoming.charged[taken])
    loss = paid - earned
    return ArbitrageFinding(
        scheme=Scheme.TROMBONE,
        cycle=(passage.came_from, us, passage.went_to),
        destination=destination,
        codes=tuple(sorted({incoming.code.of(row) for row in taken.tolist()})),
        gain_nanos=Nanos(loss * 1_000 * MINUTE_MS // max(1, talked_ms)),
        minutes=talked_ms // MINUTE_MS,
        lost_micros=Micros(max(0, loss)),
        exposed_minutes=0,
        at_risk_micros=Micros(max(0, loss)),
        direction=(us, passage.came_from),
        rows=taken,
        explanation=f"{len(taken):,} calls to {destination} came from {passage.came_from} and went on to "
        f"{passage.went_to} within seconds; they brought {show_micros(earned, 2)} and cost {show_micros(paid, 2)}",
    )
