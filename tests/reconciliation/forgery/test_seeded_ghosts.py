"""Are calls that a creditor invented named as such, and honest losses that look like them not?"""

from functools import cache

import pytest

from scripts.traffic.forgeries.calls import GHOSTS, Ghost, draw_books
from scripts.traffic.forgeries.scoring import Verdict, judge
from scripts.traffic.simulation import OCTOBER

SEED, CALLS = 20261031, 30_000
DETERMINABLE = [ghost for ghost in GHOSTS if ghost not in (Ghost.HONEST, Ghost.BLIND)]


@cache
def verdict() -> Verdict:
    print(f"seed {SEED}")
    return judge(draw_books(SEED, CALLS, OCTOBER), OCTOBER)


@pytest.mark.parametrize("kind", DETERMINABLE)
def test_invented_calls_with_a_pattern_are_named(kind: Ghost) -> None:
    named = next(each for each in verdict().named if each.kind is kind)
    assert named.planted >= 15
    assert named.found >= 0.95 * named.planted


def test_invented_calls_without_a_pattern_are_missing_like_lost_ones() -> None:
    named = next(each for each in verdict().named if each.kind is Ghost.BLIND)
    assert named.planted >= 40
    assert named.found <= 0.1 * named.planted


def test_no_honest_call_is_accused() -> None:
    assert (verdict().alarms > 0, verdict().false_alarms, verdict().accused) == (True, 0, 0)
    honest = judge(draw_books(SEED + 1, CALLS, OCTOBER, ghosts=False), OCTOBER)
    assert (honest.alarms, honest.accused) == (0, 0)
