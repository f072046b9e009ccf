"""Does every function that moves an amount do so exactly, for all values? `make halmos`: symbolic proofs, with teeth.

The properties stand in tests/contracts/proofs/*.sol: halmos proves each within the bounds it names. Then it meets
copies of the contracts, each with a fault from faults.toml, and must refute the property that the fault breaks. A
property without a fault is an error: it could be true of anything. With names as arguments, only those properties.
"""

import json
import os
import posixpath
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.compiler import solc_program
from deploy.node import ROOT
from deploy.solidity import read_sources
from scripts.proof_tools import FORGE, TOOLS, install_tools

PROOFS = ROOT / "tests" / "contracts" / "proofs"
STAGE = ROOT / "build" / "proofs"
PROVEN, REFUTED = 0, 1
"""halmos's words for one property; anything else is a timeout or a failure."""
SECONDS_FOR_ONE_ANSWER = 120
CONTRACT = re.compile(r"^contract (\w+Checks)\b", re.MULTILINE)
CHECK = re.compile(r"\bfunction (check_\w+)\(")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is changed below contracts/, and the property that must notice."""

    check: str
    file: str
    good: str
    """Stands in the file exactly once."""
    bad: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What halmos found about one property."""

    check: str
    code: int
    seconds: float
    paths: int


def read_faults(text: str) -> Sequence[Fault]:
    """Every fault of faults.toml, in its order."""
    return [Fault(**entry) for entry in tomllib.loads(text)["fault"]]


def plant(sources: Mapping[str, str], fault: Fault) -> Mapping[str, str]:
    """The sources with the fault in them. Raises ValueError if its patch does not apply."""
    path = f"contracts/{fault.file}"
    places = sources.get(path, "").count(fault.good)
    if places != 1:
        raise ValueError(f"the fault of {fault.check} fits {places} places in {path}, expected 1: {fault.good}")
    return {**sources, path: sources[path].replace(fault.good, fault.bad)}


def only(harness: str, check: str, number: int) -> str:
    """The harness with one property, under a name of its own, over the faulty copy beside it."""
    renamed = CONTRACT.sub(rf"contract \g<1>_{number}", harness)
    alone = CHECK.sub(lambda found: found[0] if found[1] == check else f"function un{found[1]}(", renamed)
    return alone.replace('"contracts/', '"../contracts/')


def needed(sources: Mapping[str, str], path: str) -> Mapping[str, str]:
    """The sources that one of them imports, itself included: halmos waits for the compiler longest."""
    found: dict[str, str] = {}
    waiting = [path]
    while waiting:
        at = waiting.pop()
        if at in sources and at not in found:
            found[at] = sources[at]
            folder = posixpath.dirname(at)
            names = re.findall(r'from\s+"([^"]+)"', sources[at])
            waiting += [posixpath.normpath(posixpath.join(folder, name)) if name[0] == "." else name for name in names]
    return found


def unequal(checks: Sequence[str], faults: Sequence[Fault]) -> Sequence[str]:
    """The properties without a fault, and the faults without a property."""
    return sorted(set(checks).symmetric_difference(fault.check for fault in faults))


def stage(faults: Sequence[Fault]) -> None:
    """Write a faulty copy of the contracts for each fault, with the one property that must notice."""
    shutil.rmtree(STAGE, ignore_errors=True)
    sources = read_sources()
    harnesses = {path.name: path.read_text(encoding="utf-8") for path in sorted(PROOFS.glob("*.sol"))}
    for number, fault in enumerate(faults):
        home = next(name for name, text in harnesses.items() if f"function {fault.check}(" in text)
        planted = {**plant(sources, fault), **{f"proofs/{name}": text for name, text in harnesses.items()}}
        for path, text in needed(planted, f"proofs/{home}").items():
            inner = only(text, fault.check, number) if path.startswith("proofs/") else text
            _write(STAGE / f"fault-{number}" / path, inner)


def run_halmos(contracts: str, checks: Sequence[str], source: Path, out: Path) -> Sequence[Outcome]:
    """halmos over the harnesses below `source` whose name matches. Raises RuntimeError if it could not run."""
    answer = out / "answer.json"
    answer.parent.mkdir(parents=True, exist_ok=True)
    answer.unlink(missing_ok=True)
    command = [str(TOOLS / "halmos"), "--root", str(ROOT), "--forge-build-out", str((out / "out").relative_to(ROOT))]
    command += ["--match-contract", contracts, "--match-test", _any_of(checks), "--json-output", str(answer)]
    command += ["--solver-command", shlex.join([str(TOOLS / "python"), str(PROOFS / "solver.py")])]
    command += ["--solver-timeout-assertion", f"{SECONDS_FOR_ONE_ANSWER}s", "--early-exit", "--no-status"]
    told = {
        "FOUNDRY_CONFIG": str(PROOFS / "foundry.toml"),
        "FOUNDRY_SOLC": str(solc_program()),
        "FOUNDRY_SRC": str(source.relative_to(ROOT)),
        "FOUNDRY_TEST": str(source.relative_to(ROOT)),
        "FOUNDRY_OUT": str((out / "out").relative_to(ROOT)),
        "FOUNDRY_CACHE_PATH": str((out / "cache").relative_to(ROOT)),
        "PATH": os.pathsep.join((str(FORGE.parent), os.environ.get("PATH", os.defpath))),
    }
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True, check=False)
    if not answer.exists():
        raise RuntimeError(f"halmos did not run:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
    return _read(json.loads(answer.read_text(encoding="utf-8")))


def tell(outcomes: Sequence[Outcome], expected: int, word: str) -> Sequence[str]:
    """Say what came of each property; returns those of which something else came."""
    others = []
    for outcome in outcomes:
        if outcome.code != expected:
            others.append(outcome.check)
        came = word if outcome.code == expected else f"NOT {word} (halmos: {outcome.code})"
        print(f"{came} {outcome.check} ({outcome.seconds:.0f} s, {outcome.paths} paths)", flush=True)
    return others


def main(names: Sequence[str]) -> int:
    """0 if every property is proven of the contracts and refuted of the copy with its fault."""
    if not FORGE.exists():
        print("forge is not installed for this platform: proofs not run (package.json, optionalDependencies)")
        return 0
    if not install_tools():
        return 0
    started = time.monotonic()
    faults = read_faults((PROOFS / "faults.toml").read_text(encoding="utf-8"))
    checks = [name for path in sorted(PROOFS.glob("*.sol")) for name in CHECK.findall(path.read_text(encoding="utf-8"))]
    if lone := unequal(checks, faults):
        print(f"a property without a fault, or a fault without a property: {', '.join(lone)}")
        return 1
    wanted = [fault for fault in faults if not names or fault.check in names]
    stage(wanted)
    asked = [fault.check for fault in wanted]
    proven = run_halmos("Checks$", asked, PROOFS, ROOT / "node_modules" / ".cache" / "proofs")
    wrong = [*tell(proven, PROVEN, "proven")]
    refuted = run_halmos(r"Checks_\d+$", asked, STAGE, STAGE / "built")
    wrong += tell(refuted, REFUTED, "refuted with its fault:")
    wrong += [check for found in (proven, refuted) for check in asked if check not in {of.check for of in found}]
    seconds = time.monotonic() - started
    print(f"{len(asked)} properties, each met with its fault: {len(wrong)} not as they should be ({seconds:.0f} s)")
    return 1 if wrong or not asked else 0


def _any_of(checks: Sequence[str]) -> str:
    """halmos puts check_ before the pattern."""
    return f"({'|'.join(check.removeprefix('check_') for check in checks)})\\("


def _read(answer: Mapping[str, Any]) -> Sequence[Outcome]:
    return [
        Outcome(result["name"].split("(")[0], result["exitcode"], result["time"][0], result["num_paths"][0])
        for results in answer["test_results"].values()
        for result in results
    ]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
