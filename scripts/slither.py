"""Does slither find a known kind of fault in the contracts? `make slither`; the list and its exceptions are committed.

tests/contracts/slither/detectors.toml names the detectors, the findings that are no faults with their reasons, and what
must be found in Planted.sol so that a run has shown something. A finding without an exception fails, and so does an
exception without a finding. slither compiles with the compiler of everything else.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deploy.compiler import solc_program
from deploy.node import ROOT
from deploy.solidity import SETTINGS, read_sources
from scripts.proof_tools import TOOLS, install_tools

FOLDER = ROOT / "tests" / "contracts" / "slither"
PLANTED = "tests/contracts/slither/Planted.sol"


class Finding(NamedTuple):
    """What slither says, and of which place: "Netting.net"."""

    detector: str
    place: str


class Policy(NamedTuple):
    """What is looked for, what must be found, and what is no fault."""

    detectors: Sequence[str]
    planted: frozenset[str]
    reasons: Mapping[Finding, str]


def read_policy(text: str) -> Policy:
    """The committed list. Raises ValueError if an exception is given twice or its detector is not on the list."""
    given = tomllib.loads(text)
    excepted = [
        (Finding(entry["detector"], place), entry["reason"])
        for entry in given["exception"]
        for place in entry["places"]
    ]
    if len(dict(excepted)) != len(excepted):
        raise ValueError("an exception stands twice in detectors.toml")
    strange = {finding.detector for finding, _ in excepted}.union(given["planted"]).difference(given["detectors"])
    if strange:
        raise ValueError(f"not in the list of detectors: {', '.join(sorted(strange))}")
    return Policy(given["detectors"], frozenset(given["planted"]), dict(excepted))


def judge(found: frozenset[Finding], policy: Policy) -> Iterator[str]:
    """One sentence for each fault, each exception that nobody needs, and each planted fault that was not found."""
    in_plant = {finding for finding in found if finding.place.split(".")[0] == "Planted"}
    for finding in sorted(found - in_plant - policy.reasons.keys()):
        yield f"{finding.detector} in {finding.place}"
    for finding in sorted(policy.reasons.keys() - found):
        yield f"the exception for {finding.detector} in {finding.place} is not needed any more: take it out"
    for detector in sorted(policy.planted - {finding.detector for finding in in_plant}):
        yield f"{detector} was planted in {PLANTED} and not found: the run shows nothing"


def read_findings(answer: Mapping[str, Any]) -> frozenset[Finding]:
    """What slither's JSON says. Raises RuntimeError if slither failed."""
    if not answer["success"]:
        raise RuntimeError(f"slither failed: {answer['error']}")
    return frozenset(
        Finding(said["check"], _place(said["elements"][0])) for said in answer["results"].get("detectors", ())
    )


def _place(element: Mapping[str, Any]) -> str:
    parent = element.get("type_specific_fields", {}).get("parent")
    if parent is None or parent["type"] == "file":
        return str(element["name"])
    return _place(parent) if element["type"] == "node" else f"{_place(parent)}.{element['name']}"


def run_slither(policy: Policy) -> Mapping[str, Any]:
    """slither's answer about the contracts and the plant."""
    sources = {**read_sources(), PLANTED: (ROOT / PLANTED).read_text(encoding="utf-8")}
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": dict(SETTINGS),
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "contracts.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        command = [str(TOOLS / "slither"), str(asked), "--compile-force-framework", "solc-json"]
        command += ["--solc", str(solc_program()), "--solc-disable-warnings", "--filter-paths", "node_modules"]
        command += ["--detect", ",".join(policy.detectors), "--json", str(answered)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not answered.exists():
            raise RuntimeError(f"slither did not run: {ran.stderr[-2000:]}")
        answer: Mapping[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
        return answer


def main() -> int:
    """0 if nothing is found that is not excepted."""
    if not install_tools():
        return 0
    policy = read_policy((FOLDER / "detectors.toml").read_text(encoding="utf-8"))
    found = read_findings(run_slither(policy))
    faults = list(judge(found, policy))
    for fault in faults:
        print(f"slither: {fault}")
    if not faults:
        excepted = f"{len(policy.reasons)} exceptions, each still needed"
        print(f"slither: {len(policy.detectors)} detectors, {excepted}, {len(policy.planted)} planted faults found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
