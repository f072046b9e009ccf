"""Would the tests notice if a control were gone? A few faults here, all of them by `make mutants`."""

import subprocess
import sys
from dataclasses import replace

import pytest

from deploy.node import ROOT
from deploy.solidity import read_sources
from ledger.errors import Malformed
from tests.contracts.planting import plant, read_faults

FEWEST = 100
QUICK_SECONDS = 900


def test_a_patch_that_no_longer_applies_is_an_error() -> None:
    fault = replace(read_faults()[0], good="a control that moved")
    with pytest.raises(Malformed, match="does not apply"):
        plant(read_sources(), fault)


def test_a_patch_with_two_places_is_an_error() -> None:
    fault = replace(read_faults()[0], good="revert ")
    with pytest.raises(Malformed, match="does not apply"):
        plant(read_sources(), fault)


def test_every_patch_finds_its_one_place_and_changes_it() -> None:
    sources, faults = read_sources(), read_faults()
    assert len(faults) >= FEWEST
    for fault in faults:
        assert plant(sources, fault) != sources
        assert fault.says.endswith(".")


def test_the_quick_faults_die() -> None:
    """In a process of its own: pytest runs in it once for each fault."""
    command = [sys.executable, "-m", "tests.contracts.mutants", "--quick"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=QUICK_SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "LIVES" not in ran.stdout
    assert ran.stdout.count("dies of") == sum(fault.quick for fault in read_faults())
