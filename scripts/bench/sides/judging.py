"""How many of the true pairs were found, and how many of the found ones are true?"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from scripts.bench.sides.month import MadeMonth

PAIR_COLUMNS = ("ours_row", "theirs_row")


class Score(NamedTuple):
    """Shares; of calls that both sides wrote down."""

    found: int
    """Pairs told."""
    recall: float
    """Calls of which a pair was found; one written twice or in parts counts once."""
    precision: float
    """Pairs whose two records are of one call."""


def judge(month: MadeMonth, pairs: Path) -> Score:
    """Hold a Parquet file of pairs, such as a matcher leaves, against the truth.

    Raises ValueError if a record stands in two pairs: that is no matching.
    """
    ours, theirs = month.events("ours"), month.events("theirs")
    held = {"ours_row": np.zeros(len(ours), np.bool_), "theirs_row": np.zeros(len(theirs), np.bool_)}
    found = np.zeros(month.plan.calls, np.bool_)
    told = right = 0
    with pq.ParquetFile(pairs) as file:
        for batch in file.iter_batches(columns=list(PAIR_COLUMNS)):
            rows = [np.asarray(batch[name], np.int64) for name in PAIR_COLUMNS]
            for name, some in zip(PAIR_COLUMNS, rows, strict=True):
                if held[name][some].any() or len(np.unique(some)) != len(some):
                    raise ValueError(f"a record stands in two pairs ({name})")
                held[name][some] = True
            mine = ours[rows[0]]
            true = mine == theirs[rows[1]]
            found[mine[true]] = True
            told, right = told + len(true), right + int(true.sum())
    both = _seen(ours, month.plan.calls) & _seen(theirs, month.plan.calls)
    return Score(told, int(found.sum()) / int(both.sum()), right / max(1, told))


def _seen(events: np.ndarray, calls: int) -> np.ndarray:
    seen = np.zeros(calls, np.bool_)
    seen[events] = True
    return seen
