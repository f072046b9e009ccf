"""What does the engine see of one side's usage records? Integer columns, and names for what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ledger.errors import Malformed
from ledger.service import Service
from ledger.usage import RATED_SCHEMA
from reconciliation.matching.keys import called_hashes, pair_hashes, party_hashes, text_hashes
from reconciliation.matching.ties import tie_of
from reconciliation.streaming.sources import NAMES, Source, TableSource, table_source, taken

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Tolerances(Protocol):
    """The part of an agreement's tolerance that matching needs."""

    @property
    def window_ms(self) -> int: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def duration_bps(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Names:
    """A text column as small integers and the texts they stand for, in ascending order."""

    codes: Ints
    texts: tuple[str, ...]

    def of(self, row: int) -> str:
        return self.texts[int(self.codes[row])]


@dataclass(frozen=True, slots=True)
class Side:
    """One side's rated usage records of one direction and service; all columns have one entry a record."""

    source: Source
    """Where the records came from: to read what is not in these columns."""
    row: Ints
    """Place of each among all of the side's records; ascending."""
    a_hash: Words
    b_hash: Words
    start_ms: Ints
    quantity: Ints
    charged: Ints
    amount: Ints
    """Micros."""
    route: Names
    destination: Names
    code: Names
    tie: Ints
    """Hash of what a record says apart from its numbers and start: equal records only are interchangeable."""

    def __len__(self) -> int:
        return len(self.start_ms)

    def texts(self, rows: Ints, columns: Sequence[str]) -> pa.Table:
        """What some of these records say in columns that are not here; reads them again."""
        places, where = np.unique(self.row[rows], return_inverse=True)
        return taken(self.source, places, columns).take(pa.array(where))

    def all_lines(self) -> Ints:
        """The line of each record in its raw file; reads them again."""
        return _ints(taken(self.source, self.row, ("line",))["line"])


def side_of(table: pa.Table, service: Service = Service.VOICE) -> Side:
    """Read a RatedTable (ledger/usage.py) into columns. Raises Malformed for a missing, null or mistyped column."""
    source = table_source(table)
    plain = as_rated(source.rated)
    route, destination, code = (_names(plain[name]) for name in NAMES)
    quantity, charged, amount = (_ints(plain[name]) for name in ("quantity", "charged_quantity", "amount_micros"))
    a_hash, b_hash = party_words(plain, service)
    return Side(
        source=TableSource(plain),
        row=np.arange(len(plain)),
        a_hash=a_hash,
        b_hash=b_hash,
        start_ms=_ints(plain["start_ms"]),
        quantity=quantity,
        charged=charged,
        amount=amount,
        route=route,
        destination=destination,
        code=code,
        tie=tie_of(
            *(quantity, charged, amount, route.codes, destination.codes, code.codes),
            *(name_hashes(route.texts), name_hashes(destination.texts), name_hashes(code.texts)),
        ),
    )


def name_hashes(texts: Sequence[str]) -> Words:
    """A hash of each name."""
    return text_hashes(pa.chunked_array([pa.array(texts, pa.string())]))


def party_words(table: pa.Table, service: Service) -> tuple[Words, Words]:
    """What tells a record apart from others of its time: its parties, a sample's port too, of a circuit its name."""
    match service:
        case Service.VOICE | Service.SMS:
            return party_hashes(table["a_party"]), called_hashes(table["b_party"])
        case Service.DATA:
            return party_hashes(table["a_party"]), pair_hashes(party_hashes(table["b_party"]), _ports(table))
        case Service.IPL:
            return np.zeros(len(table), np.uint64), _ports(table)


def _ports(table: pa.Table) -> Words:
    column = table["route"].combine_chunks()
    if not pa.types.is_dictionary(column.type):
        return party_hashes(column)
    words: Words = party_hashes(column.dictionary)[column.indices.to_numpy()]
    return words


def exact_sum(amounts: Ints) -> int:
    """The sum as an unbounded integer: a column's own sum may pass 63 bits."""
    high = int(np.sum(amounts >> 32, dtype=np.int64))
    low = int(np.sum(amounts & 0xFFFFFFFF, dtype=np.int64))
    return (high << 32) + low


def exact_sums(groups: Ints, amounts: Ints, size: int) -> list[int]:
    """`exact_sum` for each group 0..size-1."""
    high = np.zeros(size, np.int64)
    low = np.zeros(size, np.int64)
    np.add.at(high, groups, amounts >> 32)
    np.add.at(low, groups, amounts & 0xFFFFFFFF)
    return [(int(h) << 32) + int(w) for h, w in zip(high, low, strict=True)]


def allowed_ms(quantity: Ints, tolerance: Tolerances) -> Ints:
    """The largest difference that is no difference, for each quantity."""
    share = quantity * tolerance.duration_bps // 10_000
    return np.maximum(share, tolerance.duration_ms)


def as_rated(table: pa.Table) -> pa.Table:
    """The table with the types of RATED_SCHEMA. Raises Malformed for an empty cell or another type."""
    holes = [name for name in table.column_names if table[name].null_count]
    if holes:
        raise Malformed("a column has empty cells", expected="a value in each row", got=", ".join(holes))
    try:
        return table.cast(RATED_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Malformed("a column is not of its type", expected=str(RATED_SCHEMA), got=str(error)[:200]) from None


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _names(column: pa.ChunkedArray) -> Names:
    texts = sorted(pc.unique(column).to_pylist())
    codes = pc.index_in(column, value_set=pa.array(texts, pa.string()))
    return Names(np.asarray(codes.to_numpy(), dtype=np.int64), tuple(texts))
