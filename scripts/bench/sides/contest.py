"""Who matches the same month faster, in how much memory, and how well? Processes in turn, round after round.

A ratio is of neighbours in time (one round), and the median of the rounds is told: the machine's speed drifts.
Lines are printed as they come, so that a run that is stopped has said something.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from scripts.bench.sides.judging import Score, judge
from scripts.bench.sides.measuring import Failed, Spent, measure
from scripts.bench.sides.month import SIDES, MadeMonth

OURS = "scripts.bench.sides.ours"
PEERS = "scripts.bench.sides.peers"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of matching, a program of its own."""

    title: str
    month: MadeMonth
    module: str
    name: str
    """What the module is asked for."""
    python: Path = Path(sys.executable)
    with_pairs: bool = True
    rounds: int = 1_000
    """At most; a slow one need not run as often."""


@dataclass(slots=True)
class Standing:
    """One way and what it took so far."""

    contender: Contender
    spent: list[Spent | None] = field(default_factory=list)
    """None where it did not take part."""
    score: Score | None = None
    failure: str = ""

    def ratio(self, first: "Standing") -> tuple[float, float]:
        """How many times faster the first one is: by the clock and by the processor, for each record."""
        both = [(mine, its) for mine, its in zip(self.spent, first.spent, strict=False) if mine and its]
        share = first.contender.month.plan.calls / self.contender.month.plan.calls
        if not both:
            return 0.0, 0.0
        clock = median(mine.seconds / its.seconds for mine, its in both)
        return clock * share, median(mine.core_seconds / its.core_seconds for mine, its in both) * share


def contest(contenders: Sequence[Contender], rounds: int) -> list[Standing]:
    """All in turn; the first is the one the others are compared with."""
    standings = [Standing(each) for each in contenders]
    for at in range(rounds):
        for standing in standings:
            standing.spent.append(_run(standing) if at < standing.contender.rounds and not standing.failure else None)
            print(f"  round {at + 1}: {_line(standing)}", flush=True)
    return standings


def show(standings: Sequence[Standing]) -> None:
    """The table, as the README has it."""
    first = standings[0]
    print(f"\n{'':<46}{'seconds':>9}{'core s':>9}{'memory':>11}{'recall':>9}{'precision':>11}  against it, by core")
    for each in standings:
        ratios = each.ratio(first)
        against = f"{ratios[0]:>8.2f} x{ratios[1]:>10.2f} x" if each is not first and each.ratio(first)[0] else ""
        print(f"{_line(each)}  {against}", flush=True)


def markdown(standings: Sequence[Standing]) -> str:
    """The table of the README: whoever fails is left out."""
    headings = ["", "core-seconds", "of gsc's", "by the clock", "memory", "recall", "precision"]
    rows = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    first = standings[0]
    for each in standings:
        spent = [one for one in each.spent if one]
        if spent:
            cores, most = median(one.core_seconds for one in spent), max(one.most_bytes for one in spent) / MIB
            clock, core = each.ratio(first)
            shares = f"{each.score.recall:.5f} | {each.score.precision:.6f}" if each.score else "– | –"
            row = f"{each.contender.title} | {cores:.1f} | {core:.2f} × | {clock:.2f} × | {most:,.0f} MiB | {shares}"
            rows.append(f"| {row} |")
    return "\n".join(rows)


def _run(standing: Standing) -> Spent | None:
    each = standing.contender
    files = [str(each.month.records(side)) for side in SIDES]
    try:
        with tempfile.TemporaryDirectory(dir=each.month.folder) as folder:
            pairs = Path(folder) / "pairs.parquet"
            spent = measure(each.python, each.module, [each.name, *files, *([str(pairs)] if each.with_pairs else [])])
            if each.with_pairs and standing.score is None:
                standing.score = judge(each.month, pairs)
    except Failed as failure:
        standing.failure = str(failure)
        return None
    return spent


def _line(standing: Standing) -> str:
    spent = [each for each in standing.spent if each]
    if standing.failure or not spent:
        return f"{standing.contender.title:<46}  {standing.failure or 'not in this round'}"
    score = standing.score
    shares = f"{score.recall:>9.5f}{score.precision:>11.6f}" if score else f"{'':>20}"
    seconds, cores = (median(getattr(each, name) for each in spent) for name in ("seconds", "core_seconds"))
    memory = max(each.most_bytes for each in spent) / MIB
    return f"{standing.contender.title:<46}{seconds:>9.2f}{cores:>9.2f}{memory:>7,.0f} MiB{shares}"
