"""Who ends a chain when the program that started it is gone? Run as a script: `watchdog.py STATE LOG COMMAND...`.

It starts the command, says its process id on standard output, and waits. When standard input closes, which the kernel
does however the parent ends (kill -9 too), it asks the command to end, and insists after a grace. If the watchdog is
killed itself, Linux ends the command. Standard library only: it starts in a few hundredths of a second.

STATE is a JSON file the command rewrites in place, or "-": a kill in the middle of that leaves half a file, so the
watchdog keeps the last whole one as STATE.kept.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

GRACE_SECONDS = 10.0
KEEP_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> int:
    """Guard one command; the exit code is the command's."""
    state, log_path, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; its end is our end
    with Path(log_path).open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            preexec_fn=_die_with_parent(),
        )
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
    _wait_for_parent_or_child(child, Path(state) if state != "-" else None)
    if child.poll() is None:
        _end(child)
    _signal_group(child, signal.SIGKILL)  # whatever the command has started
    return child.wait()


def whole(path: Path) -> bytes | None:
    """The file's content if it is a whole JSON document; None if it is missing or half written."""
    try:
        content = path.read_bytes()
        json.loads(content)
    except (FileNotFoundError, ValueError):
        return None
    return content


def kept_copy(state: Path) -> Path:
    """Where the last whole content of a state file is kept."""
    return state.with_name(f"{state.name}.kept")


def _wait_for_parent_or_child(child: "subprocess.Popen[bytes]", state: Path | None) -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    stdin = sys.stdin.fileno()
    seen = 0
    while child.poll() is None:
        readable, _, _ = select.select([stdin, woken], [], [], KEEP_SECONDS if state else None)
        if stdin in readable and not os.read(stdin, 64):
            return
        if woken in readable:
            os.read(woken, 64)
        if state is not None:
            seen = _keep(state, seen)


def _keep(state: Path, seen: int) -> int:
    """Copy the state file if it changed and is whole; the time of the change that is kept."""
    changed = state.stat().st_mtime_ns if state.exists() else 0
    if changed == seen:
        return seen
    content = whole(state)
    if content is None:
        return seen
    fresh = state.with_name(f"{state.name}.new")
    fresh.write_bytes(content)
    fresh.replace(kept_copy(state))
    return changed


def _end(child: "subprocess.Popen[bytes]") -> None:
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(child, signal.SIGKILL)


def _signal_group(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        os.killpg(child.pid, number)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, a hook that has the kernel kill the child when the watchdog dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) and None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
