"""What remains to be paid when many carriers' obligations are set off against each other?

Set-off is a maximum circulation over the obligations, solved as integer min-cost flow: each carrier's position stays
what it was, every leg that remains runs along an existing obligation and is no larger than it, so nobody becomes
anybody's new or larger debtor. Novation lifts the size bound up to given limits: fewer and larger legs, between
carriers that already owe in that direction or whose limit says that they may. Currencies are never mixed.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    """What one carrier owes another in one currency, by one signed statement."""

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
    """What a carrier is owed (positive) or owes, net; and the statements that say so."""

    carrier: CarrierCode
    amount_micros: Micros
    owed_micros: Micros
    """What its statements as creditor come to."""
    owes_micros: Micros
    """What its statements as debtor come to."""
    statements: int


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
    listed = list(obligations)
    graph = _graph(listed, currency, novate=novate, limits=limits or {})
    supply = _supplies(graph)
    assert int(supply.sum()) == 0, "positions of a cycle sum to zero"
    flow = _solve(graph, supply)
    duals = _certify(graph, flow)
    paid = zip(graph.tail.tolist(), graph.head.tolist(), flow.tolist(), strict=True)
    legs = tuple(Leg(graph.carriers[u], graph.carriers[v], Micros(x)) for u, v, x in paid if x)
    return NettingResult(
        currency=currency,
        positions=prove_positions(listed, legs),
        legs=legs,
        gross_micros=Micros(sum(graph.amount.tolist())),
        remaining_micros=Micros(sum(flow.tolist())),
        duals=tuple(duals.tolist()),
    )


def prove_positions(obligations: Iterable[Obligation], legs: Iterable[Leg]) -> tuple[Position, ...]:
    """Each carrier's position as the sum of its statements, carriers ascending; asserts that the legs pay exactly that.

    In plain integers, one statement after the other: it shares nothing with the solver.
    """
    owed: dict[CarrierCode, int] = {}
    owes: dict[CarrierCode, int] = {}
    statements: dict[CarrierCode, int] = {}
    for debtor, creditor, _, amount in obligations:
        owes[debtor] = owes.get(debtor, 0) + amount
        owed[creditor] = owed.get(creditor, 0) + amount
        for carrier in (debtor, creditor):
            statements[carrier] = statements.get(carrier, 0) + 1
    net_of = {carrier: owed.get(carrier, 0) - owes.get(carrier, 0) for carrier in statements}
    left = dict(net_of)
    for debtor, creditor, amount in legs:
        left[debtor] += amount
        left[creditor] -= amount
    wrong = [carrier for carrier, amount in left.items() if amount]
    assert not wrong, f"what remains is not the sum of the statements of {', '.join(sorted(wrong)[:5])}"
    return tuple(
        Position(each, Micros(net_of[each]), Micros(owed.get(each, 0)), Micros(owes.get(each, 0)), statements[each])
        for each in sorted(statements)
    )


def net_bilaterally(obligations: Iterable[Obligation], currency: str) -> tuple[Leg, ...]:
    """Offset both directions of each pair of carriers only."""
    graph = _graph(list(obligations), currency, novate=False, limits={})
    owed: dict[tuple[CarrierCode, CarrierCode], int] = {}
    for u, v, amount in zip(graph.tail.tolist(), graph.head.tolist(), graph.amount.tolist(), strict=True):
        owed[graph.carriers[u], graph.carriers[v]] = amount
    left = {(u, v): amount - owed.get((v, u), 0) for (u, v), amount in owed.items()}
    return tuple(Leg(u, v, Micros(amount)) for (u, v), amount in sorted(left.items()) if amount > 0)


def _graph(
    obligations: Sequence[Obligation],
    currency: str,
    *,
    novate: bool,
    limits: Mapping[tuple[CarrierCode, CarrierCode], int],
) -> _Graph:
    for each in obligations:
        if each.currency != currency or each.amount_micros < 0 or each.debtor == each.creditor:
            raise _refusal(each, currency)
    debtors, creditors = [each.debtor for each in obligations], [each.creditor for each in obligations]
    gross = sum(each.amount_micros for each in obligations)
    if gross > MAX_AMOUNT_MICROS:
        raise Malformed("more than one cycle can net", expected="a gross sum within 63 bits of micros", got=gross)
    carriers = tuple(sorted({*debtors, *creditors}))
    index = {carrier: k for k, carrier in enumerate(carriers)}
    opened = [edge for edge in limits if edge[0] in index and edge[1] in index] if novate else []
    ends = [[index[carrier] for carrier in side] for side in (debtors, creditors)]
    more = [[index[edge[side]] for edge in opened] for side in (0, 1)]
    places = np.array(ends[0] + more[0], np.int64) * len(carriers) + np.array(ends[1] + more[1], np.int64)
    edges, which = np.unique(places, return_inverse=True)
    amount = np.zeros(len(edges), np.int64)
    np.add.at(amount, which[: len(obligations)], np.array([each.amount_micros for each in obligations], np.int64))
    capacity = np.where(amount > 0, gross, 0) if novate else amount.copy()
    capacity[which[len(obligations) :]] = [min(gross, limits[edge]) for edge in opened]
    used = capacity > 0
    tail, head = np.divmod(edges[used], max(1, len(carriers)))
    return _Graph(carriers, tail, head, amount[used], capacity[used])


def _refusal(obligation: Obligation, currency: str) -> CurrencyMismatch | Malformed:
    if obligation.currency != currency:
        return CurrencyMismatch(
            "an obligation in another currency",
            expected=currency,
            got=obligation.currency,
            todo="Net each currency in a cycle of its own.",
        )
    return Malformed(
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
