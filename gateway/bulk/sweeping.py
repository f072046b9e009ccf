"""Which files of intakes does nobody wait for? Those that a crash left before their row or after their import."""

import fcntl
from contextlib import suppress
from pathlib import Path

from gateway.bulk.receiving import folder_of
from gateway.composition import Gateway
from ledger.store.engine import reading
from ledger.store.intakes import find_intake


def sweep(gateway: Gateway) -> int:
    """Remove them, but none that is open in this gateway or another process of its home; how many."""
    folder = folder_of(gateway)
    if not folder.exists():
        return 0
    return sum(_swept(gateway, path) for path in sorted(folder.iterdir()))


def _swept(gateway: Gateway, path: Path) -> bool:
    """Its row is looked for once it is locked: whoever received it had said so before letting go."""
    with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with reading(gateway.engine) as connection:
            known = find_intake(connection, path.name)
        if known is None or known.import_id is not None:
            path.unlink()
            return True
    return False
