"""How fast are many carriers' statements netted, beside a general solver? `python -m ...net_race WAY FILE` is one way.

All get the same obligations and must leave the same sum: the least. Ours also names the carriers, certifies the optimum
and proves each position; the bound is the solver alone, with arrays given.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scripts.bench.sides.measuring import Failed, Spent, measure, spend, tell

DEGREE = 40
"""Obligations for each carrier."""
MODULE = "scripts.bench.sides.net_race"


def made_obligations(carriers: int, seed: int = 23) -> list[list[int]]:
    """[debtor, creditor, micros]: few large carriers and many small ones, most of whom owe each other."""
    rng = np.random.default_rng(seed)
    weight = rng.pareto(1.1, carriers) + 0.1
    ends = rng.choice(carriers, (2, carriers * DEGREE), p=weight / weight.sum())
    back = rng.random(ends.shape[1]) < 0.6
    pairs = np.unique(np.concatenate([ends, ends[::-1, back]], axis=1), axis=1)
    pairs = pairs[:, pairs[0] != pairs[1]]
    size = np.exp(rng.normal(16, 1.6, pairs.shape[1])) * np.sqrt(weight[pairs[0]] * weight[pairs[1]])
    rows: list[list[int]] = np.column_stack([*pairs, 1 + size.astype(np.int64)]).tolist()
    return rows


def race_netting(python: Path, carriers: int) -> None:
    """Print the ratio to the solver alone, and to networkx."""
    rows = made_obligations(carriers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "obligations.json"
        path.write_text(json.dumps(rows), encoding="ascii")
        ours, bound = (_run(Path(sys.executable), name, path) for name in ("ours", "bound"))
        peer = _run(python, "networkx", path)
    assert ours.answer == bound.answer == peer.answer, "all leave the least there is to pay"
    print(
        f"netting: {carriers:,} carriers, {len(rows):,} statements, {ours.core_seconds:.2f} core s, certified, proven"
    )
    print(f"  {ours.core_seconds / bound.core_seconds:.2f} x the solver's own work (ortools, arrays given)")
    print(f"  networkx takes {peer.core_seconds / ours.core_seconds:,.0f} x as long", flush=True)


def _run(python: Path, name: str, path: Path) -> Spent:
    return measure(python, MODULE, [name, str(path)])


# IN A PROCESS OF ITS OWN


def by_house(rows: Sequence[Sequence[int]]) -> int:
    """What is left to pay."""
    from ledger.identity import CarrierCode
    from ledger.money import Micros
    from reconciliation.settling.netting import Obligation, net

    owed = [Obligation(CarrierCode(f"C{u}"), CarrierCode(f"C{v}"), "USD", Micros(amount)) for u, v, amount in rows]
    return net(owed, "USD").remaining_micros


def by_solver(rows: Sequence[Sequence[int]]) -> int:
    """The bound: nobody named, nothing checked."""
    from ortools.graph.python import min_cost_flow

    tail, head, amount = np.array(rows, np.int64).T
    solver: Any = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(tail, head, amount, np.ones(len(tail), np.int64))
    supply = np.zeros(1 + max(tail.max(), head.max()), np.int64)
    np.add.at(supply, tail, amount)
    np.subtract.at(supply, head, amount)
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    if solver.solve() != solver.OPTIMAL:
        raise Failed("the solver found no optimum")
    return int(solver.optimal_cost())


def by_networkx(rows: Sequence[Sequence[int]]) -> int:
    import networkx

    graph: Any = networkx.DiGraph()
    for debtor, creditor, amount in rows:
        graph.add_edge(debtor, creditor, capacity=amount, weight=1)
    for node in graph:
        pays, gets = graph.out_degree(node, weight="capacity"), graph.in_degree(node, weight="capacity")
        graph.nodes[node]["demand"] = gets - pays
    return int(networkx.network_simplex(graph)[0])


WAYS = {"ours": by_house, "bound": by_solver, "networkx": by_networkx}


def main(name: str, path: Path) -> None:
    """Once uncounted on a few (imports, solvers' own start), then by the clock."""
    rows = json.loads(path.read_text(encoding="ascii"))
    WAYS[name](rows[:10])
    left, spent = spend(lambda: WAYS[name](rows))
    tell(replace(spent, answer=left))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
