"""What does a creditor's whole side answer, of which only what needs explaining is in memory?"""

from dataclasses import dataclass

import numpy as np

from reconciliation.forgery.suspects import Feature, Others
from reconciliation.matching.keys import SUFFIX_BITS
from reconciliation.matching.side import Ints, Side, Words
from reconciliation.streaming.census import Asked, Census
from reconciliation.streaming.packing import Unpacked

_ASKED = {
    Feature.CALLED_RANGE: Asked.BLOCK,
    Feature.CALLED_NUMBER: Asked.CALLED,
    Feature.CALLING_NUMBER: Asked.CALLER,
}


@dataclass(frozen=True, slots=True)
class WholeSide:
    """A census of the creditor's records, and which of them have no partner: a `Whole` (suspects.py)."""

    census: Census
    routes: tuple[str, ...]
    size: int
    single: Ints
    """Rows without a partner, ascending; all others have one."""
    single_quantity: Ints
    """Quantities of these, ascending."""

    @property
    def matched_size(self) -> int:
        return self.size - len(self.single)

    def how_many(self, feature: Feature, values: Words) -> Ints:
        return self.census.counts(_ASKED[feature], values)

    def matched_of_quantity(self, values: Ints) -> Ints:
        low, high = (np.searchsorted(self.single_quantity, values, side) for side in ("left", "right"))
        matched: Ints = self.census.counts(Asked.QUANTITY, values.view(np.uint64)) - (high - low)
        return matched

    def on_route(self, route: str) -> Others:
        places = [at for at, text in enumerate(self.routes) if text == route]
        found = self.census.records(Asked.ROUTE, np.array(places, np.uint64))
        order = np.lexsort((found.amount, found.charged, found.quantity, found.start_ms))
        return self._others(found.take(order))

    def of_callers(self, values: Words) -> tuple[Words, Others]:
        found = self.census.records(Asked.CALLER, values)
        return found.a_hash, self._others(found)

    def of_circuits(self, values: Words) -> tuple[Words, Others]:
        found = self.census.records(Asked.CALLED, values)
        return found.b_hash, self._others(found)

    def _others(self, found: Unpacked) -> Others:
        return Others(found.row, found.start_ms, found.quantity, ~np.isin(found.row, self.single))


def values_of(side: Side, feature: Feature) -> Words:
    """What each record of a side has of a feature."""
    match feature:
        case Feature.CALLED_RANGE:
            return side.b_hash >> np.uint64(SUFFIX_BITS)
        case Feature.CALLED_NUMBER:
            return side.b_hash
        case Feature.CALLING_NUMBER:
            return side.a_hash
