"""Which earlier import holds the very records of this one, though its bytes are others?"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.month.slicing import Slice, SliceKey
from ledger.store.imports import Import, import_of, usage_of
from ledger.usage import USAGE_SCHEMA

_TIMES = ["start_ms", "quantity"]
_RECORD = [name for name in USAGE_SCHEMA.names if name != "line"]
"""Where a record stands in its file is no part of it."""


def held_before(connection: Connection, home: Path, kept: Mapping[SliceKey, Slice]) -> Import | None:
    """The earliest import that holds exactly these records in every slice, in whatever order; None if there is none.

    What was cut into other spans of days, or is held in part only, is not found.
    """
    earlier: dict[int, dict[str, Path]] = defaultdict(dict)
    for scope in {key.scope for key in kept}:
        for usage in usage_of(connection, scope):
            path = home / usage.path
            earlier[usage.import_id][path.name] = path
    slices = [path for each in kept.values() for path in each.paths]
    for import_id, files in sorted(earlier.items()):
        if slices and all(_are_same(path, files.get(path.name)) for path in slices):
            return import_of(connection, import_id)
    return None


def forget(kept: Mapping[SliceKey, Slice]) -> None:
    """Remove slices that nothing speaks of."""
    for each in kept.values():
        for path in each.paths:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


def _are_same(path: Path, held: Path | None) -> bool:
    """Whether two usage files hold the same records; a file is not another one's repeat if it is that one."""
    if held is None or held == path or not held.exists():
        return False
    if pq.read_metadata(held).num_rows != pq.read_metadata(path).num_rows:
        return False
    return _agree(path, held, _TIMES) and _agree(path, held, _RECORD)


def _agree(path: Path, held: Path, columns: list[str]) -> bool:
    ours, theirs = (pq.read_table(each, columns=columns).replace_schema_metadata(None) for each in (path, held))
    order = [(name, "ascending") for name in columns]
    return bool(ours.equals(theirs) or ours.sort_by(order).equals(theirs.sort_by(order)))
