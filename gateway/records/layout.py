"""What stands in a list of records? One row for each record or pair of both sides, in order of their start.

The file is Arrow IPC, uncompressed and read by mapping it into memory: a row is found by its number without reading
another one, and a filter runs over narrow columns of integers. 123 bytes a row; `gsc reconcile` makes it again.
"""

from enum import IntEnum

import pyarrow as pa

from reconciliation.finding import Cause

BATCH_ROWS = 1 << 16
"""Of every batch but the last: so the batch of a row is known from its number."""
NOBODY = -1
"""Instead of a row, where a side has no record."""
NO_RULE = 255
FORMAT = b"gsc.records.1"
CAUSES = tuple(Cause)
"""Bit k of `causes` stands for the k-th; the file names them."""
FIELDS = ("a_party", "b_party", "start_ms", "quantity", "charged_quantity", "destination", "code", "amount_micros")
"""Bit k of `differing` stands for the k-th; a start differs if its second does."""


class Match(IntEnum):
    """How well both sides agree on a record: the trade's classes."""

    EXACT = 0
    """Both have it, with the same quantity and amount."""
    PARTIAL = 1
    """Both have it; the quantities differ within tolerance."""
    MISMATCH = 2
    """Both have it; the quantities differ beyond tolerance, or only the amounts do."""
    MISSING_AT_THEIRS = 3
    """Only we have it."""
    MISSING_AT_OURS = 4
    """Only they have it."""

    @property
    def word(self) -> str:
        return self.name.lower()


LIST_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("start_ms", pa.int64()),  # ours, or theirs where we have none: the order of the list
            ("match", pa.uint8()),
            ("rule", pa.uint8()),  # reconciliation.matching.match.Rule, or NO_RULE
            ("causes", pa.int32()),
            ("differing", pa.int32()),
            ("destination", pa.int32()),  # its place among the file's names
            ("route", pa.int32()),
            ("a_hash", pa.uint32()),  # of the numbers, to search by
            ("b_hash", pa.uint32()),
            ("other_hash", pa.uint32()),  # of their calling number if it is another one, else 0
            ("ours_row", pa.int64()),  # in the book of that side, or NOBODY
            ("theirs_row", pa.int64()),
            ("offset_ms", pa.int64()),  # corrected start at theirs minus ours, of a pair
            ("ours_start_ms", pa.int64()),
            ("theirs_start_ms", pa.int64()),
            ("ours_quantity", pa.int64()),
            ("theirs_quantity", pa.int64()),
            ("ours_micros", pa.int64()),
            ("theirs_micros", pa.int64()),
            ("a_party", pa.string()),  # ours, or theirs where we have none
            ("b_party", pa.string()),
        )
    ]
)
"""Its metadata: the format, and the names of causes, destinations and routes as JSON lists."""


def causes_of(bits: int) -> tuple[Cause, ...]:
    """The causes that a row's bits stand for."""
    return tuple(cause for at, cause in enumerate(CAUSES) if bits >> at & 1)


def fields_of(bits: int) -> frozenset[str]:
    """The fields that differ."""
    return frozenset(field for at, field in enumerate(FIELDS) if bits >> at & 1)
