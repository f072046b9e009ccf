"""Do the invariants hold? `python -m tests.contracts.forge [--long]`: forge's random months; no step may revert.

One invariant compares every rule after each call; every step must have happened, and how often is told. The long run
makes 320,000 calls and compares after every eighth: what the two books disagree on, they go on disagreeing on. Forge is
an optional package of package.json; where it is not installed this says so and ends with 0.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from deploy.compiler import solc_program
from deploy.node import PACKAGES, ROOT

FORGE = PACKAGES / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
CONFIG = ROOT / "tests" / "contracts" / "forge" / "foundry.toml"
STEPS = PACKAGES / ".cache" / "forge" / "steps"
"""Where each run says how often it took each step, in a line: "declare=12;too much=9"."""
FAILURES = PACKAGES / ".cache" / "forge" / "invariant"
"""Where forge keeps a failed sequence to try it first the next time: here each run starts from the seed."""
SHORT, LONG = (2, 300, 1), (640, 500, 8)
"""Runs, steps in a run, steps from one comparison to the next."""


def command() -> Sequence[str]:
    """Forge over this repository, with the compiler of everything else."""
    return [
        str(FORGE),
        "test",
        f"--root={ROOT}",
        f"--use={solc_program()}",
        "--match-contract=InvariantsTest",
    ]


def told(runs: int, depth: int, interval: int) -> Mapping[str, str]:
    """forge's environment: where its settings stand, and how long it goes on."""
    return os.environ | {
        "FOUNDRY_CONFIG": str(CONFIG),
        "FOUNDRY_INVARIANT_RUNS": str(runs),
        "FOUNDRY_INVARIANT_DEPTH": str(depth),
        "FOUNDRY_INVARIANT_CHECK_INTERVAL": str(interval),
        "GSC_STEPS": str(STEPS),
    }


def run(runs: int, depth: int, interval: int) -> int:
    """Forge's exit code, or 1 if a step never happened; what forge says goes to standard output."""
    shutil.rmtree(FAILURES, ignore_errors=True)
    STEPS.parent.mkdir(parents=True, exist_ok=True)
    STEPS.write_text("", encoding="ascii")
    ended = subprocess.run(command(), cwd=ROOT, env=told(runs, depth, interval), check=False).returncode
    taken = count_steps(STEPS.read_text(encoding="ascii"))
    print(f"steps taken: {', '.join(f'{step} {count}' for step, count in taken.items())}")
    never = [step for step, count in taken.items() if count == 0]
    if never or not taken:
        print(f"never happened, so nothing is shown: {', '.join(never) or 'any step'}")
    return ended or int(not taken or bool(never))


def count_steps(lines: str) -> Mapping[str, int]:
    """How often each step happened in all runs together."""
    taken: Counter[str] = Counter()
    for line in lines.splitlines():
        for step, count in (entry.split("=") for entry in line.split(";")):
            taken[step] += int(count)
    return taken


def main(arguments: Sequence[str]) -> int:
    if not FORGE.exists():
        print("forge is not installed for this platform: invariants not run (package.json, optionalDependencies)")
        return 0
    return run(*(LONG if "--long" in arguments else SHORT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
