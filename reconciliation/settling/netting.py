"""What remains to be paid when many carriers' obligations are set off against each other?

Set-off is a maximum circulation over the obligations, solved as integer min-cost flow: each carrier's position stays
what it was, every leg that remains runs along an existing obligation and is no larger than it, so nobody becomes
anybody's new or larger debtor. Novation lifts the size bound (up to given limits): fewer and larger legs, still only
between carriers that already owe in that direction. Currencies are never mixed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ortools.graph.python import min_cost_flow

from ledger.errors import CurrencyMismatch, Malformed, Refused
from ledger.identity import CarrierCode
from ledger.money import MAX_AMOUNT_MICROS, Micros

Ints = npt.NDArray[np.int64]


class Obligation(NamedTuple):
    """What one carrier owes another in one currency."""

    debtor: CarrierCode
    creditor: CarrierCode
    currency: str
    amount_micros: Micros


class Leg(NamedTuple):
    """A payment that remains."""

    debtor: CarrierCode
    creditor: CarrierCode
    amount_micros: Micros


class Position(NamedTuple):
    """What a carrier is owed (positive) or owes, net."""

    carrier: CarrierCode
    amount_micros: Micros


@dataclass(frozen=True, slots=True)
class NettingResult:
    """One netting cycle in one currency; carriers and legs in ascending order."""

    currency: str
    positions: tuple[Position, ...]
    legs: tuple[Leg, ...]
    gross_micros: Micros
    remaining_micros: Micros
    duals: tuple[int, ...]
    """A price for each position's carrier that proves the optimum: no leg could be routed cheaper."""

    @property
    def netted_micros(self) -> Micros:
        """What need not be paid."""
        return Micros(self.gross_micros - self.remaining_micros)


class _Graph(NamedTuple):
    carriers: tuple[CarrierCode, ...]
    tail: Ints
    head: Ints
    amount: Ints
    capacity: Ints


def net(
    obligations: Iterable[Obligation],
    currency: str,
    *,
    novate: bool = False,
    limits: Mapping[tuple[CarrierCode, CarrierCode], int] | None = None,
) -> NettingResult:
    """Net the obligations of one currency; `limits` (debtor, creditor) cap the legs of a novation.

    Raises CurrencyMismatch, Malformed (a negative amount, a carrier that owes itself), Refused (limits too tight).
    """
    graph = _graph(obligations, currency, novate=novate, limits=limits or {})
    supply = _supplies(graph)
    assert int(supply.sum()) == 0, "positions of a cycle sum to zero"
    flow = _solve(graph, supply)
    duals = _certify(graph, flow)
    legs = zip(graph.tail.tolist(), graph.head.tolist(), flow.tolist(), strict=True)
    return NettingResult(
        currency=currency,
        positions=tuple(Position(c, Micros(-int(s))) for c, s in zip(graph.carriers, supply, strict=True)),
        legs=tuple(Leg(graph.carriers[u], graph.carriers[v], Micros(x)) for u, v, x in legs if x),
        gross_micros=Micros(sum(graph.amount.tolist())),
        remaining_micros=Micros(sum(flow.tolist())),
        duals=tuple(duals.tolist()),
    )


def net_each_currency(obligations: Iterable[Obligation], *, novate: bool = False) -> tuple[NettingResult, ...]:
    """One cycle for each currency, in ascending order."""
    listed = list(obligations)
    currencies = sorted({each.currency for each in listed})
    return tuple(net([o for o in listed if o.currency == c], c, novate=novate) for c in currencies)


def net_bilaterally(obligations: Iterable[Obligation], currency: str) -> tuple[Leg, ...]:
    """Offset both directions of each pair of carriers only."""
    graph = _graph(obligations, currency, novate=False, limits={})
    owed: dict[tuple[CarrierCode, CarrierCode], int] = {}
    for u, v, amount in zip(graph.tail.tolist(), graph.head.tolist(), graph.amount.tolist(), strict=True):
        owed[graph.carriers[u], graph.carriers[v]] = amount
    left = {(u, v): amount - owed.get((v, u), 0) for (u, v), amount in owed.items()}
    return tuple(Leg(u, v, Micros(amount)) for (u, v), amount in sorted(left.items()) if amount > 0)


def _graph(
    obligations: Iterable[Obligation],
    currency: str,
    *,
    novate: bool,
    limits: Mapping[tuple[CarrierCode, CarrierCode], int],
) -> _Graph:
    owed: dict[tuple[CarrierCode, CarrierCode], int] = {}
    for each in obligations:
        _check(each, currency)
        edge = (each.debtor, each.creditor)
        owed[edge] = owed.get(edge, 0) + each.amount_micros
    edges = sorted(edge for edge, amount in owed.items() if amount)
    carriers = tuple(sorted({carrier for edge in owed for carrier in edge}))
    gross = sum(owed.values())
    if gross > MAX_AMOUNT_MICROS:
        raise Malformed("more than one cycle can net", expected="a gross sum within 63 bits of micros", got=gross)
    index = {carrier: k for k, carrier in enumerate(carriers)}
    capacity = [min(gross, limits.get(edge, gross)) if novate else owed[edge] for edge in edges]
    return _Graph(
        carriers,
        np.array([index[debtor] for debtor, _ in edges], np.int64),
        np.array([index[creditor] for _, creditor in edges], np.int64),
        np.array([owed[edge] for edge in edges], np.int64),
        np.array(capacity, np.int64),
    )


def _check(obligation: Obligation, currency: str) -> None:
    if obligation.currency != currency:
        raise CurrencyMismatch(
            "an obligation in another currency",
            expected=currency,
            got=obligation.currency,
            todo="Net each currency in a cycle of its own.",
        )
    if obligation.amount_micros < 0 or obligation.debtor == obligation.creditor:
        raise Malformed(
            "not an obligation",
            expected="an amount of zero or more between two carriers",
            got=f"{obligation.debtor} owes {obligation.creditor} {obligation.amount_micros} micros",
        )


def _supplies(graph: _Graph) -> Ints:
    """What each carrier owes minus what it is owed."""
    supply = np.zeros(len(graph.carriers), np.int64)
    np.add.at(supply, graph.tail, graph.amount)
    np.subtract.at(supply, graph.head, graph.amount)
    return supply


def _solve(graph: _Graph, supply: Ints) -> Ints:
    if len(graph.tail) == 0:
        return np.zeros(0, np.int64)
    solver = min_cost_flow.SimpleMinCostFlow()
    ones = np.ones(len(graph.tail), np.int64)
    arcs = solver.add_arcs_with_capacity_and_unit_cost(graph.tail, graph.head, graph.capacity, ones)
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise Refused(
            "positions cannot be settled within the limits",
            expected="limits of at least the obligations",
            got=str(status),
            todo="Raise a credit line, or net without novation.",
        )
    return np.asarray(solver.flows(arcs), dtype=np.int64)


def _certify(graph: _Graph, flow: Ints) -> Ints:
    """Prices under which no unit of flow could be cheaper (Bellman-Ford on the residual graph finds no negative cycle).

    For each leg that could grow: price[head] <= price[tail] + 1; for each that could shrink: the opposite.
    """
    grows, shrinks = flow < graph.capacity, flow > 0
    tail = np.concatenate([graph.tail[grows], graph.head[shrinks]])
    head = np.concatenate([graph.head[grows], graph.tail[shrinks]])
    cost = np.concatenate([np.ones(int(grows.sum()), np.int64), -np.ones(int(shrinks.sum()), np.int64)])
    price = np.zeros(len(graph.carriers), np.int64)
    for _ in range(len(graph.carriers) + 1):
        before = price.copy()
        np.minimum.at(price, head, price[tail] + cost)
        if np.array_equal(price, before):
            return price
    raise AssertionError("the flow is not optimal: the residual graph has a negative cycle")
