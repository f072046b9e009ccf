"""Which games with settlement fees were played in a simulated month, and were they found?

Lays games over the calls of the three carriers (simulation.py) as each creditor would hold them: each game is an event
with its kind, its direction and its records, which bear its number in the line column. Beside them stand decoys that
are honest (game_plants.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import Nanos
from ledger.prices.deal_terms import Deal, Tier
from ledger.prices.deck import MINUTE_MS, DeckHistory, Rate, deck_history, rate_deck
from ledger.prices.rating import rate
from ledger.prices.rating_terms import OTHER, Origin, RatingTerms, Surcharge
from ledger.usage import USAGE_SCHEMA
from reconciliation.arbitrage.circles import Direction
from reconciliation.arbitrage.games import Known
from reconciliation.arbitrage.sold import Sold
from reconciliation.suspicion import Suspicion, SuspicionKind
from scripts.traffic.carriers import CARRIERS, DIRECTIONS, PAIRS, US_A
from scripts.traffic.game_plants import CN, CODES, DECOYS, FIRST_LINE, GAMES, GB, LINES_EACH, MONTH_MS, US, volume_ms
from scripts.traffic.papers import SIGNED_BEFORE_S, agreement_of
from scripts.traffic.prices import (
    CHANGED_DESTINATION,
    CHANGED_DIRECTION,
    CHANGED_NANOS,
    DECKS,
    DESTINATIONS,
    Price,
    change_ms,
)
from scripts.traffic.simulation import OCTOBER, simulate
from scripts.traffic.truth import legs_table

PEERING = f"{US_A.short}-in-3"
"""CN-T's trunk from US-A that is for US-A's own callers alone."""
HOMES: Mapping[CarrierCode, tuple[str, ...]] = {carrier.code: (carrier.country_code,) for carrier in CARRIERS}
Pair = tuple[CarrierCode, CarrierCode]


@dataclass(frozen=True, slots=True)
class Game:
    """One event that must be found."""

    kind: SuspicionKind
    way: Direction
    lines: range
    """Of its records."""


@dataclass(frozen=True, slots=True)
class GameMonth:
    """What the detectors are given, and what they must find there."""

    seed: int
    sold: Mapping[Direction, Sold]
    known: Known
    games: tuple[Game, ...]

    @property
    def records(self) -> int:
        """Of all creditors together."""
        return sum(len(each.table) for each in self.sold.values())


@dataclass(frozen=True, slots=True)
class Score:
    """What a search found of a month's games."""

    hits: Mapping[SuspicionKind, int]
    games: Mapping[SuspicionKind, int]
    false_alarms: tuple[Suspicion, ...]
    """Suspicions that no game explains."""
    records: int


def play(seed: int, calls_per_pair: int = 20_000, *, games: bool = True, decoys: bool = True) -> GameMonth:
    """The month of a seed with its games and decoys; the same arguments give the same month."""
    rng = np.random.default_rng([seed, 77])
    legs = legs_table(simulate(seed, calls_per_pair).books, OCTOBER)
    sides = {(d.creditor.code, d.debtor.code): _sides(legs, d.word) for d in DIRECTIONS}
    for decoy in DECOYS if decoys else ():
        decoy(rng, sides)
    agreements = _agreements({way: ours for way, (ours, _) in sides.items()})
    made: list[Game] = []
    for number, (kind, way, plant) in enumerate(GAMES if games else ()):
        first = FIRST_LINE + number * LINES_EACH
        made.append(Game(kind, way, range(first, first + plant(rng, sides, way, first))))
    sold, debtors = {}, {}
    for way, (ours, theirs) in sides.items():
        terms, decks = agreements[_pair(way)], _decks(way)
        table, debtors[way] = (rate(side, decks, terms).rated for side in (ours, theirs))
        sold[way] = Sold(*way, table, terms, OCTOBER, decks)
    return GameMonth(seed, sold, Known(HOMES, debtors, (PEERING,)), tuple(made))


def score(month: GameMonth, found: Sequence[Suspicion]) -> Score:
    """A game is found if a suspicion of its kind and direction shows half of its records."""
    hits: dict[SuspicionKind, int] = {}
    tries: dict[SuspicionKind, int] = {}
    explained: set[int] = set()
    for game in month.games:
        hit = [place for place, each in enumerate(found) if _shows(month, each, game)]
        explained |= set(hit)
        tries[game.kind] = tries.get(game.kind, 0) + 1
        hits[game.kind] = hits.get(game.kind, 0) + bool(hit)
    false = tuple(each for place, each in enumerate(found) if place not in explained)
    return Score(hits, tries, false, month.records)


def _shows(month: GameMonth, each: Suspicion, game: Game) -> bool:
    if (each.kind, each.creditor, each.debtor) != (game.kind, *game.way):
        return False
    lines = month.sold[game.way].column("line")[each.rows]
    shown = int(((lines >= game.lines.start) & (lines < game.lines.stop)).sum())
    return shown * 2 >= len(game.lines)


def _sides(legs: pa.Table, word: str) -> tuple[pa.Table, pa.Table]:
    mine = legs.filter(pc.equal(legs["direction"], word))
    return _side(mine, "creditor"), _side(mine, "debtor")


def _side(legs: pa.Table, side: str) -> pa.Table:
    """What one side's switch wrote, with the creditor's trunk names: USAGE_SCHEMA, its leg as line."""
    rows = legs.take(pa.array(np.repeat(np.arange(len(legs)), legs[f"{side}_count"].to_numpy())))
    callers = rows["a"].cast(pa.string())
    columns = {
        "line": rows["leg"],
        "a_party": pc.if_else(pc.equal(callers, "0"), "", callers),
        "b_party": rows["b"].cast(pa.string()),
        "start_ms": rows[f"{side}_start_ms"],
        "quantity": rows[f"{side}_duration_s"].to_numpy() * 1000,
        "route": rows["creditor_route"],
    }
    return pa.table(columns).cast(USAGE_SCHEMA).combine_chunks()


# PAPERS


def _decks(way: Direction) -> DeckHistory:
    index = next(i for i, d in enumerate(DIRECTIONS) if (d.creditor.code, d.debtor.code) == way)
    dated = [(MONTH_MS - SIGNED_BEFORE_S * 1000, DECKS[index])]
    if index == CHANGED_DIRECTION:
        dated.append((change_ms(OCTOBER), {**DECKS[index], CHANGED_DESTINATION: Price(CHANGED_NANOS)}))
    return deck_history((at, rate_deck("USD", _rates(prices))) for at, prices in dated)


def _rates(prices: Mapping[str, Price]) -> list[Rate]:
    codes = {kind.name: kind.codes for kind in DESTINATIONS}
    return [
        Rate(name, code, Nanos(p.nanos), MINUTE_MS, p.first_s * 1000, p.next_s * 1000, Nanos(p.connect_nanos))
        for name, p in prices.items()
        for code in codes[name]
    ]


def _agreements(usage: Mapping[Direction, pa.Table]) -> Mapping[Pair, Agreement]:
    """The pairs' agreements: a deal whose tier lies just beyond the honest volume, one on balance, and origins."""
    plain = {_pair((pair[0].code, pair[1].code)): agreement_of(pair, OCTOBER) for pair in PAIRS}
    bound = volume_ms(usage[GB, US], CODES["United Kingdom Mobile"]) * 21 // 20
    mobile = frozenset({"United Kingdom Mobile"})
    tier = Deal("volume to GB-B", GB, mobile, (Tier(bound, Nanos(15_000_000)),), back_to_first=True)
    balanced = Deal(
        "balance of CN-T and US-A",
        US,
        frozenset({"United States"}),
        (Tier(0, Nanos(5_000_000)),),
        unbalanced=(Tier(0, Nanos(9_800_000)),),
        against=frozenset({"China Fixed"}),
    )
    return {
        (CN, GB): replace(plain[CN, GB], rating=_origins("home", "86")),
        (CN, US): replace(plain[CN, US], deals=(balanced,)),
        (GB, US): replace(plain[GB, US], deals=(tier,), rating=_origins("near", "44", "86", "1")),
    }


def _origins(name: str, *codes: str) -> RatingTerms:
    """Callers of these codes pay the deck's price, others a surcharge, and nobody minds those without a number."""
    surcharge = Surcharge("far", frozenset({OTHER}), Nanos(20_000_000))
    return RatingTerms(origins=(Origin(name, frozenset(codes)),), surcharges=(surcharge,))


def _pair(way: Direction) -> Pair:
    return (way[0], way[1]) if way[0] < way[1] else (way[1], way[0])
