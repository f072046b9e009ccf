"""Which of several ways does the same work faster, on a machine whose speed drifts while they run?

All run in turn, round after round; each round's ratio is of neighbours in time, and the median ratio is told.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Work = Callable[[], float | None]
"""Does it once; says its own seconds if others than those of the call count (a program's start is no work)."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way; the first of a race is the one the others are compared with."""

    name: str
    records: int
    """In one go; ways of other speeds take other numbers."""
    work: Work


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one way was: medians of all rounds."""

    name: str
    each_second: float
    each_core_second: float
    """By the processor's time, threads added up; 0 if the work was another program's."""
    ratio: float
    """The first one's records a second to this one's, round by round: above 1, the first is faster."""
    core_ratio: float


def race(contenders: Sequence[Contender], rounds: int) -> list[Pace]:
    """The pace of each; everything runs once before, uncounted."""
    for each in contenders:
        each.work()
    timed = [[_timed(each) for each in contenders] for _ in range(rounds)]
    return [
        Pace(
            name=each.name,
            each_second=median(row[at][0] for row in timed),
            each_core_second=median(row[at][1] for row in timed),
            ratio=median(row[0][0] / row[at][0] for row in timed),
            core_ratio=median(row[0][1] / row[at][1] if row[at][1] else 0.0 for row in timed),
        )
        for at, each in enumerate(contenders)
    ]


def show(title: str, paces: Sequence[Pace]) -> None:
    """A table of one race."""
    first = paces[0].name
    print(f"{title}\n  {'':<44}{'a second':>14}{'a core-second':>16}  {first} against it")
    for each in paces:
        core = f"{each.each_core_second:,.0f}" if each.each_core_second else ""
        against = f"{each.ratio:,.2f} x" + (f"  {each.core_ratio:,.2f} x by core" if each.core_ratio else "")
        print(f"  {each.name:<44}{each.each_second:>14,.0f}{core:>16}  {'' if each is paces[0] else against}")
    print(flush=True)


def _timed(each: Contender) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    own = each.work()
    used, spent = time.process_time() - cpu, time.perf_counter() - wall
    return (each.records / spent, each.records / used) if own is None else (each.records / own, 0.0)
