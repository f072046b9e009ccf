"""What does the node's answer mean to the carrier that holds the key and its own decks?

Names and codes are found again by masking those one knows. What is lost for each minute follows from the two prices at
the carrier's own ends of the chain; the prices in between stay unknown, save that they rise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ledger.errors import Refused
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros, Nanos, show_micros
from ledger.prices.deck import DeckHistory, Rate
from reconciliation.arbitrage.circles import ArbitrageFinding, Direction, Scheme, minute_nanos
from reconciliation.arbitrage.rings.masks import Masks
from reconciliation.arbitrage.rings.offers import Answer, Edge, MaskedRing, Offer, rate_of


class Unconfirmed(NamedTuple):
    """Codes of a deck for which the other carrier offered another price, or none."""

    creditor: CarrierCode
    debtor: CarrierCode
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer in the clear."""

    rings: tuple[ArbitrageFinding, ...]
    """The dearest for each minute first; minutes and amounts are 0: the node knows no traffic."""
    unconfirmed: tuple[Unconfirmed, ...]
    offers: int
    """Carriers that took part."""


def open_answer(
    answer: Answer,
    offer: Offer,
    us: CarrierCode,
    decks: Mapping[Direction, DeckHistory],
    at_ms: int,
    codes: Iterable[str],
    carriers: Iterable[CarrierCode],
    masks: Masks,
    own: Iterable[str] = (),
) -> Opened:
    """Read the answer to our offer; `carriers` are those of the round, and all else is as it was offered.

    Rings of codes that begin with one of `own` are left out: who terminates a code does not have to buy it.

    Raises Refused for an answer to another carrier or round, or that did not use our offer as it was.
    """
    if (answer.to, answer.round_name) != (masks.carrier(us), offer.round_name) or offer.digest not in answer.offers:
        raise Refused(
            "the answer is not to our offer", expected=f"an answer to {us} in {offer.round_name}", got=answer.round_name
        )
    names = {masks.carrier(each): each for each in {*carriers, *(c for way in decks for c in way)}}
    texts = {masks.code(code): code for code in set(codes)}
    in_force = {way: history.in_force(at_ms) for way, history in decks.items() if history.moments()[0] <= at_ms}
    _check(answer, frozenset(offer.edges))
    bought = [_but_own(ring, texts, tuple(own)) for ring in answer.rings]
    found = [each for ring in bought for each in _findings(ring, us, names, texts, in_force)]
    rest: dict[Direction, list[str]] = {}
    for edge in answer.unconfirmed:
        rest.setdefault((_name(names, edge.creditor), _name(names, edge.debtor)), []).append(texts[edge.code])
    return Opened(
        tuple(sorted(found, key=lambda each: (-each.gain_nanos, each.scheme, each.cycle, each.destination))),
        tuple(Unconfirmed(*way, tuple(sorted(each))) for way, each in sorted(rest.items())),
        len(answer.offers),
    )


def _but_own(ring: MaskedRing, texts: Mapping[bytes, str], own: tuple[str, ...]) -> MaskedRing:
    if ring.scheme != Scheme.RING:
        return ring
    return ring._replace(codes=tuple(code for code in ring.codes if not texts[code].startswith(own)))


def _check(answer: Answer, own: frozenset[Edge]) -> None:
    """Raises Refused if the node says more of us than we offered."""
    ends = {(edge.creditor, edge.debtor, edge.code) for edge in own}
    for ring in answer.rings:
        last = (ring.path[-1], answer.to) if ring.scheme == Scheme.RING else (answer.to, ring.path[-1])
        for code in ring.codes:
            if (answer.to, ring.path[1], code) not in ends or (*last, code) not in ends or ring.path[0] != answer.to:
                raise _not_ours("a ring whose ends are no edges of ours")
    if not own.issuperset(answer.unconfirmed):
        raise _not_ours("an edge that we did not offer")


def _not_ours(got: str) -> Refused:
    return Refused("the answer does not follow from our offer", expected="edges of our offer", got=got)


def _findings(
    ring: MaskedRing,
    us: CarrierCode,
    names: Mapping[bytes, CarrierCode],
    texts: Mapping[bytes, str],
    in_force: Mapping[Direction, Mapping[str, Rate]],
) -> list[ArbitrageFinding]:
    """One for each destination of our deck."""
    path = tuple(_name(names, each) for each in ring.path)
    by_destination: dict[str, list[tuple[str, int]]] = {}
    for tag in ring.codes:
        code = texts[tag]
        sold = rate_of(in_force[us, path[1]], code)
        ends = (path[-1], us) if ring.scheme == Scheme.RING else (us, path[-1])
        dear = rate_of(in_force[ends], code)
        assert sold is not None and dear is not None, "an edge of our offer has a price"
        by_destination.setdefault(sold.destination, []).append((code, minute_nanos(dear) - minute_nanos(sold)))
    cycle = path if ring.scheme == Scheme.RING else path[::-1]
    return [
        _finding(ring.scheme, cycle, destination, dict(gains)) for destination, gains in sorted(by_destination.items())
    ]


def _finding(
    scheme: Scheme, cycle: tuple[CarrierCode, ...], destination: str, gains: Mapping[str, int]
) -> ArbitrageFinding:
    gain = Nanos(max(gains.values()))
    return ArbitrageFinding(
        scheme=scheme,
        cycle=cycle,
        destination=destination,
        codes=tuple(sorted(gains)),
        gain_nanos=gain,
        minutes=0,
        lost_micros=Micros(0),
        exposed_minutes=0,
        at_risk_micros=Micros(0),
        direction=None,
        rows=np.empty(0, np.int64),
        explanation=_explained(scheme, cycle, destination, gain),
    )


def _explained(scheme: Scheme, cycle: tuple[CarrierCode, ...], destination: str, gain: Nanos) -> str:
    first, *middle, last = cycle
    price = show_micros(gain // NANOS_PER_MICRO, 4)
    if scheme == Scheme.RING:
        way = ", and on to ".join(middle)
        return f"{first} sells {destination} to {way}, and buys it back of {last}, {price} a minute dearer"
    way = " and ".join(middle)
    return f"{destination} costs {first} less through {way} than from {last}, which forgoes {price} a minute"


def _name(names: Mapping[bytes, CarrierCode], tag: bytes) -> CarrierCode:
    return names.get(tag, CarrierCode(f"UNKNOWN-{tag.hex()[:8].upper()}"))
