"""Who ends a chain when the program that started it is gone? Run as a script: `python watchdog.py LOG COMMAND...`.

It starts the command, says its process id on standard output, and waits. When standard input closes, which the kernel
does however the parent ends (kill -9 too), it asks the command to end, and insists after a grace. If the watchdog is
killed itself, Linux ends the command. Standard library only: it starts in a few hundredths of a second.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

GRACE_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> int:
    """Guard one command; the exit code is the command's."""
    log_path, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; its end is our end
    with open(log_path, "ab") as log:  # noqa: PTH123  pathlib would double the start-up time
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent(), close_fds=True
        )
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
    _wait_for_parent_or_child(child)
    if child.poll() is None:
        _end(child)
    return child.wait()


def _wait_for_parent_or_child(child: "subprocess.Popen[bytes]") -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    stdin = sys.stdin.fileno()
    while child.poll() is None:
        readable, _, _ = select.select([stdin, woken], [], [])
        if stdin in readable and not os.read(stdin, 64):
            return
        if woken in readable:
            os.read(woken, 64)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, a hook that has the kernel kill the child when the watchdog dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) and None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
