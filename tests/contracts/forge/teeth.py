"""Would the rules notice a fault? `python -m tests.contracts.forge.teeth`: each is planted; its rule must end a run.

A faulty copy of the contracts stands beside a copy of the months; forge runs them until the rule that faults.toml names
refuses. Where forge is not installed this says so and ends with 0.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.node import ROOT
from deploy.solidity import read_sources
from tests.contracts.forge.__main__ import CONFIG, FORGE, STEPS, command, told

HERE = Path(__file__).parent
STAGE = ROOT / "build" / "forge"
RUNS, DEPTH = 40, 300


@dataclass(frozen=True, slots=True)
class Fault:
    """What is changed below contracts/, and the rule that must notice."""

    rule: str
    file: str
    good: str
    """Stands in the file exactly once."""
    bad: str


def read_faults(text: str) -> Sequence[Fault]:
    """Every fault of faults.toml, in its order."""
    return [Fault(**entry) for entry in tomllib.loads(text)["fault"]]


def plant(sources: Mapping[str, str], fault: Fault) -> Mapping[str, str]:
    """The sources with the fault in them. Raises ValueError if its patch does not apply."""
    path = f"contracts/{fault.file}"
    places = sources.get(path, "").count(fault.good)
    if places != 1:
        raise ValueError(f"the fault against '{fault.rule}' fits {places} places in {path}, expected 1: {fault.good}")
    return {**sources, path: sources[path].replace(fault.good, fault.bad)}


def ended_by(fault: Fault) -> str:
    """What ended the months with this fault: a rule's words, or nothing if they went on to their end."""
    shutil.rmtree(STAGE / "tree", ignore_errors=True)
    months = {f"months/{path.name}": path.read_text(encoding="utf-8") for path in HERE.glob("*.sol")}
    for path, text in {**plant(read_sources(), fault), **months}.items():
        target = STAGE / "tree" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace('"contracts/', '"../contracts/'), encoding="utf-8")
    places = {
        "FOUNDRY_SRC": "build/forge/tree/contracts",
        "FOUNDRY_TEST": "build/forge/tree/months",
        "FOUNDRY_OUT": "build/forge/out",
        "FOUNDRY_CACHE_PATH": "build/forge/cache",
        "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": "build/forge/invariant",
        "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0",
    }
    shutil.rmtree(STAGE / "invariant", ignore_errors=True)
    STEPS.parent.mkdir(parents=True, exist_ok=True)
    env = told(RUNS, DEPTH, 1) | places
    ran = subprocess.run(command(), cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    found = re.search(r"\[FAIL: ([^\]]*)\]", ran.stdout)
    if found is None and "[PASS]" not in ran.stdout:
        raise RuntimeError(f"forge did not run with {CONFIG.name}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return found[1] if found else ""


def main(rules: Sequence[str]) -> int:
    """0 if each fault is ended by its rule; with arguments, only the faults of these rules."""
    if not FORGE.exists():
        print("forge is not installed for this platform: teeth not shown (package.json, optionalDependencies)")
        return 0
    faults = [
        fault
        for fault in read_faults((HERE / "faults.toml").read_text(encoding="utf-8"))
        if not rules or fault.rule in rules
    ]
    living = 0
    for fault in faults:
        ended = ended_by(fault)
        living += fault.rule not in ended
        print(f"{fault.file}: {ended or 'NOTHING ended it'} (expected: {fault.rule})", flush=True)
    print(f"{len(faults) - living} of {len(faults)} faults end in their rule")
    return 1 if living or not faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
