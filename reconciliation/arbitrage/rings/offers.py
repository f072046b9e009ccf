"""What does a carrier hand to the neutral node, and what does the node hand back?

An *edge* says that one carrier sells one dial code to another at a price, all four masked. A carrier offers the edges
that it is part of, as creditor and as debtor; the node believes an edge that both of its carriers offer alike.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import Refused
from ledger.identity import CarrierCode
from ledger.prices.deck import DeckHistory, Rate
from reconciliation.arbitrage.circles import Direction, Scheme, minute_nanos
from reconciliation.arbitrage.rings.masks import Masks


class Edge(NamedTuple):
    """Masked: tags and a point of masks.py."""

    creditor: bytes
    debtor: bytes
    code: bytes
    point: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """One carrier's edges in a round."""

    round_name: str
    """What the carriers call the round, in the clear: the month and the currency, for example."""
    by: bytes
    edges: tuple[Edge, ...]
    """Ascending, none twice."""

    @property
    def digest(self) -> bytes:
        """sha256 of all that it says: who offered it finds its own in every answer."""
        parts = [self.round_name.encode(), self.by, *(part for edge in self.edges for part in edge)]
        return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


class MaskedRing(NamedTuple):
    """One way round a price of the carrier that loses by it."""

    scheme: Scheme
    path: tuple[bytes, ...]
    """Carriers, from the one that loses, each selling to the next; in a refile the last is the origin of the calls."""
    codes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node tells one carrier: where it loses, and which of its edges it was not believed."""

    round_name: str
    to: bytes
    rings: tuple[MaskedRing, ...]
    unconfirmed: tuple[Edge, ...]
    """Of its own edges, those that the other carrier of the edge offered otherwise or not at all."""
    offers: tuple[bytes, ...]
    """Digests of all offers of the round, ascending: the same in each answer."""


def make_offer(
    us: CarrierCode,
    decks: Mapping[Direction, DeckHistory],
    at_ms: int,
    codes: Iterable[str],
    masks: Masks,
    round_name: str,
) -> Offer:
    """Our edges at a moment: every code's price in each deck that we give or get.

    `codes` are those that the carriers of the round agreed to compare; a shorter code of a deck prices them all the
    same. Raises Refused for a deck between two others, Malformed for a price out of bounds.
    """
    for creditor, debtor in decks:
        if us not in (creditor, debtor):
            raise Refused(
                "a deck is between two other carriers", expected=f"decks of {us}'s", got=f"{creditor} to {debtor}"
            )
    edges = []
    in_force = {way: history.in_force(at_ms) for way, history in decks.items() if history.moments()[0] <= at_ms}
    for code in sorted(set(codes)):
        tag, curve = masks.code(code), masks.curve(code)
        for (creditor, debtor), rates in in_force.items():
            if (rate := rate_of(rates, code)) is not None:
                point = curve(minute_nanos(rate))
                edges.append(Edge(masks.carrier(creditor), masks.carrier(debtor), tag, point))
    return Offer(round_name, masks.carrier(us), tuple(sorted(edges)))


def rate_of(rates: Mapping[str, Rate], code: str) -> Rate | None:
    """The rate that prices a code: its own or the longest shorter one's."""
    for length in range(len(code), 0, -1):
        if (rate := rates.get(code[:length])) is not None:
            return rate
    return None


def codes_of(decks: Mapping[Direction, DeckHistory], at_ms: int) -> Sequence[str]:
    """Every code that a deck in force names."""
    in_force = [history.in_force(at_ms) for history in decks.values() if history.moments()[0] <= at_ms]
    return sorted({code for rates in in_force for code in rates})
