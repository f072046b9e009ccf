"""Between which carriers of a market do decks make a ring or a refile, and which decks only look as if they did?

Honest: each carrier buys below what it sells for, gives its debtors a few percent less or more, and never so much that
somebody between could live of it. Beside the planted ones stand near misses: a way round at just the direct price, a
ring whose first carrier buys cheaper elsewhere, one longer than the node looks, one that starts at home.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ledger.identity import CarrierCode
from ledger.money import Nanos
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from reconciliation.arbitrage.circles import ArbitrageFinding, Direction, Scheme
from reconciliation.arbitrage.rings.masks import Masks
from reconciliation.arbitrage.rings.node import LONGEST, find_rings
from reconciliation.arbitrage.rings.offers import make_offer
from reconciliation.arbitrage.rings.opening import open_answer
from scripts.traffic.counting import Counted

CARRIERS = tuple(CarrierCode(f"C{number:02d}") for number in range(14))
CODES, SCHEMES_EACH, SUPPLIERS = 60, 12, 4
"""Honest dial codes; planted rings and refiles each; carriers of whom one buys a code."""
ROUND, AT_MS = "2026-10 USD", 1_000
Key = tuple[CarrierCode, Scheme, str]
"""Who loses, how, and by which dial code."""


@dataclass(slots=True)
class Market:
    """Every carrier's prices in nanos a minute, and what the node must find in them."""

    prices: dict[Direction, dict[str, int]] = field(default_factory=dict)
    planted: set[Key] = field(default_factory=set)
    homes: dict[CarrierCode, list[str]] = field(default_factory=dict)
    """Dial codes that a carrier terminates itself."""

    def sell(self, creditor: CarrierCode, debtor: CarrierCode, code: str, nanos: int) -> None:
        """One line of a deck."""
        self.prices.setdefault((creditor, debtor), {})[code] = nanos


def draw_market(seed: int, codes: int = CODES) -> Market:
    """Fourteen carriers that buy and sell so many codes honestly, and codes with one scheme or near miss each."""
    rng = np.random.default_rng([seed, 29])
    market = Market()
    for number in range(codes):
        _honest(rng, market, f"1{number:03d}")
    for number in range(SCHEMES_EACH):
        _ring(rng, market, f"7{number:03d}")
        _refile(rng, market, f"8{number:03d}")
    for number in range(SCHEMES_EACH // 4):
        _near_misses(rng, market, number)
    return market


def count_rings(market: Market, longest: int = LONGEST) -> tuple[Counted, ...]:
    """How the node did: each scheme of a code counts once, and is a false alarm if it was not planted."""
    records = sum(len(each) for each in market.prices.values())
    said = {
        (each.cycle[0 if each.scheme == Scheme.RING else -1], each.scheme, code)
        for each, code in _told(market, longest)
    }
    counted = []
    for scheme in (Scheme.RING, Scheme.REFILE):
        planted, found = ({key for key in keys if key[1] == scheme} for keys in (market.planted, said))
        kind = f"{scheme.value} over all decks"
        counted.append(Counted(kind, records, len(planted), len(planted & found), len(found - planted)))
    return tuple(counted)


def _told(market: Market, longest: int) -> list[tuple[ArbitrageFinding, str]]:
    """Offers of all carriers, the node's answers, and what each carrier reads in its own."""
    masks, codes = Masks(bytes(range(32)), ROUND), {code for each in market.prices.values() for code in each}
    decks = {us: _decks({way: each for way, each in market.prices.items() if us in way}) for us in CARRIERS}
    offers = [make_offer(us, decks[us], AT_MS, codes, masks, ROUND) for us in CARRIERS]
    answers = find_rings(offers, longest)
    found = []
    for us, offer, answer in zip(CARRIERS, offers, answers, strict=True):
        own = market.homes.get(us, [])
        opened = open_answer(answer, offer, us, decks[us], AT_MS, codes, CARRIERS, masks, own)
        found += [(each, code) for each in opened.rings for code in each.codes]
    return found


def _decks(prices: Mapping[Direction, Mapping[str, int]]) -> dict[Direction, DeckHistory]:
    return {
        way: deck_history([(0, rate_deck("USD", [Rate(f"to {c}", c, Nanos(nanos)) for c, nanos in each.items()]))])
        for way, each in prices.items()
    }


def _honest(rng: np.random.Generator, market: Market, code: str) -> None:
    """From the carrier that terminates the code up: a margin of 8 % or more, 3 % more or less for each debtor."""
    order = _mixed(rng)
    asks = {order[0]: int(rng.integers(5_000_000, 200_000_000))}
    market.homes.setdefault(order[0], []).append(code)
    for place, debtor in enumerate(order[1:], 1):
        creditors = rng.choice(place, min(place, SUPPLIERS), replace=False)
        paid = {order[at]: asks[order[at]] * int(rng.integers(985, 1_016)) // 1_000 for at in creditors}
        for creditor, nanos in paid.items():
            market.sell(creditor, debtor, code, nanos)
        asks[debtor] = max(paid.values()) * int(rng.integers(1_080, 1_300)) // 1_000


def _ring(rng: np.random.Generator, market: Market, code: str) -> None:
    """Three to five carriers, each dearer than the one before, the first buys back what it sold."""
    chain = _mixed(rng)[: int(rng.integers(3, LONGEST + 1))]
    _rising(rng, market, code, [*chain, chain[0]])
    market.planted.add((chain[0], Scheme.RING, code))


def _refile(rng: np.random.Generator, market: Market, code: str) -> None:
    """One to three carriers between the first and one to whom it sells dearer than they do."""
    chain = _mixed(rng)[: int(rng.integers(3, LONGEST + 1))]
    last = _rising(rng, market, code, chain)
    market.sell(chain[0], chain[-1], code, last * 11 // 10)
    market.planted.add((chain[0], Scheme.REFILE, code))


def _near_misses(rng: np.random.Generator, market: Market, number: int) -> None:
    chain = _mixed(rng)
    last = _rising(rng, market, same := f"60{number:02d}", chain[:4])
    market.sell(chain[0], chain[3], same, last)
    _rising(rng, market, cheaper := f"61{number:02d}", [*chain[:4], chain[0]])
    market.sell(chain[9], chain[0], cheaper, 1_000_000)
    _rising(rng, market, f"62{number:02d}", [*chain[: LONGEST + 1], chain[0]])
    _rising(rng, market, home := f"63{number:02d}", [*chain[:4], chain[0]])
    market.homes.setdefault(chain[0], []).append(home)


def _rising(rng: np.random.Generator, market: Market, code: str, chain: list[CarrierCode]) -> int:
    """Sales along a chain, each a tenth to a half dearer; the last price."""
    nanos = int(rng.integers(5_000_000, 50_000_000))
    for creditor, debtor in pairwise(chain):
        market.sell(creditor, debtor, code, nanos := nanos * int(rng.integers(1_100, 1_500)) // 1_000)
    return nanos


def _mixed(rng: np.random.Generator) -> list[CarrierCode]:
    return [CARRIERS[at] for at in rng.permutation(len(CARRIERS))]
