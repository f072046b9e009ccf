"""What does a creditor's whole side answer where it is in memory?"""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from reconciliation.forgery.suspects import Feature, Others
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.side import Flags, Ints, Side, Words

RANGE_DIGITS = 2


@dataclass(frozen=True, slots=True)
class WholeSide:
    """A side and which of its records have a partner: a `Whole` (suspects.py)."""

    side: Side
    matched: Flags

    @property
    def size(self) -> int:
        return len(self.side)

    @property
    def matched_size(self) -> int:
        return int(self.matched.sum())

    def how_many(self, feature: Feature, values: Words) -> Ints:
        return _counts(values_of(self.side, feature), values)

    def matched_of_quantity(self, values: Ints) -> Ints:
        return _counts(self.side.quantity[self.matched], values)

    def on_route(self, route: str) -> Others:
        if route not in self.side.route.texts:
            return self._others(np.empty(0, np.int64))
        rows = np.flatnonzero(self.side.route.codes == self.side.route.texts.index(route))
        return self._others(rows[np.lexsort((self.side.tie[rows], self.side.start_ms[rows]))])

    def of_callers(self, values: Words) -> tuple[Words, Others]:
        rows = np.flatnonzero(np.isin(self.side.a_hash, values))
        return self.side.a_hash[rows], self._others(rows)

    def of_circuits(self, values: Words) -> tuple[Words, Others]:
        rows = np.flatnonzero(np.isin(self.side.b_hash, values))
        return self.side.b_hash[rows], self._others(rows)

    def _others(self, rows: Ints) -> Others:
        return Others(rows, self.side.start_ms[rows], self.side.quantity[rows], self.matched[rows])


def values_of(side: Side, feature: Feature) -> Words:
    """What each record of a side has of a feature."""
    match feature:
        case Feature.CALLED_RANGE:
            return text_hashes(pc.utf8_slice_codeunits(side.table["b_party"], 0, -RANGE_DIGITS))
        case Feature.CALLED_NUMBER:
            return side.b_hash
        case Feature.CALLING_NUMBER:
            return side.a_hash


def _counts(column: Ints | Words, values: Ints | Words) -> Ints:
    ordered = np.sort(column)
    counts: Ints = np.searchsorted(ordered, values, "right") - np.searchsorted(ordered, values, "left")
    return counts
