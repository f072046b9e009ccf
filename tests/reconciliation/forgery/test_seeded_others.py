"""Are forged messages, samples, private lines and declarations of seeded months found, and no honest one?"""

from functools import cache

import pytest

from scripts.traffic.counting import Counted
from scripts.traffic.forgeries.others import count_others
from scripts.traffic.simulation import OCTOBER

SEED = 20261031
KINDS = (
    "fake_receipt",
    "counter_reset: over line rate",
    "counter_reset: wrap",
    "ghost_circuit",
    "sequence_gap",
    "changed_root: two roots",
    "changed_root: refused file",
    "back_dated: before its events",
    "back_dated: after the close",
    "back_dated: after later events",
)


@cache
def counted() -> dict[str, Counted]:
    print(f"seed {SEED}")
    return {each.kind: each for each in count_others(SEED, OCTOBER)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_forged_is_found_and_nothing_else(kind: str) -> None:
    found = counted()[kind]
    assert found.planted > 0
    assert (found.found, found.false_alarms) == (found.planted, 0)


def test_honest_declarations_some_days_late_are_left_alone() -> None:
    honest = counted()["declarations, honest"]
    assert (honest.records, honest.false_alarms) == (120, 0)
