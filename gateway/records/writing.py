"""How does a list of records come to be, in memory that does not grow with the month?

Both books are written once into files of a few hours each; these are put in order one after the other. Meanwhile about
30 bytes a record wait in files that the system maps into memory.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.records.layout import (
    BATCH_ROWS,
    CAUSES,
    FIELDS,
    FORMAT,
    LIST_SCHEMA,
    NO_RULE,
    NOBODY,
    Match,
)
from gateway.records.pairing import Pairs
from gateway.records.spilling import VALUES, Ints, Names, Span, Spill, spill_ours, spill_theirs
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.side import Flags

STRETCH_ROWS = 1 << 20
"""Records of one side that are put in order at once."""
_MOST_STRETCHES = 256


@dataclass(frozen=True, slots=True)
class Sides:
    """Two books to be listed: RatedTables piece by piece, in the order of their rows."""

    ours: Callable[[], Iterable[pa.Table]]
    theirs: Callable[[], Iterable[pa.Table]]
    ours_count: int
    theirs_count: int
    from_ms: int
    """No record of either starts before."""
    to_ms: int


def write_list(path: Path, sides: Sides, pairs: Pairs, stretch_rows: int = STRETCH_ROWS) -> int:
    """Write the list of both sides' records, whole or not at all; how many rows it has."""
    stretches = min(_MOST_STRETCHES, 1 + max(sides.ours_count, sides.theirs_count) // stretch_rows)
    span = Span(sides.from_ms, sides.to_ms, stretches)
    names = Names(), Names()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".list-") as folder:
        ours, theirs = Spill(Path(folder), "ours"), Spill(Path(folder), "theirs")
        placed = spill_ours(sides.ours(), span, ours, names)
        spill_theirs(sides.theirs(), span, theirs, names, pairs, placed)
        part = Path(folder) / "list.part"
        rows = _write(part, _numbered(_ordered(ours, theirs, stretches, pairs, names), pairs), names)
        part.replace(path)
    return rows


def _ordered(
    ours: Spill, theirs: Spill, stretches: int, pairs: Pairs, names: tuple[Names, Names]
) -> Iterator[pa.Table]:
    for stretch in range(stretches):
        us, them = ours.read(stretch), theirs.read(stretch)
        if us is not None or them is not None:
            yield _rows(_or_empty(us), _or_empty(them), pairs, names)


def _numbered(tables: Iterable[pa.Table], pairs: Pairs) -> Iterator[pa.Table]:
    first = 1
    for table in tables:
        pairs.number(first, table["ours_row"].to_numpy(), table["theirs_row"].to_numpy())
        first += len(table)
        yield table


def _or_empty(table: pa.Table | None) -> pa.Table:
    if table is not None:
        return table
    texts = {"a_party", "b_party", "route", "destination", "code"}
    columns = ("row", "owner", *VALUES)
    return pa.schema([(name, pa.string() if name in texts else pa.int64()) for name in columns]).empty_table()


def _rows(us: pa.Table, them: pa.Table, pairs: Pairs, names: tuple[Names, Names]) -> pa.Table:
    """The rows of one stretch (LIST_SCHEMA), in order of their start."""
    our_at, their_at = _aligned(us, them)
    start = np.where(our_at >= 0, _ints(us["start_ms"], our_at), _ints(them["start_ms"], their_at))
    our_row, their_row = _ints(us["row"], our_at, NOBODY), _ints(them["row"], their_at, NOBODY)
    order = np.lexsort((their_row, our_row, start))
    our_at, their_at, start = our_at[order], their_at[order], start[order]
    our_row, their_row = our_row[order], their_row[order]
    ours, theirs = us.take(_optional(our_at)), them.take(_optional(their_at))
    both = (our_at >= 0) & (their_at >= 0)
    either = {name: pc.coalesce(ours[name], theirs[name]) for name in ("a_party", "b_party", "destination", "route")}
    columns = {
        "start_ms": start,
        "match": _match(ours, theirs, our_row, both, pairs),
        "rule": np.where(both, pairs.rules[our_row], NO_RULE),
        "causes": np.where(our_row >= 0, pairs.our_causes[our_row], 0)
        | np.where(their_row >= 0, pairs.their_causes[their_row], 0),
        "differing": _differing(ours, theirs, both),
        "destination": names[0].codes(either["destination"]),
        "route": names[1].codes(either["route"]),
        "a_hash": short_hashes(either["a_party"]),
        "b_hash": short_hashes(either["b_party"]),
        "other_hash": _other(ours, theirs, both),
        "ours_row": our_row,
        "theirs_row": their_row,
        "offset_ms": np.where(both, pairs.offsets_ms[our_row], 0),
        "a_party": either["a_party"],
        "b_party": either["b_party"],
    }
    for side, table in (("ours", ours), ("theirs", theirs)):
        for name, of in (("start_ms", "start_ms"), ("quantity", "quantity"), ("micros", "amount_micros")):
            columns[f"{side}_{name}"] = table[of].fill_null(0)
    arrays = [_array(columns[field.name]).cast(field.type) for field in LIST_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=LIST_SCHEMA)


def _aligned(us: pa.Table, them: pa.Table) -> tuple[Ints, Ints]:
    """For each row of the list its place in `us` and in `them`, -1 where that side has none."""
    owner, rows = them["owner"].to_numpy(), us["row"].to_numpy()
    paired = np.flatnonzero(owner != NOBODY)
    theirs = np.full(len(us), NOBODY, np.int64)
    theirs[np.searchsorted(rows, owner[paired])] = paired
    alone = np.flatnonzero(owner == NOBODY)
    return np.concatenate([np.arange(len(us)), np.full(len(alone), NOBODY)]), np.concatenate([theirs, alone])


def _match(ours: pa.Table, theirs: pa.Table, our_row: Ints, both: Flags, pairs: Pairs) -> Ints:
    same = _filled(pc.equal(ours["amount_micros"], theirs["amount_micros"]))
    found = pairs.classes[our_row].astype(np.int64)
    found[(found == Match.EXACT) & ~same] = Match.MISMATCH
    alone = np.where(our_row >= 0, int(Match.MISSING_AT_THEIRS), int(Match.MISSING_AT_OURS))
    matched: Ints = np.where(both, found, alone)
    return matched


def _differing(ours: pa.Table, theirs: pa.Table, both: Flags) -> Ints:
    bits = np.zeros(len(ours), np.int64)
    for at, name in enumerate(FIELDS):
        left, right = ours[name], theirs[name]
        if name == "start_ms":
            left, right = pc.divide(left, 1000), pc.divide(right, 1000)
        bits |= np.where(both & _filled(pc.not_equal(left, right)), 1 << at, 0)
    return bits


def _other(ours: pa.Table, theirs: pa.Table, both: Flags) -> Ints:
    other = both & _filled(pc.not_equal(ours["a_party"], theirs["a_party"]))
    hashes: Ints = np.where(other, short_hashes(theirs["a_party"].fill_null("")), 0)
    return hashes


def short_hashes(texts: pa.ChunkedArray) -> Ints:
    """32 bits of each text's hash, never 0."""
    hashes: Ints = np.maximum(text_hashes(texts) >> np.uint64(32), np.uint64(1)).astype(np.int64)
    return hashes


def _ints(column: pa.ChunkedArray, at: Ints, empty: int = 0) -> Ints:
    out = np.full(len(at), empty, np.int64)
    out[at >= 0] = column.to_numpy()[at[at >= 0]]
    return out


def _optional(at: Ints) -> pa.Array:
    return pa.array(at, mask=at < 0)


def _filled(flags: pa.ChunkedArray) -> Flags:
    filled: Flags = flags.fill_null(False).to_numpy()
    return filled


def _array(column: Ints | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pa.array(column) if isinstance(column, np.ndarray) else column


def _write(path: Path, tables: Iterable[pa.Table], names: tuple[Names, Names]) -> int:
    """Batches of BATCH_ROWS, but for the last. The names are all known by now: the books were read."""
    said = {
        b"format": FORMAT,
        b"causes": json.dumps(CAUSES).encode(),
        b"destinations": json.dumps(list(names[0].places)).encode(),
        b"routes": json.dumps(list(names[1].places)).encode(),
    }
    rows, left = 0, LIST_SCHEMA.empty_table()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, LIST_SCHEMA.with_metadata(said)) as writer:
        for table in tables:
            left = pa.concat_tables([left, table])
            whole = len(left) // BATCH_ROWS * BATCH_ROWS
            if whole:
                writer.write_table(left.slice(0, whole).combine_chunks(), BATCH_ROWS)
            rows, left = rows + whole, left.slice(whole)
        if len(left):
            writer.write_table(left.combine_chunks(), BATCH_ROWS)
    return rows + len(left)
