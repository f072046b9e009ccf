"""Where in the graph of all decks does somebody lose, as a node finds that can read neither names nor prices?

Of one code an edge leads from a creditor to its debtor at a price. Who takes part in a chain of sales earns if it sells
dearer than it bought: prices rise along the chain. From each carrier the node follows rising chains. One that comes
back is a *ring*: the carrier buys back dearer what it sold. One that ends at a carrier which also buys of the first,
dearer, is a *refile*. Either is a cycle of negative cost for the first carrier, whoever else is in it: the last edge
turned round costs it less than nothing. Rising chains are journeys through a network whose edges open one after
another, so the smallest price at which a carrier is reached is all that has to be kept (Xuan, Ferreira and Jarry,
Computing shortest, fastest and foremost journeys in dynamic networks, 2003).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ledger.errors import Malformed, Refused
from reconciliation.arbitrage.circles import Scheme
from reconciliation.arbitrage.rings.offers import Answer, Edge, MaskedRing, Offer

LONGEST = 5
"""Sales in a chain at most."""

Node = int
Sale = tuple[Node, Node, int]
"""Creditor, debtor, rank of the price among those of its code."""


def find_rings(offers: Sequence[Offer], longest: int = LONGEST) -> tuple[Answer, ...]:
    """An answer to each offer, in their order. Deterministic: two nodes with the same offers say the same.

    Only the carrier that loses by a ring or refile is told of it; of several chains to the same carrier the shortest,
    and none that a shorter one undercuts. Raises Malformed for offers of two rounds, Refused for two of one carrier or
    edges that are not its own.
    """
    _check(offers)
    believed, unconfirmed = _confirmed(offers)
    names = sorted({carrier for edge in believed for carrier in edge[:2]})
    number = {name: at for at, name in enumerate(names)}
    found: dict[tuple[Scheme, tuple[Node, ...]], list[bytes]] = defaultdict(list)
    known: dict[tuple[Sale, ...], list[tuple[Scheme, tuple[Node, ...]]]] = {}
    for code, sales in _by_code(believed, number):
        if sales not in known:  # codes of one destination have the same order of prices
            known[sales] = list(_schemes(sales, longest))
        for each in known[sales]:
            found[each].append(code)
    rings: dict[bytes, list[MaskedRing]] = defaultdict(list)
    for (scheme, path), codes in found.items():
        named = tuple(names[at] for at in path)
        rings[named[0]].append(MaskedRing(scheme, named, tuple(sorted(codes))))
    digests = tuple(sorted(offer.digest for offer in offers))
    return tuple(
        Answer(offer.round_name, offer.by, tuple(sorted(rings[offer.by])), tuple(unconfirmed[offer.by]), digests)
        for offer in offers
    )


def _check(offers: Sequence[Offer]) -> None:
    rounds = {offer.round_name for offer in offers}
    if len(rounds) != 1:
        raise Malformed("not one round", expected="offers of one round", got=", ".join(sorted(rounds)) or "no offer")
    if len({offer.by for offer in offers}) != len(offers):
        raise Refused("a carrier has offered twice", expected="one offer of each carrier", got=f"{len(offers)} offers")
    for offer in offers:
        if any(offer.by not in edge[:2] for edge in offer.edges):
            raise Refused("an edge is of other carriers", expected="edges of the offer's own carrier", got="others'")


def _confirmed(offers: Sequence[Offer]) -> tuple[list[Edge], Mapping[bytes, list[Edge]]]:
    """Edges that both of their carriers offer, and for each carrier its others."""
    said = {offer.by: frozenset(offer.edges) for offer in offers}
    believed: set[Edge] = set()
    alone: dict[bytes, list[Edge]] = {}
    for offer in offers:
        agreed = {edge for edge in offer.edges if edge in said.get(_other(edge, offer.by), frozenset())}
        believed |= agreed
        alone[offer.by] = [edge for edge in offer.edges if edge not in agreed]
    return sorted(believed), alone


def _other(edge: Edge, one: bytes) -> bytes:
    return edge.debtor if edge.creditor == one else edge.creditor


def _by_code(edges: Iterable[Edge], number: Mapping[bytes, Node]) -> Iterator[tuple[bytes, tuple[Sale, ...]]]:
    """The sales of each code, prices as ranks: all that the search needs, and the same for codes priced alike."""
    of_code: dict[bytes, list[Edge]] = defaultdict(list)
    for edge in edges:
        of_code[edge.code].append(edge)
    for code, mine in sorted(of_code.items()):
        rank = {point: at for at, point in enumerate(sorted({edge.point for edge in mine}))}
        yield code, tuple(sorted((number[e.creditor], number[e.debtor], rank[e.point]) for e in mine))


def _schemes(sales: tuple[Sale, ...], longest: int) -> Iterator[tuple[Scheme, tuple[Node, ...]]]:
    sold: dict[Node, list[tuple[Node, int]]] = defaultdict(list)
    cheapest: dict[Node, int] = {}
    for creditor, debtor, rank in sales:
        sold[creditor].append((debtor, rank))
        cheapest[debtor] = min(rank, cheapest.get(debtor, rank))
    for loser, own in sorted(sold.items()):
        direct = dict(own)
        done: set[tuple[Scheme, Node]] = set()
        for scheme, path in _journeys(loser, sold, direct, cheapest.get(loser), longest):
            key = scheme, path[-1]
            if key not in done:
                done.add(key)
                yield scheme, path


def _journeys(
    loser: Node,
    sold: Mapping[Node, Sequence[tuple[Node, int]]],
    direct: Mapping[Node, int],
    cheapest: int | None,
    longest: int,
) -> Iterator[tuple[Scheme, tuple[Node, ...]]]:
    """Rising chains from a carrier, the shortest first, that close as a ring or a refile; `cheapest` is the price at
    which the carrier buys best: who has a cheaper supplier loses nothing by a dear one."""
    reached: dict[Node, tuple[int, tuple[Node, ...]]] = {each: (rank, (loser, each)) for each, rank in direct.items()}
    lowest = dict(direct)
    for _ in range(longest - 1):
        further: dict[Node, tuple[int, tuple[Node, ...]]] = {}
        for at, (rank, path) in sorted(reached.items()):
            for debtor, asked in sold.get(at, ()):
                if asked <= rank:
                    continue
                if debtor == loser:
                    if len(path) > 2 and asked == cheapest:  # two carriers see a ring of two in their own decks
                        yield Scheme.RING, path
                    continue
                if asked < direct.get(debtor, 0):
                    yield Scheme.REFILE, (*path, debtor)
                if asked < lowest.get(debtor, asked + 1):
                    lowest[debtor] = asked
                    further[debtor] = (asked, (*path, debtor))
        reached = further
