"""Which records of a list does somebody want to see?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.records.layout import CAUSES, Match
from gateway.records.writing import short_hashes
from reconciliation.finding import Cause

Flags = npt.NDArray[np.bool_]
Column = Callable[[str], npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row must be; None: whatever."""

    match: Match | None = None
    differing: bool = False
    """Anything but exact."""
    cause: Cause | None = None
    destination: str | None = None
    route: str | None = None
    number: str | None = None
    """The whole calling or called number of either side, in digits."""
    from_ms: int | None = None
    to_ms: int | None = None
    """Start in [from_ms, to_ms)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What the rows must be looked up in; none: every row of the time is wanted."""
        asked = {
            "match": self.match is not None or self.differing,
            "causes": self.cause is not None,
            "destination": self.destination is not None,
            "route": self.route is not None,
        }
        hashes = ("a_hash", "b_hash", "other_hash") if self.number is not None else ()
        return (*(name for name, is_asked in asked.items() if is_asked), *hashes)


EVERY = Wanted()


@dataclass(frozen=True, slots=True)
class Codes:
    """What stands for a wish in the columns of one file; None: nothing in the file does."""

    wanted: Wanted
    destination: int | None
    route: int | None
    hash: int | None

    @property
    def nothing(self) -> bool:
        """Whether no row can be what is wanted."""
        return (self.wanted.destination is not None and self.destination is None) or (
            self.wanted.route is not None and self.route is None
        )

    def fits(self, column: Column, rows: int) -> Flags:
        """Which of some rows are wanted, for all that integers say."""
        fit = np.ones(rows, np.bool_)
        wanted = self.wanted
        if wanted.match is not None:
            fit &= column("match") == int(wanted.match)
        if wanted.differing:
            fit &= column("match") != int(Match.EXACT)
        if wanted.cause is not None:
            fit &= (column("causes") & (1 << CAUSES.index(wanted.cause))) != 0
        if self.destination is not None:
            fit &= column("destination") == self.destination
        if self.route is not None:
            fit &= column("route") == self.route
        if self.hash is not None:
            hashed = (column(name) == self.hash for name in ("a_hash", "b_hash", "other_hash"))
            fit &= np.logical_or.reduce(list(hashed))
        return fit


def codes_of(wanted: Wanted, destinations: list[str], routes: list[str]) -> Codes:
    """What stands for the wish in a file of these names."""
    hashed = None if wanted.number is None else int(short_hashes(pa.array([wanted.number], pa.string()))[0])
    return Codes(wanted, _place(wanted.destination, destinations), _place(wanted.route, routes), hashed)


def _place(name: str | None, names: list[str]) -> int | None:
    return names.index(name) if name is not None and name in names else None
