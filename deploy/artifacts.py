"""Are the committed artifacts and bindings what the contracts compile to? `python -m deploy.artifacts [--check]`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.bindings import generate_bindings
from deploy.node import ROOT
from deploy.solidity import Artifact, compile_contracts
from ledger.errors import GscError

ARTIFACTS = "contracts/artifacts"
BINDINGS = "ledger/chain/bindings.py"
MEND = "Run `make artifacts` and commit the result."


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with --check only compare them. The exit code is 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.artifacts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    try:
        if parser.parse_args(arguments).check:
            return check()
        write(generated_files())
    except GscError as refused:
        sys.stderr.write(f"artifacts: {refused}\n")
        return 1
    return 0


def check(root: Path = ROOT) -> int:
    """0 if what is committed equals what the compiler gives now; else 1, and a line for each file on stderr."""
    lines = differences(generated_files(), root)
    for line in lines:
        sys.stderr.write(f"artifacts: {line}\n")
    if lines:
        sys.stderr.write(f"artifacts: {MEND}\n")
    return 1 if lines else 0


def generated_files() -> Mapping[str, str]:
    """Path below the repository and text of every generated file. Raises Malformed, Unavailable."""
    compiled = compile_contracts()
    files = {
        f"{ARTIFACTS}/{name}.json": artifact_json(artifact)
        for name, artifact in sorted(compiled.items())
        if artifact.is_deployable
    }
    return files | {BINDINGS: generate_bindings(compiled)}


def differences(generated: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """What a fresh compilation would change on disk, one sentence a file."""
    lines = []
    for path, text in generated.items():
        file = root / path
        if not file.exists():
            lines.append(f"{path} is missing")
        elif file.read_text(encoding="utf-8") != text:
            lines.append(f"{path} differs from what the contracts compile to{_where(file, text)}")
    return lines + [f"{path} belongs to no contract" for path in _strangers(generated, root)]


def write(generated: Mapping[str, str], root: Path = ROOT) -> None:
    """Bring the generated files up to date; what is equal keeps its time."""
    for path, text in generated.items():
        file = root / path
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)
    for path in _strangers(generated, root):
        (root / path).unlink()


def artifact_json(artifact: Artifact) -> str:
    """One contract as a JSON file, the same text on every machine."""
    return (
        json.dumps(
            {
                "contractName": artifact.name,
                "sourceName": artifact.source,
                "abi": artifact.abi,
                "bytecode": f"0x{artifact.bytecode.hex()}",
                "deployedBytecode": f"0x{artifact.deployed_bytecode.hex()}",
            },
            indent=1,
        )
        + "\n"
    )


def _where(file: Path, text: str) -> str:
    if file.suffix == ".json":
        old, new = json.loads(file.read_text(encoding="utf-8")), json.loads(text)
        return f" ({', '.join(name for name in new if old.get(name) != new[name])})"
    pairs = zip(file.read_text(encoding="utf-8").splitlines(), text.splitlines(), strict=False)
    line = next((number for number, (old, new) in enumerate(pairs, 1) if old != new), 0)
    return f" (from line {line})" if line else " (its length)"


def _strangers(generated: Mapping[str, str], root: Path) -> list[str]:
    found = sorted(file.relative_to(root).as_posix() for file in (root / ARTIFACTS).glob("*.json"))
    return [path for path in found if path not in generated]


if __name__ == "__main__":
    sys.exit(main())
