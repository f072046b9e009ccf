"""How does a sketch travel to the other side? A Parquet file: one row a cell, its parameters in the metadata."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import Malformed
from reconciliation.sketching.sketch import MAX_CELLS, Sketch, SketchOf

_FORMAT = b"gsc.sketch.1"
_SCHEMA = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("count", "key", "value", "check")])
_MOST_RECORDS = 2**40


def write_sketch(sketch: Sketch, path: Path) -> None:
    """Write the file; 32 bytes a cell before compression."""
    metadata = {
        b"format": _FORMAT,
        b"of": sketch.of.value.encode(),
        b"seed": f"{sketch.seed:016x}".encode(),
        b"records": str(sketch.records).encode(),
    }
    columns = [pa.array(np.ascontiguousarray(column)) for column in sketch.cells.T]
    table = pa.Table.from_arrays(columns, schema=_SCHEMA).replace_schema_metadata(metadata)
    pq.write_table(table, path, compression="zstd")


def read_sketch(path: Path) -> Sketch:
    """Read a file that may come from a carrier that means harm: columns and rows are checked before they take memory.
    Raises Malformed."""
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            if schema.remove_metadata() != _SCHEMA or not 0 < rows <= MAX_CELLS:
                raise _no_sketch(f"{rows} rows of {', '.join(schema.names[:8])}")
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise _no_sketch(str(error)[:200]) from None
    cells = np.column_stack([table[name].to_numpy() for name in _SCHEMA.names])
    return _with_parameters(schema.metadata or {}, cells)


def _with_parameters(metadata: dict[bytes, bytes], cells: np.ndarray[tuple[int, int], np.dtype[np.uint64]]) -> Sketch:
    try:
        of, seed = SketchOf(metadata[b"of"].decode()), int(metadata[b"seed"].decode("ascii"), 16)
        records = int(metadata[b"records"].decode("ascii"))
        known = metadata[b"format"] == _FORMAT and 0 <= seed < 2**64 and 0 <= records < _MOST_RECORDS
    except (KeyError, ValueError) as error:
        raise _no_sketch(str(error)[:80]) from None
    if not known:
        raise _no_sketch("other parameters")
    return Sketch(of, seed, records, np.ascontiguousarray(cells))


def _no_sketch(got: str) -> Malformed:
    return Malformed("not a sketch", expected="a file made by `gsc sketch`", got=got)
