"""What do the contracts compile to? Solidity sources in, artifacts out, the same bytes on every machine."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from deploy.compiler import run_solc
from deploy.node import ROOT

SETTINGS: Mapping[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": False,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
}
"""Identical bytecode from every toolchain tried; OpenZeppelin 5.4.0 is the last that paris can run."""

OUTPUTS = {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "userdoc"], "": ["ast"]}


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract or interface."""

    name: str
    source: str
    """Path below the repository: "contracts/UsageLedger.sol"."""
    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    """What a deployment sends before the constructor's arguments; empty for an interface or an abstract contract."""
    deployed_bytecode: bytes
    """What stands on the chain, with zeros where immutables go."""
    notices: Mapping[str, str]
    """@notice of each custom error, by signature."""
    enums: Mapping[str, tuple[str, ...]]
    """Members of each enum its ABI names: an ABI itself says only uint8."""

    @property
    def is_deployable(self) -> bool:
        """A contract that stands on a chain of its own: no interface, abstract contract or internal library."""
        return bool(self.bytecode) and any(entry["type"] == "function" for entry in self.abi)


class Compilation(NamedTuple):
    """What one run of the compiler gave."""

    artifacts: Mapping[str, Artifact]
    warnings: Sequence[str]


def compile_contracts() -> Mapping[str, Artifact]:
    """Every contract and interface below contracts/, by name. Raises Malformed, Unavailable."""
    return compile_sources(read_sources()).artifacts


def read_sources(root: Path = ROOT) -> Mapping[str, str]:
    """The repository's Solidity sources by path."""
    files = sorted((root / "contracts").rglob("*.sol"))
    return {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in files}


def compile_sources(sources: Mapping[str, str]) -> Compilation:
    """Compile sources that import each other and OpenZeppelin. Raises Malformed on a compiler error, Unavailable."""
    output = run_solc(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {**SETTINGS, "outputSelection": dict.fromkeys(sources, OUTPUTS)},
        }
    )
    enums = dict(_enums(output["sources"]))
    artifacts = {
        name: _artifact(name, source, compiled, enums)
        for source, contracts in sorted(output["contracts"].items())
        if source in sources
        for name, compiled in sorted(contracts.items())
    }
    return Compilation(artifacts, _warnings(output, sources))


def _artifact(name: str, source: str, compiled: Mapping[str, Any], enums: Mapping[str, tuple[str, ...]]) -> Artifact:
    named = set(re.findall(r"enum (?:\w+\.)?(\w+)", repr(compiled["abi"])))
    return Artifact(
        name=name,
        source=source,
        abi=compiled["abi"],
        bytecode=bytes.fromhex(compiled["evm"]["bytecode"]["object"]),
        deployed_bytecode=bytes.fromhex(compiled["evm"]["deployedBytecode"]["object"]),
        notices={
            signature: " ".join(notes[0]["notice"].split())
            for signature, notes in compiled.get("userdoc", {}).get("errors", {}).items()
            if notes and "notice" in notes[0]
        },
        enums={enum: enums[enum] for enum in sorted(named)},
    )


def _enums(node_: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every enum definition in the syntax trees, by name."""
    if isinstance(node_, Mapping):
        if node_.get("nodeType") == "EnumDefinition":
            yield node_["name"], tuple(member["name"] for member in node_["members"])
        for child in node_.values():
            yield from _enums(child)
    elif isinstance(node_, list):
        for child in node_:
            yield from _enums(child)


def _warnings(output: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    return [
        said["formattedMessage"]
        for said in output.get("errors", ())
        if said.get("sourceLocation", {}).get("file") in sources
    ]
