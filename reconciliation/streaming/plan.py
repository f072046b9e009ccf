"""What do all pieces and buckets of a month have in common? Its names, the layout of its records, its days.

A plan is made from what Parquet files say of themselves and their columns of names, and is the same for every thread,
process or machine that takes part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.cores import in_parallel
from ledger.service import Service
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Ints, Words, name_hashes
from reconciliation.streaming.packing import NARROW, WIDE, Layout
from reconciliation.streaming.sources import NAMES, Piece, Source
from reconciliation.totals import QUARTER_MS, accounting_days

BUCKET_ROWS = 1 << 14
"""About as many records of one side are in a bucket: their columns fit the cache of a core."""
MOST_BUCKETS = 1 << 12
MOST_DAYS = 400
MOST_CELLS = 1 << 21
SLACK_DAYS = 3


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a month's records. What starts outside is counted apart, or with the first or last day."""

    first_ms: int
    """UTC midnight."""
    count: int
    """UTC days."""
    first_ordinal: int
    """The accounting day that the first moment is of."""
    of_quarter: Ints
    """Accounting day of each quarter hour, from 0."""

    def utc_day(self, start_ms: Ints) -> Ints:
        """Days from the first, 0 to count - 1."""
        return np.clip((start_ms - self.first_ms) // DAY_MS, 0, self.count - 1)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every name in either side's records, ascending."""

    routes: tuple[str, ...]
    destinations: tuple[str, ...]
    codes: tuple[str, ...]
    route_hash: Words
    destination_hash: Words
    code_hash: Words

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """As in NAMES."""
        return self.routes, self.destinations, self.codes


@dataclass(frozen=True, slots=True)
class Plan:
    """Small, frozen and pickled as it is."""

    service: Service
    vocabulary: Vocabulary
    layout: Layout
    days: Days
    buckets: int


def plan_of(
    ours: Source,
    theirs: Source,
    service: Service,
    bounds_ms: tuple[int, int],
    zone: ZoneInfo,
    bucket_rows: int = BUCKET_ROWS,
) -> Plan:
    """Read both sides' names and bounds. `bounds_ms` are the period's. Raises Malformed."""
    vocabulary = vocabulary_of([*_dictionaries(ours), *_dictionaries(theirs)])
    pieces = -(-max(ours.rows, theirs.rows) // bucket_rows)
    return Plan(
        service=service,
        vocabulary=vocabulary,
        layout=_layout(ours, theirs, vocabulary),
        days=_days(ours, theirs, bounds_ms, zone, len(vocabulary.destinations)),
        buckets=max(1, min(MOST_BUCKETS, pieces)),
    )


def wide(plan: Plan) -> Plan:
    """The same for numbers of up to 63 bits."""
    return replace(plan, layout=plan.layout._replace(words=WIDE, base_ms=0))


def vocabulary_of(pieces: Iterable[Sequence[pa.Array]]) -> Vocabulary:
    """From arrays of texts, in the order of NAMES."""
    columns = list(zip(*pieces, strict=True)) or [()] * len(NAMES)
    routes, destinations, codes = (_ascending(arrays) for arrays in columns)
    return Vocabulary(routes, destinations, codes, name_hashes(routes), name_hashes(destinations), name_hashes(codes))


def _ascending(arrays: Sequence[pa.Array]) -> tuple[str, ...]:
    return tuple(sorted(pc.unique(pa.chunked_array(arrays, pa.string())).to_pylist()))


def _dictionaries(source: Source) -> list[list[pa.Array]]:
    def read(piece: Piece) -> list[list[pa.Array]]:
        return [[table[name].chunk(0).dictionary for name in NAMES] for _, table in source.read(piece, NAMES)]

    return [each for found in in_parallel(read, source.pieces) for each in found]


def _layout(ours: Source, theirs: Source, vocabulary: Vocabulary) -> Layout:
    route_bits, destination_bits, code_bits = (max(1, (len(texts) - 1).bit_length()) for texts in vocabulary.texts)
    names_bits = route_bits + destination_bits + code_bits
    row_bits = max(ours.rows, theirs.rows).bit_length()
    starts = _bounds(ours, theirs, "start_ms")
    fits = starts is not None and starts[1] - starts[0] < 2**32 and names_bits + row_bits <= 64
    for column in ("quantity", "charged_quantity", "amount_micros"):
        found = _bounds(ours, theirs, column)
        fits = fits and found is not None and found[0] >= 0 and found[1] < 2**32
    if not fits or starts is None:
        return Layout(WIDE, 0, destination_bits, code_bits, names_bits)
    return Layout(NARROW, starts[0], destination_bits, code_bits, names_bits)


def _bounds(ours: Source, theirs: Source, column: str) -> tuple[int, int] | None:
    """Of both sides' numbers; None if unknown."""
    found = [source.bounds(column) for source in (ours, theirs) if source.rows]
    known = [each for each in found if each is not None]
    if len(known) < len(found) or not known:
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _days(ours: Source, theirs: Source, bounds_ms: tuple[int, int], zone: ZoneInfo, destinations: int) -> Days:
    usual = bounds_ms[0] - SLACK_DAYS * DAY_MS, bounds_ms[1] + SLACK_DAYS * DAY_MS
    low, high = _bounds(ours, theirs, "start_ms") or usual
    count = high // DAY_MS - low // DAY_MS + 1
    if count > MOST_DAYS or count * destinations > MOST_CELLS:
        low, high = usual
        count = high // DAY_MS - low // DAY_MS + 1
    first_ms = low // DAY_MS * DAY_MS
    quarters = np.arange(first_ms // QUARTER_MS, first_ms // QUARTER_MS + count * (DAY_MS // QUARTER_MS))
    ordinals = accounting_days(quarters, zone)
    return Days(first_ms, count, int(ordinals[0]), ordinals - ordinals[0])
