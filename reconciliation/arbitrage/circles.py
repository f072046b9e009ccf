"""Where do rate decks pay somebody for sending a call the wrong way round?

Three carriers, one dial code. *Refile*: B sells the code to A dearer than to C, and C sells it to A for something
between: A's calls go to B through C, A and C share what B loses. *Ring*: A sells the code to B, B to C and C back to A,
each dearer than it bought: A pays for its own destination. Both are cycles of negative cost in the graph of all decks,
whose edges are prices; with three carriers they can be enumerated. Source: ITU-T E.370 and D.99 on refile and
alternative calling procedures; Bellman and Ford on negative cycles.

A carrier does not know what two others charge each other. Where the deck for the way round is unknown, the last carrier
still sees the calls of the first arrive through the middle at a lower price: then the calls are the finding.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros, Nanos, div_half_even, show_micros
from ledger.prices.deck import DeckHistory, Rate
from reconciliation.arbitrage.numbers import begins, priced_by
from reconciliation.matching.side import Flags, Ints, exact_sum

MINUTE_MS = 60_000
GUESTS_BPS = 500
"""Share of the first carrier's calls that arrive through the middle for honest reasons, where no deck says more: guests
with a foreign number, a day on which the direct way was down. Ours, from simulated months."""
Direction = tuple[CarrierCode, CarrierCode]
"""(creditor, debtor): who sells and who buys."""


class Scheme(StrEnum):
    """How the wrong way pays."""

    REFILE = "refile"
    """Through a third carrier it costs less than direct."""
    RING = "ring"
    """Sold cheap, bought back dear."""
    TROMBONE = "trombone"
    """The same call comes in and goes out again."""


@dataclass(frozen=True, slots=True)
class ArbitrageFinding:
    """One cycle of carriers and what it costs the carrier that loses."""

    scheme: Scheme
    cycle: tuple[CarrierCode, ...]
    """In the order the call travels; refile: origin, middle, destination; the loser is last in a refile, first in a
    ring."""
    destination: str
    codes: tuple[str, ...]
    """Dial codes it works with."""
    gain_nanos: Nanos
    """Of the scheme, for each minute: what the loser forgoes."""
    minutes: int
    """Already sent this way, whole minutes."""
    lost_micros: Micros
    """What that cost the loser."""
    exposed_minutes: int
    """Still sent direct, and free to move."""
    at_risk_micros: Micros
    """What the loser would forgo if they moved too."""
    direction: Direction | None
    """Of the traffic table the evidence stands in."""
    rows: Ints
    """Its rows."""
    explanation: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is known of the calls: rated tables by direction, and the beginnings of each carrier's own numbers."""

    tables: Mapping[Direction, pa.Table]
    homes: Mapping[CarrierCode, tuple[str, ...]]


NO_TRAFFIC = Traffic({}, {})


def find_arbitrage(
    decks: Mapping[Direction, DeckHistory], at_ms: int, traffic: Traffic = NO_TRAFFIC
) -> tuple[ArbitrageFinding, ...]:
    """All refiles and rings that the decks in force at a moment make possible, the costliest first.

    One finding for each scheme, cycle and destination; one without the middle's deck only if more than GUESTS_BPS of
    the first carrier's calls went that way.
    Connect fees are left out: they repeat on either way.
    """
    prices = _prices(decks, at_ms)
    carriers = sorted({carrier for direction in prices for carrier in direction})
    found: dict[tuple[Scheme, tuple[CarrierCode, ...], str], list[tuple[str, int]]] = {}
    for trio in permutations(carriers, 3):
        for scheme, code, gain, destination in _schemes(prices, trio):
            if scheme == Scheme.RING and code.startswith(tuple(traffic.homes.get(trio[0], ()))):
                continue  # who terminates a code does not have to buy it
            found.setdefault((scheme, trio, destination), []).append((code, gain))
    priced = frozenset(code for each in prices.values() for code in each)
    made = [
        _finding(*key, gains, traffic, priced, known=key[0] == Scheme.RING or middle_is_known(key[1], decks))
        for key, gains in found.items()
    ]
    findings = [finding for finding in made if finding is not None]
    return tuple(sorted(findings, key=lambda f: (-f.lost_micros - f.at_risk_micros, f.scheme, f.cycle, f.destination)))


def minute_nanos(rate: Rate) -> Nanos:
    """The price of a minute, without increments and fees."""
    return Nanos(div_half_even(rate.nanos * MINUTE_MS, rate.per))


def _prices(decks: Mapping[Direction, DeckHistory], at_ms: int) -> dict[Direction, dict[str, tuple[Nanos, str]]]:
    """For each direction, price of a minute and destination of every code of any deck that the direction's covers."""
    in_force = {direction: history.in_force(at_ms) for direction, history in decks.items()}
    codes = sorted({code for rates in in_force.values() for code in rates})
    priced: dict[Direction, dict[str, tuple[Nanos, str]]] = {}
    for direction, rates in in_force.items():
        longest = ((code, _longest(rates, code)) for code in codes)
        priced[direction] = {c: (minute_nanos(rate), rate.destination) for c, rate in longest if rate is not None}
    return priced


def _longest(rates: Mapping[str, Rate], code: str) -> Rate | None:
    for length in range(len(code), 0, -1):
        if (rate := rates.get(code[:length])) is not None:
            return rate
    return None


def _schemes(
    prices: Mapping[Direction, Mapping[str, tuple[Nanos, str]]], trio: tuple[CarrierCode, ...]
) -> Iterator[tuple[Scheme, str, int, str]]:
    """(scheme, code, gain, destination) for one order of three carriers."""
    first, middle, last = trio
    for code, (direct, destination) in prices.get((last, first), {}).items():
        bought, resold = prices.get((last, middle), {}).get(code), prices.get((middle, first))
        if bought is None or bought[0] >= direct:
            continue
        if resold is None or (code in resold and bought[0] < resold[code][0] < direct):
            yield Scheme.REFILE, code, direct - bought[0], destination
    for code, (sold, destination) in prices.get((first, middle), {}).items():
        onward, back = prices.get((middle, last), {}).get(code), prices.get((last, first), {}).get(code)
        if onward and back and sold < onward[0] < back[0] and back[0] <= _cheapest(prices, first, code):
            yield Scheme.RING, code, back[0] - sold, destination


def _cheapest(prices: Mapping[Direction, Mapping[str, tuple[Nanos, str]]], carrier: CarrierCode, code: str) -> int:
    """What the carrier buys a code for where it buys best: who has a cheaper supplier loses nothing by a dear one."""
    return min(each[code][0] for (_, debtor), each in prices.items() if debtor == carrier and code in each)


def _finding(
    scheme: Scheme,
    cycle: tuple[CarrierCode, ...],
    destination: str,
    gains: Iterable[tuple[str, int]],
    traffic: Traffic,
    priced: frozenset[str],
    *,
    known: bool,
) -> ArbitrageFinding | None:
    """None if only calls could tell and hardly any went that way."""
    per_code = dict(gains)
    codes = tuple(sorted(per_code))
    gain = max(per_code.values())
    direction, rows = _rerouted(cycle, codes, traffic, priced)
    direct = traffic.tables.get((cycle[2], cycle[0])) if scheme == Scheme.REFILE else None
    exposed = np.flatnonzero(_to_codes(direct, codes, priced)) if direct is not None else np.empty(0, np.int64)
    if not known and len(rows) * 10_000 <= (len(rows) + len(exposed)) * GUESTS_BPS:
        return None
    sent_ms = _milliseconds(traffic.tables[direction], rows) if direction else 0
    exposed_ms = _milliseconds(direct, exposed) if direct is not None else 0
    lost, at_risk = _cost(sent_ms, gain), _cost(exposed_ms, gain)
    return ArbitrageFinding(
        scheme=scheme,
        cycle=cycle,
        destination=destination,
        codes=codes,
        gain_nanos=Nanos(gain),
        minutes=sent_ms // MINUTE_MS,
        lost_micros=lost,
        exposed_minutes=exposed_ms // MINUTE_MS,
        at_risk_micros=at_risk,
        direction=direction,
        rows=rows,
        explanation=explain(scheme, cycle, destination, gain, sent_ms // MINUTE_MS, known=known),
    )


def _rerouted(
    cycle: tuple[CarrierCode, ...], codes: tuple[str, ...], traffic: Traffic, priced: frozenset[str]
) -> tuple[Direction | None, Ints]:
    """Calls that took the long way: what the first bought of the middle, or, where that is not ours to see, what the
    middle handed to the last with calling numbers of the first."""
    first, middle, last = cycle
    bought = traffic.tables.get((middle, first))
    if bought is not None:
        return (middle, first), np.flatnonzero(_to_codes(bought, codes, priced))
    handed = traffic.tables.get((last, middle))
    if handed is not None and first in traffic.homes:
        origin = begins(handed["a_party"], traffic.homes[first])
        return (last, middle), np.flatnonzero(_to_codes(handed, codes, priced) & origin)
    return None, np.empty(0, np.int64)


def _to_codes(table: pa.Table, codes: tuple[str, ...], priced: frozenset[str]) -> Flags:
    return priced_by(table["b_party"], codes, priced)


def _milliseconds(table: pa.Table, rows: Ints) -> int:
    return exact_sum(np.asarray(table["charged_quantity"].to_numpy(), np.int64)[rows])


def _cost(milliseconds: int, nanos_per_minute: int) -> Micros:
    return Micros(div_half_even(milliseconds * nanos_per_minute, MINUTE_MS * NANOS_PER_MICRO))


def explain(
    scheme: Scheme, cycle: tuple[CarrierCode, ...], destination: str, gain: int, minutes: int, *, known: bool = True
) -> str:
    """A refile or ring in a sentence; `gain` in nanos for each minute, `known` if the middle's price is."""
    first, middle, last = cycle
    price = show_micros(gain // NANOS_PER_MICRO, 4)
    sent = f"; {minutes:,} minutes went that way" if minutes else ""
    if scheme == Scheme.RING:
        return f"{first} sells {destination} to {middle} and buys it back of {last}, {price} a minute dearer{sent}"
    if not known:
        return f"calls of {first} to {destination} arrive through {middle}: {last} forgoes {price} a minute{sent}"
    return f"{destination} costs {first} less through {middle} than from {last}, which forgoes {price} a minute{sent}"


def middle_is_known(cycle: tuple[CarrierCode, ...], decks: Mapping[Direction, DeckHistory]) -> bool:
    """Whether the way round has its price: what the middle charges the first."""
    return (cycle[1], cycle[0]) in decks
