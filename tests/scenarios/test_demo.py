"""Does the demonstration settle its month, on both engines, also after an earlier run was killed?"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.exposing import broken_exposures, exposures_of
from gateway.settings import load_settings
from ledger.store.engine import open_store, reading

ROOT = Path(__file__).resolve().parents[2]
CALLS, SEED = "1500", "11"
STEPS = ["prepare", "agree", "import", "rate", "seal", "declare", "close", "reveal", "reconcile", "arbitrage"]
STEPS += ["dispute", "accept", "net", "pay", "age"]
ON_ANVIL = ("--engine", "anvil")
ENDINGS = {"prepare": signal.SIGINT, "declare": signal.SIGKILL, "dispute": signal.SIGINT}
"""How a run ends in which step, in this order; sealing on the other engine has a test of its own."""
PROBLEMS = {"credit limits", "forgery: altered", "forgery: invented", "reconciliation", "arbitrage", "arrears"}


def _command(home: Path, *more: str) -> Sequence[str]:
    return [
        sys.executable,
        "-m",
        "scripts.demo",
        "--exit",
        "--calls",
        CALLS,
        "--seed",
        SEED,
        "--home",
        str(home),
        *more,
    ]


def _processes_of(home: Path) -> list[int]:
    """Processes that name the demo's folder on their command line, ours aside."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(home) in command:
                found.append(int(entry.name))
    return found


def _settled(home: Path, *more: str) -> dict[str, Any]:
    """Run to the end; the summary of its last line."""
    run = subprocess.run(_command(home, *more), cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    summary: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return summary


@pytest.mark.chain
def test_a_killed_demo_leaves_no_process_and_the_next_run_settles_the_month(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with subprocess.Popen(
        _command(home), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        assert any("seal" in line for line in run.stdout), "it ended before it came to sealing"
        assert len(_processes_of(home)) > 3
        run.send_signal(signal.SIGKILL)
    summary = _settled(home)
    assert summary["ok"] is True
    assert [step["step"] for step in summary["steps"]] == STEPS
    assert all(step["ok"] and (step["checks"] > 0 or step["step"] == "prepare") for step in summary["steps"])
    assert summary["problems"].keys() == PROBLEMS
    deadline = time.monotonic() + 20
    while _processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_of(home) == []


@pytest.mark.chain
def test_the_month_settles_on_anvil_too_after_runs_ended_early_midway_and_late(tmp_path: Path) -> None:
    """Each run starts over what the one before it left behind."""
    home = tmp_path / "demo"
    for step, ending in ENDINGS.items():
        left = _ended_in(step, ending, home)
        if ending is signal.SIGINT:
            summary = json.loads(left.splitlines()[-1])
            assert (summary["failure"], summary["steps"][-1]["step"]) == ("interrupted", step)
            assert _processes_of(home) == [], f"a run interrupted in {step} leaves a process"
    assert _settled(home, *ON_ANVIL)["ok"] is True
    assert _processes_of(home) == []
    for carrier in ("cn-t", "gb-b", "us-a"):
        assert _broken_exposures(home / "carriers" / carrier) == []


def _ended_in(step: str, ending: signal.Signals, home: Path) -> str:
    """Run until a step has begun, then end it: by kill -9, or as Ctrl-C does in a terminal. What it says after."""
    errors = home.with_name(f"{step}.err")
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            _command(home, *ON_ANVIL),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        ) as run,
    ):
        assert run.stdout is not None
        heading = re.compile(rf" ?\d+  {step}  ")
        assert any(heading.match(line) for line in run.stdout), f"before {step}: {errors.read_text()}"
        if ending is signal.SIGINT:
            os.killpg(run.pid, ending)
        else:
            run.send_signal(ending)
        said = run.stdout.read()
    assert run.returncode == (1 if ending is signal.SIGINT else -ending)
    return said


def _broken_exposures(home: Path) -> list[str]:
    """What the doctor's own count says of a carrier's store after the whole month."""
    store = open_store(load_settings(home).database_url)
    with reading(store) as connection:
        broken = broken_exposures(connection)
        assert exposures_of(connection)
    store.dispose()
    return broken


def test_a_folder_that_is_not_the_demos_is_refused_in_words_and_by_exit_code(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    run = subprocess.run(_command(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert json.loads(run.stdout.splitlines()[-1])["ok"] is False
    assert "thesis.txt" in run.stderr
