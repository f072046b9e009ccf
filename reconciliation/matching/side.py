"""What does the engine see of one side's usage records? Integer columns, and names for what they mean."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ledger.errors import Malformed
from ledger.service import Service
from ledger.usage import RATED_SCHEMA
from reconciliation.matching.keys import pair_hashes, text_hashes

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

    table: pa.Table
    line: Ints
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


def side_of(table: pa.Table, service: Service = Service.VOICE) -> Side:
    """Read a RatedTable (ledger/usage.py) into columns. Raises Malformed for a missing, null or mistyped column."""
    plain = _as_rated(table)
    a_hash, b_hash = _party_hashes(plain, service)
    numbers = {
        name: _ints(plain[name]) for name in ("line", "start_ms", "quantity", "charged_quantity", "amount_micros")
    }
    names = {name: _names(plain[name]) for name in ("route", "destination", "code")}
    return Side(
        table=plain,
        line=numbers["line"],
        a_hash=a_hash,
        b_hash=b_hash,
        start_ms=numbers["start_ms"],
        quantity=numbers["quantity"],
        charged=numbers["charged_quantity"],
        amount=numbers["amount_micros"],
        route=names["route"],
        destination=names["destination"],
        code=names["code"],
        tie=_tie(plain, numbers),
    )


def _party_hashes(table: pa.Table, service: Service) -> tuple[Words, Words]:
    """What tells a record apart from others of its time: its parties, a sample's port too, of a circuit its name."""
    match service:
        case Service.VOICE | Service.SMS:
            return text_hashes(table["a_party"]), text_hashes(table["b_party"])
        case Service.DATA:
            ports = text_hashes(table["route"])
            return text_hashes(table["a_party"]), pair_hashes(text_hashes(table["b_party"]), ports)
        case Service.IPL:
            return np.zeros(len(table), np.uint64), text_hashes(table["route"])


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


def _as_rated(table: pa.Table) -> pa.Table:
    missing = [name for name in RATED_SCHEMA.names if name not in table.column_names]
    if missing:
        raise Malformed(
            "not a rated table",
            expected=", ".join(RATED_SCHEMA.names),
            got="without " + ", ".join(missing),
            todo="Rate the usage first: gsc rate.",
        )
    plain = table.select(RATED_SCHEMA.names)
    holes = [name for name in plain.column_names if plain[name].null_count]
    if holes:
        raise Malformed("a column has empty cells", expected="a value in each row", got=", ".join(holes))
    try:
        return plain.cast(RATED_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Malformed("a column is not of its type", expected=str(RATED_SCHEMA), got=str(error)[:200]) from None


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _names(column: pa.ChunkedArray) -> Names:
    texts = sorted(pc.unique(column).to_pylist())
    codes = pc.index_in(column, value_set=pa.array(texts, pa.string()))
    return Names(np.asarray(codes.to_numpy(), dtype=np.int64), tuple(texts))


def _tie(table: pa.Table, numbers: dict[str, Ints]) -> Ints:
    tie = np.zeros(len(table), np.uint64)
    for name in ("quantity", "charged_quantity", "amount_micros"):
        tie = (tie ^ numbers[name].view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        tie ^= tie >> np.uint64(29)
    for name in ("route", "destination", "code"):
        tie = (tie ^ text_hashes(table[name])) * np.uint64(0xBF58476D1CE4E5B9)
        tie ^= tie >> np.uint64(32)
    return tie.view(np.int64)
