"""A migrated, empty SQLite store in a moment: the migrations run once, every test gets a copy."""

import tempfile
from functools import cache
from pathlib import Path

from ledger.store.engine import open_store


def fresh_sqlite(folder: Path, name: str = "gsc.db") -> str:
    """The URL of a new store in a folder."""
    path = folder / name
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="gsc-store-") as folder:
        path = Path(folder) / "gsc.db"
        open_store(f"sqlite:///{path}").dispose()
        assert [each.name for each in path.parent.iterdir()] == [path.name], "the log was not merged into the file"
        return path.read_bytes()
