"""How fast are two sides matched, how well, and beside what? `make bench BENCH=match`, `ARGS="--records 1000000"`.

The month is made with its truth (scripts/bench/sides/month.py) and kept in .bench; the peers have an environment of
their own (.venv-bench). From Parquet to findings with their clocks unknown, for us; from Parquet to pairs with clocks
corrected, for the peers; and the limit: the same columns decoded, hashed and sorted.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.bench.sides.contest import OURS, PEERS, Contender, contest, markdown, show
from scripts.bench.sides.measuring import Failed, Spent, measure
from scripts.bench.sides.month import CACHE, SIDES, MadeMonth, MonthPlan, made_month
from scripts.bench.sides.net_race import race_netting
from scripts.bench.sides.peers import PEERS as PEER_NAMES
from scripts.own_venv import OwnVenv

TITLES = {
    "duckdb-asof": "DuckDB as-of join",
    "duckdb-range": "DuckDB range join",
    "polars": "Polars as-of join",
    "pandas": "pandas merge_asof",
    "splink": "Splink on DuckDB",
}
SLOW = frozenset({"pandas", "splink"})
"""One round is enough to know."""
BUSY_SHARE = 0.10
HUGE, HUGE_LIMIT_BYTES = 100_000_000, 8 << 30
SMALL = 20_000
"""Calls of the month whose first call is timed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The contest; then growth, a busy key, the first call, netting; and 100 million if asked."""
    given = _parser().parse_args(arguments)
    chosen = [name for name in given.peers.split(",") if name]
    peers = OwnVenv("bench", "the peers: " + ", ".join(PEER_NAMES))
    if chosen and not peers.install():
        chosen = []
    month = _made(MonthPlan(given.records), given.cache)
    small = _made(MonthPlan(min(given.splink, given.records)), given.cache)
    print(f"match: {given.records:,} calls as two sides wrote them down, every fault of scripts/bench/sides/faults.py")
    standings = contest(_contenders(month, small, chosen, peers.python), given.rounds)
    show(standings)
    if given.markdown:
        print(f"\n{markdown(standings)}\n", flush=True)
    if given.growth:
        _show_growth("growth", [_made(MonthPlan(size), given.cache) for size in _sizes(given.growth)])
    if given.busy:
        plans = [MonthPlan(size, BUSY_SHARE) for size in _sizes(given.busy)]
        _show_growth(f"growth where one pair of numbers has {BUSY_SHARE:.0%}", [_made(p, given.cache) for p in plans])
    _show_first_call(given.cache)
    if chosen:
        race_netting(peers.python, given.carriers)
    if given.huge:
        _show_huge(month, given.cache)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.match", description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000, help="calls of the month")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEER_NAMES), help="which, with commas; nothing: none")
    parser.add_argument("--splink", type=int, default=500_000, help="calls of the month that Splink gets, at most")
    parser.add_argument(
        "--growth", default="1000000,3000000,10000000", help="sizes, with commas; nothing: not measured"
    )
    parser.add_argument("--busy", default="300000,1000000,3000000", help="sizes of months with a busy key")
    parser.add_argument("--carriers", type=int, default=2_000, help="of the netting cycle")
    parser.add_argument("--huge", action="store_true", help=f"{HUGE:,} calls as well: 6 GB of disk and minutes")
    parser.add_argument("--markdown", action="store_true", help="the table as the README has it, too")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where months are kept")
    return parser


def _sizes(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _made(plan: MonthPlan, cache: Path) -> MadeMonth:
    if not (cache / plan.name / "made.json").exists():
        print(f"  making {plan.calls:,} calls ...", flush=True)
    return made_month(plan, cache)


def _contenders(month: MadeMonth, small: MadeMonth, chosen: Sequence[str], python: Path) -> list[Contender]:
    ours = [
        Contender("gsc: findings", month, OURS, "reconcile", with_pairs=False),
        Contender("gsc: findings, and every pair told", month, OURS, "reconcile"),
        Contender("limit: decode, hash, sort", month, OURS, "limit", with_pairs=False),
    ]
    for name in chosen:
        of = small if name == "splink" else month
        told = f" ({of.plan.calls:,} calls)" if of.plan.calls < month.plan.calls else ""
        most = 1 if name in SLOW else 1_000
        ours.append(Contender(TITLES[name] + told, of, PEERS, name, python, rounds=most))
    return ours


# GROWTH


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The power of the size that the cost grows with: least squares through the logarithms; 1 is linear."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    along = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return along / sum((a - middle_x) ** 2 for a in x)


def _show_growth(title: str, months: Sequence[MadeMonth]) -> None:
    """Seconds of all cores, the best of two: what others use of the machine only adds to it."""
    spent = [min((_reconcile(month) for _ in range(2)), key=lambda each: each.core_seconds) for month in months]
    sizes = [month.plan.calls for month in months]
    for size, each in zip(sizes, spent, strict=True):
        paces = f"{each.core_seconds * 1e6 / size:.2f} core s a million, {each.most_bytes / 2**20:,.0f} MiB"
        print(f"  {title}: {size:>11,} calls, {paces}", flush=True)
    costs = [each.core_seconds for each in spent]
    last = exponent(sizes[-2:], costs[-2:])
    print(f"{title}: cost ~ size ^ {exponent(sizes, costs):.2f} (the last two: {last:.2f}; 1 is linear)", flush=True)


def _reconcile(month: MadeMonth) -> Spent:
    return measure(Path(sys.executable), OURS, ["reconcile", *(str(month.records(side)) for side in SIDES)])


# ONCE


def _show_first_call(cache: Path) -> None:
    month = _made(MonthPlan(SMALL), cache)
    more = measure(Path(sys.executable), OURS, ["first", *(str(month.records(side)) for side in SIDES)])
    told = f"{more.core_seconds:.2f} core s ({more.seconds:.2f} s by the clock)"
    print(f"first call of a process, compiled before: {told} more than the second", flush=True)


def _show_huge(month: MadeMonth, cache: Path) -> None:
    """One run out of core; how its rate compares with the month's."""
    huge = _made(MonthPlan(HUGE), cache)
    try:
        many, few = _reconcile(huge), _reconcile(month)
    except Failed as failure:
        print(f"huge: {failure}")
        return
    rate = few.seconds * HUGE / (many.seconds * month.plan.calls)
    memory = f"{many.most_bytes / 2**30:.1f} GiB of {HUGE_LIMIT_BYTES / 2**30:.0f}"
    print(f"huge: {HUGE:,} calls, {many.seconds:.0f} s, {memory}, {rate:.1%} of the rate of {month.plan.calls:,}")


if __name__ == "__main__":
    main()
