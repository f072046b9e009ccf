"""Does the watchdog end what it guards, and all that this has started, and keep whole state files only?"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import watchdog
from deploy.watchdog import kept_copy, whole

SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
WRAPPER = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); " + (
    "print(child.pid, flush=True); child.wait()"
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"


def test_a_half_written_file_is_not_whole(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert whole(state) is None
    for half in ("", "{", '{"a": "b'):
        state.write_text(half)
        assert whole(state) is None
    state.write_text('{"a": 1}')
    assert whole(state) == b'{"a": 1}'


def test_a_half_written_state_never_replaces_the_kept_one(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"height": 1}')
    seen = watchdog._keep(state, 0)
    state.write_text('{"heig')
    os.utime(state, ns=(1, 1))
    assert watchdog._keep(state, seen) == seen
    assert kept_copy(state).read_text() == '{"height": 1}'


def test_the_command_ends_when_the_parents_pipe_closes(log: Path) -> None:
    guard, pid = _guard(log, sys.executable, "-c", SLEEPER)
    _close(guard)
    assert not _is_alive(pid)


def test_what_the_command_has_started_ends_with_it(log: Path) -> None:
    guard, _ = _guard(log, sys.executable, "-c", WRAPPER)
    _wait(log.exists)
    _wait(lambda: log.read_text().strip() != "")
    grandchild = int(log.read_text())
    assert _is_alive(grandchild)
    _close(guard)
    _wait(lambda: not _is_alive(grandchild))


def test_a_command_that_will_not_end_is_killed(log: Path, tmp_path: Path) -> None:
    impatient = tmp_path / "impatient.py"
    impatient.write_text(Path(watchdog.__file__).read_text().replace("GRACE_SECONDS = 10.0", "GRACE_SECONDS = 0.1"))
    guard, pid = _guard(log, sys.executable, "-c", STUBBORN, script=impatient)
    _wait(lambda: "deaf" in log.read_text())
    _close(guard)
    assert not _is_alive(pid)


def test_the_watchdog_ends_with_its_command_and_its_exit_code(log: Path) -> None:
    guard, _ = _guard(log, sys.executable, "-c", "raise SystemExit(7)")
    assert guard.wait(30) == 7
    _close(guard)


def test_what_the_command_says_is_in_the_log(log: Path) -> None:
    guard, _ = _guard(log, sys.executable, "-c", "print('a word')")
    guard.wait(30)
    assert log.read_text() == "a word\n"
    _close(guard)


def _guard(log: Path, *command: str, script: Path | None = None) -> "tuple[subprocess.Popen[bytes], int]":
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", str(script or watchdog.__file__), "-", str(log), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert guard.stdout is not None
    return guard, int(guard.stdout.readline())


def _close(guard: "subprocess.Popen[bytes]") -> None:
    assert guard.stdin is not None and guard.stdout is not None
    guard.stdin.close()
    guard.wait(30)
    guard.stdout.close()


def _is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _wait(done, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
