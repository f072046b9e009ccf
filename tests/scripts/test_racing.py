"""Does a race tell the ratio of neighbours in time, and compare the first with the others?"""

import pytest

from scripts.bench.racing import Contender, race, show


def _runs(*seconds: float) -> Contender:
    """One that says how long each go took; the first is the uncounted one."""
    left = iter(seconds)
    return Contender("another", 100, lambda: next(left))


def test_the_ratio_is_the_median_of_rounds_and_the_first_go_counts_for_nothing() -> None:
    """Both slow down fivefold in the last round, as on a machine that others use: the ratio stays."""
    ours, theirs = race([_runs(99, 1, 1, 5), _runs(0.001, 2, 2, 10)], 3)
    assert (ours.each_second, theirs.each_second) == (100, 50)
    assert (ours.ratio, theirs.ratio) == (1, 2)
    assert ours.each_core_second == 0, "another program's time is not ours"


def test_a_go_that_does_not_say_its_seconds_is_timed() -> None:
    (pace,) = race([Contender("gsc", 1_000, lambda: None)], 2)
    assert pace.each_second > 0
    assert pace.each_core_second > 0


def test_a_table_names_every_way_and_its_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    show("parse", race([_runs(1, 1), _runs(4, 4)], 1))
    told = capsys.readouterr().out
    assert told.startswith("parse\n")
    assert "4.00 x" in told
