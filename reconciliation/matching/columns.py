"""What do the compiled loops of matching read of two sides, and how far may they reach?"""

from typing import NamedTuple

from reconciliation.matching.side import Ints, Words


class Columns(NamedTuple):
    """What the compiled loops read of one side (numba takes named tuples of arrays)."""

    key: Words
    start_ms: Ints
    quantity: Ints
    tie: Ints

    def take(self, rows: Ints, key: Words) -> "Columns":
        """Only these rows, with these keys."""
        return Columns(key, self.start_ms[rows], self.quantity[rows], self.tie[rows])


class Reach(NamedTuple):
    """How far apart two records of a pair may be."""

    window_ms: int
    limits: Ints
    """Largest quantity difference for each row of ours; -1: any."""
