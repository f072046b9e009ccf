"""Do the demo's processes end with it, and does a later run begin afresh?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import Unavailable
from scripts.demo.processes import Folder, await_health, free_ports

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
RUN = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born ignoring it
from scripts.demo.processes import Folder
with Folder(Path(sys.argv[1])) as folder:
    print(folder.start("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {}).pid, flush=True)
    time.sleep(600)
"""


def _until(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_leaving_the_folder_ends_its_processes(tmp_path: Path) -> None:
    with Folder(tmp_path / "demo") as folder:
        pid = folder.start("sleeper", SLEEPER, {}).pid
        assert not _gone(pid)
    assert _gone(pid)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_process_and_the_next_run_begins_afresh(how: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        (tmp_path / "demo" / "network.toml").write_text("{}")
        run.send_signal(how)
    with Folder(tmp_path / "demo") as folder:
        assert _until(lambda: _gone(pid))
        assert sorted(path.name for path in folder.path.iterdir()) == ["lock"]


def test_a_folder_with_files_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(Unavailable, match=r"thesis\.txt"), Folder(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_process_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with Folder(tmp_path / "demo") as folder:
        failing = folder.start("CN-T", (sys.executable, "-c", "raise SystemExit('no key')"), {})
        with pytest.raises(Unavailable, match=r"CN-T does not answer.*no key"):
            await_health(failing, f"http://127.0.0.1:{free_ports(1)[0]}")


def test_free_ports_are_all_different() -> None:
    assert len(set(free_ports(5))) == 5
