"""How do the demo's gateways run, and how is it made sure that none of them outlives it?

Each runs under the watchdog that also guards the local chain: when this program ends, however it ends, the kernel
closes the watchdog's input and the watchdog ends its gateway. The folder's lock is held by every watchdog too, so a
later run begins only when the last of an earlier run is gone.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import httpx

from deploy import watchdog
from ledger.errors import Unavailable

PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Guarded:
    """A process under its watchdog."""

    name: str
    guard: "subprocess.Popen[bytes]"
    pid: int
    """Of the process itself."""
    log: Path


class Folder:
    """The demo's own folder, taken for one run and emptied: `with Folder(path) as folder: ...`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: BinaryIO | None = None
        self._guarded: list[Guarded] = []

    def __enter__(self) -> Self:
        """Wait until an earlier run's processes are gone, then begin afresh. Raises Unavailable, Malformed."""
        self.path.mkdir(parents=True, exist_ok=True)
        _check_ours(self.path)
        self._lock = _locked(self.path / "lock")
        _empty(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        """End every gateway, all at once, and wait for them."""
        for each in self._guarded:
            assert each.guard.stdin is not None
            each.guard.stdin.close()
        for each in self._guarded:
            each.guard.wait()
        if self._lock is not None:
            self._lock.close()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Guarded:
        """Start a process that ends with us; what it says goes to logs/NAME.log."""
        assert self._lock is not None
        log = self.path / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__, "-", str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._lock.fileno()],
            start_new_session=True,
            env={**os.environ, **environment},
        )
        assert guard.stdout is not None
        pid = int(guard.stdout.readline() or b"0")
        guard.stdout.close()
        guarded = Guarded(name, guard, pid, log)
        self._guarded.append(guarded)
        return guarded


def await_health(process: Guarded, url: str) -> None:
    """Wait until the gateway answers. Raises Unavailable with the end of its log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.guard.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/v1/health", timeout=2.0).is_success:
                return
        time.sleep(_POLL_SECONDS)
    lines = process.log.read_text(errors="replace").strip().splitlines()[-8:]
    raise Unavailable(f"the gateway of {process.name} does not answer", got=" | ".join(lines) or "no word")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface nobody listens on, all different."""
    with contextlib.ExitStack() as probes:
        found = []
        for _ in range(count):
            probe = probes.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found.append(int(probe.getsockname()[1]))
        return found


def _locked(path: Path) -> BinaryIO:
    opened = path.open("ab")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _try_lock(opened):
        if time.monotonic() > deadline:
            opened.close()
            raise Unavailable(
                "another demo runs over this folder",
                got=path.parent.name,
                todo="End it, or give this one a folder of its own with --home DIR.",
            )
        time.sleep(_POLL_SECONDS)
    return opened


def _try_lock(opened: BinaryIO) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


OURS = frozenset({"lock", "logs", "chain", "traffic", "carriers", "network.toml"})
"""Everything a run leaves in its folder. A folder with anything else is not the demo's, and is left alone."""


def _check_ours(folder: Path) -> None:
    strange = sorted(path.name for path in folder.iterdir() if path.name not in OURS)
    if strange:
        raise Unavailable(
            "the folder holds files that are not the demo's",
            expected="an empty folder, or one of an earlier demo",
            got=", ".join(strange[:5]),
            todo="Name another with --home DIR.",
        )


def _empty(folder: Path) -> None:
    """Remove what an earlier run left, but for the lock we hold."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
