"""How do the bytes of an intake reach the disk?

They are appended to one file and synced before the store says so; what a crash left behind the last word is cut off.
A file is locked while it is open here, so that no sweep takes it for one that nobody knows.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from ledger.errors import Malformed
from ledger.store.intakes import Intake

WRITE_BYTES = 4 << 20
SAID_BYTES = 32 << 20
"""After so many the store is told, also while a request goes on: no more is lost with a gateway that is killed."""
MAX_BYTES = 8 << 30
"""Of one intake: months of a large carrier come in several."""


class Landing:
    """The file of an intake while bytes come."""

    def __init__(self, path: Path, received: int) -> None:
        self.waiting = bytearray()
        self._path, self._received, self._said = path, received, received
        self._file: int | None = None

    def take(self, chunk: bytes) -> None:
        """Bytes that came, to be written. Raises Malformed if they are too many."""
        if self._received + len(self.waiting) + len(chunk) > MAX_BYTES:
            raise Malformed("the intake is too long", expected=f"at most {MAX_BYTES} bytes", todo="Send it in several.")
        self.waiting += chunk

    def write(self) -> None:
        """What waits goes to the file."""
        if self._file is None:
            self._file = _open_at(self._path, self._received)
        left = memoryview(bytes(self.waiting))
        self.waiting.clear()
        while left:
            written = os.write(self._file, left)
            self._received += written
            left = left[written:]

    def write_and_say(self, say: Callable[[int, bool], Intake]) -> None:
        """What waits goes to the file; once it is much, the store is told."""
        self.write()
        if self._received - self._said >= SAID_BYTES:
            self._synced(say, complete=False)

    def settle(self, say: Callable[[int, bool], Intake], complete: bool) -> Intake:
        """Write the rest, sync, and have the store say how much is here; the file is closed, whatever comes of it."""
        try:
            self.write()
            return self._synced(say, complete=complete)
        finally:
            if self._file is not None:
                os.close(self._file)

    def _synced(self, say: Callable[[int, bool], Intake], *, complete: bool) -> Intake:
        assert self._file is not None
        os.fsync(self._file)
        _sync_folder(self._path.parent)
        self._said = self._received
        return say(self._received, complete)


def _open_at(path: Path, offset: int) -> int:
    """The file, cut off at its last word, locked; made anew if a sweep had it in hand."""
    while True:
        file = _opened(path)
        fcntl.flock(file, fcntl.LOCK_SH)
        if os.fstat(file).st_nlink:
            os.ftruncate(file, offset)
            os.lseek(file, offset, os.SEEK_SET)
            return file
        os.close(file)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)


def _sync_folder(folder: Path) -> None:
    """A new file is found again only if its folder is on disk as well."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
