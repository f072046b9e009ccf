"""How is a fault planted in a contract? Its patch is applied to a copy of the sources, and the copy is compiled.

A patch is one search and one replacement in tests/contracts/mutants/*.toml, with a name and a sentence. One that no
longer finds its place is an error: a control that moved takes its fault along.
"""

import hashlib
import json
import posixpath
import re
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import solcx

from deploy.compiler import SOLC_VERSION, solc_program
from deploy.node import ROOT, package_file
from deploy.solidity import SETTINGS, read_sources
from ledger.errors import Malformed

MUTANTS = Path(__file__).parent / "mutants"
PLANTED = pytest.StashKey[Mapping[str, bytes]]()
"""Creation code by contract that a run of the tests uses in place of the artifacts; such a run is in memory."""
TOGETHER = 8
"""Faults in one run of the compiler: its warm-up is shared, its memory bounded."""
COMPILERS = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """What is changed in which contract, and the test files that must notice."""

    name: str
    says: str
    """What goes wrong with it, one sentence."""
    contract: str
    file: str
    """The patched source, below contracts/."""
    good: str
    """Stands in the source exactly once."""
    bad: str
    tests: tuple[str, ...]
    quick: bool = False
    """Planted in every `make test`; all are by `make mutants`."""

    def __str__(self) -> str:
        return self.name


def read_faults(folder: Path = MUTANTS) -> Sequence[Fault]:
    """Every fault, in the order of the files. Raises Malformed if two have one name."""
    faults = [fault for path in sorted(folder.glob("*.toml")) for fault in _parse(path)]
    names = [fault.name for fault in faults]
    if len(set(names)) != len(names):
        raise Malformed("two faults have one name", got=sorted({name for name in names if names.count(name) > 1}))
    return faults


def plant(sources: Mapping[str, str], fault: Fault) -> Mapping[str, str]:
    """The sources with the fault in them. Raises Malformed if its patch does not apply."""
    path = f"contracts/{fault.file}"
    places = sources.get(path, "").count(fault.good)
    if places != 1:
        raise Malformed(
            f"the patch of the fault '{fault.name}' does not apply",
            expected=f"one place in {path} that reads: {fault.good}",
            got=f"{places} places",
            todo="Write the patch for the source as it is now.",
        )
    return {**sources, path: sources[path].replace(fault.good, fault.bad)}


def compile_faults(faults: Sequence[Fault]) -> Mapping[str, bytes]:
    """Creation code of each faulty contract by the fault's name. Raises Malformed, Unavailable.

    What was compiled once is kept beside the compiler by the hash of its sources.
    """
    sources = read_sources()
    planted = {fault.name: _needed(plant(sources, fault), f"contracts/{fault.contract}.sol") for fault in faults}
    kept = {fault.name: _kept(fault, planted[fault.name]) for fault in faults}
    fresh = [fault for fault in faults if not kept[fault.name].exists()]
    with ThreadPoolExecutor(COMPILERS) as pool:
        for codes in pool.map(lambda some: _compile(some, planted), _batches(fresh)):
            for name, code in codes.items():
                kept[name].parent.mkdir(exist_ok=True)
                kept[name].write_text(code, encoding="ascii")
    return {fault.name: bytes.fromhex(kept[fault.name].read_text(encoding="ascii")) for fault in faults}


def _parse(path: Path) -> Sequence[Fault]:
    with path.open("rb") as opened:
        given = tomllib.load(opened)
    usual = {name: given[name] for name in ("contract", "file", "tests")}
    entries: list[dict[str, Any]] = [usual | entry for entry in given["fault"]]
    return [Fault(**(entry | {"tests": tuple(entry["tests"])})) for entry in entries]


def _needed(sources: Mapping[str, str], path: str) -> Mapping[str, str]:
    """The sources that one of them imports, itself included: what other contracts do changes nothing here."""
    needed, waiting = {}, [path]
    while waiting:
        at = waiting.pop()
        if at not in needed:
            needed[at] = sources[at]
            imports = re.findall(r'from "(\.[^"]+)"', sources[at])
            waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(at), name)) for name in imports]
    return needed


def _batches(faults: Sequence[Fault]) -> list[list[Fault]]:
    rest = iter(faults)
    return list(iter(lambda: list(islice(rest, TOGETHER)), []))


def _compile(faults: Sequence[Fault], planted: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    sources, outputs = {}, {}
    for number, fault in enumerate(faults):
        tree = planted[fault.name].items()
        sources |= {f"fault-{number}/{path}": {"content": text} for path, text in tree}
        outputs[_target(number, fault)] = {fault.contract: ["evm.bytecode.object"]}
    request = {"language": "Solidity", "sources": sources, "settings": {**SETTINGS, "outputSelection": outputs}}
    compiled = solcx.compile_standard(request, base_path=ROOT, solc_binary=solc_program())["contracts"]
    return {
        fault.name: str(compiled[_target(number, fault)][fault.contract]["evm"]["bytecode"]["object"])
        for number, fault in enumerate(faults)
    }


def _target(number: int, fault: Fault) -> str:
    return f"fault-{number}/contracts/{fault.contract}.sol"


def _kept(fault: Fault, sources: Mapping[str, str]) -> Path:
    library = package_file("@openzeppelin/contracts", "package.json").read_text(encoding="utf-8")
    question = json.dumps([SOLC_VERSION, dict(SETTINGS), library, fault.contract, dict(sources)], sort_keys=True)
    return solc_program().parent / "planted" / f"{hashlib.sha256(question.encode()).hexdigest()}.hex"
