"""What do the contracts compile to? Solidity sources in, artifacts out, the same bytes on every machine.

py-solc-x drives the compiler. The program it starts is `solc-v0.8.37` in the folder SOLCX_BINARY_PATH names (by default
one inside the virtual environment): a two-line script over npm's `solc`, or, with GSC_SOLC=download, the native one.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import solcx
from solcx.exceptions import SolcError

from deploy.node import ROOT, node, package_file
from ledger.errors import Malformed

SOLC_VERSION = "0.8.37"
SETTINGS: Mapping[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": False,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
    "outputSelection": {
        "*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "userdoc"], "": ["ast"]}
    },
}
"""Identical bytecode from every toolchain tried; OpenZeppelin 5.4.0 is the last that paris can run."""


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
    package_file("@openzeppelin/contracts", "package.json")
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": SETTINGS,
    }
    try:
        output = solcx.compile_standard(request, base_path=ROOT, solc_binary=solc_program())
    except SolcError as refused:
        raise Malformed("the contracts do not compile", got=_first_lines(refused), todo="Mend the source.") from None
    enums = dict(_enums(output["sources"]))
    artifacts = {
        name: _artifact(name, source, compiled, enums)
        for source, contracts in sorted(output["contracts"].items())
        if source in sources
        for name, compiled in sorted(contracts.items())
    }
    return Compilation(artifacts, _warnings(output, sources))


def solc_program() -> Path:
    """The compiler py-solc-x starts, made on demand. Raises Unavailable."""
    folder = Path(os.environ.get(solcx.install.SOLCX_BINARY_PATH_VARIABLE) or Path(sys.prefix) / "solcx")
    program = folder / f"solc-v{SOLC_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get("GSC_SOLC") == "download":
        solcx.install_solc(SOLC_VERSION, solcx_binary_path=folder)
    elif not program.exists() or _is_ours(program):
        _write_shim(program)
    return program


def _write_shim(program: Path) -> None:
    package_file("solc", "package.json")
    text = f"#!/bin/sh\nexec '{node()}' '{ROOT / 'deploy' / 'solc.cjs'}' \"$@\"\n"
    if program.exists() and program.read_text() == text:
        return
    fresh = program.with_name(f"{program.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.replace(program)


def _is_ours(program: Path) -> bool:
    with program.open("rb") as opened:
        return b"solc.cjs" in opened.read(4096)


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


def _first_lines(refused: SolcError) -> str:
    return "\n".join(str(refused.message).strip().splitlines()[:12])
