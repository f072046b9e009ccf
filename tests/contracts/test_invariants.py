"""Do the rules of the books hold after random months under forge? A short run; `make invariants` is the long one."""

import re
import subprocess
import sys

import pytest

from deploy.node import ROOT
from tests.contracts.forge.__main__ import FORGE, SHORT

SECONDS = 900


@pytest.mark.skipif(not FORGE.exists(), reason="forge is not installed for this platform")
def test_invariants_hold_and_no_step_reverts() -> None:
    command = [sys.executable, "-m", "tests.contracts.forge"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    runs, depth, _ = SHORT
    counted = re.findall(r"\[PASS\] invariant_\w+\(\) \(runs: (\d+), calls: (\d+), reverts: (\d+)\)", ran.stdout)
    assert counted == [(str(runs), str(runs * depth), "0")]
