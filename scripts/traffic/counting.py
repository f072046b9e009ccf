"""Of what was planted in a month, how much did one detector find, and how often was it wrong?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from ledger.usage import RATED_SCHEMA
from scripts.traffic.prices import Ints


class Told(Protocol):
    """What a detector says: a suspicion or an arbitrage finding."""

    @property
    def rows(self) -> Ints:
        """The records that show it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How one detector did."""

    kind: str
    records: int
    planted: int
    found: int
    false_alarms: int
    """What it said of which less than half is planted."""


def count_rows(kind: str, records: int, planted: Ints, found: Sequence[Told]) -> Counted:
    """Count by records: `planted` are the rows that must be told."""
    told = np.unique(np.concatenate([np.empty(0, np.int64), *(each.rows for each in found)]))
    wrong = sum(1 for each in found if int(np.isin(each.rows, planted).sum()) * 2 < len(each.rows))
    return Counted(kind, records, len(planted), int(np.isin(planted, told).sum()), wrong)


def rated_table(**columns: object) -> pa.Table:
    """A RatedTable of these columns; what is not given says nothing."""
    size = len(columns["route"])  # type: ignore[arg-type]
    rest = {
        "line": np.arange(size),
        "destination": pa.repeat("", size),
        "code": columns["route"],
        "charged_quantity": columns["quantity"],
    }
    everything = {**rest, **columns}
    return pa.table([everything[name] for name in RATED_SCHEMA.names], RATED_SCHEMA.names).cast(RATED_SCHEMA)
