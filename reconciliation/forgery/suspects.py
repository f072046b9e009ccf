"""What do detectors of forgery look at? The creditor's records without a partner, and few questions about the rest.

The rest may be a hundred million records that nobody holds in memory: what a detector asks of it stands in `Whole`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from reconciliation.matching.side import Flags, Ints, Words


class Feature(IntEnum):
    """What records can have in common."""

    CALLED_RANGE = 0
    """A called number without its last two digits: blocks of 100."""
    CALLED_NUMBER = 1
    CALLING_NUMBER = 2

    @property
    def words(self) -> str:
        """The feature in a sentence."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside the records."""

    capacity: Mapping[str, int] = field(default_factory=dict)
    """Circuits of the creditor's routes."""
    unallocated: tuple[str, ...] = ()
    """Beginnings of numbers that no operator holds."""
    test_numbers: tuple[str, ...] = ()
    """Whole numbers that never answer and receive nothing."""
    ceased: tuple[str, ...] = ()
    """Private lines that were cancelled, or never ordered."""
    terms: DetectorTerms = field(default_factory=DetectorTerms)
    """Thresholds, as the agreement has them."""


class Others(NamedTuple):
    """Records of the whole side, those without partner among them; all columns have one length."""

    row: Ints
    """In the whole side."""
    start_ms: Ints
    quantity: Ints
    matched: Flags


class Whole(Protocol):
    """The creditor's whole side, as far as detectors ask about it."""

    @property
    def size(self) -> int:
        """Records."""
        ...

    @property
    def matched_size(self) -> int:
        """Records with a partner."""
        ...

    def how_many(self, feature: Feature, values: Words) -> Ints:
        """How many records of the side have each of these values."""
        ...

    def matched_of_quantity(self, values: Ints) -> Ints:
        """How many records with a partner have each of these quantities."""
        ...

    def on_route(self, route: str) -> Others:
        """All records of a route, by start and then by what they say; none of a route that is not there."""
        ...

    def of_callers(self, values: Words) -> tuple[Words, Others]:
        """All records of these calling numbers, and the number of each."""
        ...

    def of_circuits(self, values: Words) -> tuple[Words, Others]:
        """All records of these called numbers or circuits, and which of each."""
        ...


class Suspects(NamedTuple):
    """The creditor's records without a partner, and these only; columns of one length, ascending by row."""

    rows: Ints
    """Where they stand in the whole side."""
    features: Mapping[Feature, Words]
    """Hashes of what they can have in common."""
    called: pa.ChunkedArray
    """Texts of the called parties."""
    circuits: pa.ChunkedArray
    """Texts of the routes: private lines by name."""
    circuit: Words
    """The hash that tells a circuit from others, as the side has it."""
    start_ms: Ints
    quantity: Ints
    blind: Flags
    """Which of them lie outside lost stretches: statistical marks are about these."""
    whole: Whole
    evidence: Evidence

    def without(self, taken: Flags) -> "Suspects":
        """Statistical marks are to look at fewer."""
        return self._replace(blind=self.blind & ~taken)


class Mark(NamedTuple):
    """One pattern and the records without partner that show it."""

    rows: Ints
    """Positions in `Suspects.rows`, ascending."""
    rule: str
    detail: str


Detector: TypeAlias = Callable[[Suspects], tuple[Mark, ...]]
