"""Would the tests notice if a control were gone? `python -m tests.contracts.mutants [--quick] [NAME ...]`.

Each fault is planted, and the tests of its contract run against it in memory until one fails: the fault is dead. Those
that live are listed by name. Ends with 1 if fewer than 95 % die, a patch does not apply or the honest contracts fail.
"""

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ledger.errors import GscError
from tests.contracts.planting import PLANTED, Fault, compile_faults, read_faults

TESTS = Path(__file__).parent.parent
LEAST_SHARE = 95
"""Percent of the faults that must die."""


class Planting:
    """Tells a run of pytest which codes to use, keeps it to one engine and remembers the test that failed."""

    def __init__(self, codes: Mapping[str, bytes]) -> None:
        self._codes = codes
        self.passed = 0
        self.failed: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[PLANTED] = self._codes

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "ganache" not in item.name]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid.rsplit("::", 1)[-1])
        elif report.when == "call" and report.passed:
            self.passed += 1


def run(files: Sequence[str], codes: Mapping[str, bytes]) -> Planting:
    """Run test files with these codes until the first failure. Raises RuntimeError if they could not run."""
    planting = Planting(codes)
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", f"--rootdir={TESTS.parent.parent}"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        ended = pytest.main([*options, *(str(TESTS / file) for file in files)], plugins=[planting])
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests did not run: {ended!r}\n{said.getvalue()}")
    if ended == pytest.ExitCode.OK and planting.passed == 0:
        raise RuntimeError(f"no test ran in {', '.join(files)}")
    return planting


def honest(faults: Sequence[Fault]) -> None:
    """All tests that the faults name pass without a fault. Ends the command if they do not."""
    files = sorted({file for fault in faults for file in fault.tests})
    found = run(files, {})
    if found.failed:
        sys.exit(f"the tests fail without a fault: {found.failed[0]}")
    print(f"honest contracts: {found.passed} tests pass", flush=True)


def survivors(faults: Sequence[Fault]) -> list[Fault]:
    """Plant each; say which test it dies of. Returns those that live."""
    codes, living = compile_faults(faults), []
    for fault in faults:
        found = run(fault.tests, {fault.contract: codes[fault.name]})
        if not found.failed:
            living.append(fault)
        fate = f"dies of {found.failed[0]}" if found.failed else f"LIVES through {found.passed} tests"
        print(f"{fault.contract:16} {fault.name}: {fate}", flush=True)
    return living


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutants", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fault or two for each contract")
    parser.add_argument("names", nargs="*", help="only these faults")
    wanted = parser.parse_args(arguments)
    started = time.monotonic()
    faults = [
        fault
        for fault in read_faults()
        if (not wanted.quick or fault.quick) and (not wanted.names or fault.name in wanted.names)
    ]
    if not faults:
        sys.exit("no such fault")
    try:
        honest(faults)
        living = survivors(faults)
    except GscError as refused:
        sys.exit(str(refused))
    dead = len(faults) - len(living)
    print(f"{dead} of {len(faults)} faults die ({time.monotonic() - started:.0f} s)")
    for fault in living:
        print(f"  lives: {fault.name}. {fault.says}")
    if 100 * dead < LEAST_SHARE * len(faults):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
