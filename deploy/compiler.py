"""Which program compiles? py-solc-x starts `solc-v0.8.37` in the folder SOLCX_BINARY_PATH names.

By default that folder is inside the virtual environment and the program a two-line script over npm's `solc`; with
GSC_SOLC=download it is the native compiler. What it answered is kept beside it by the hash of the question, so that the
checks do not compile the same sources again; `make install` in a fresh tree starts from nothing.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError

from deploy.node import ROOT, node, package_file
from ledger.errors import Malformed

SOLC_VERSION = "0.8.37"
KEPT_ANSWERS = 8


def run_solc(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The compiler's standard-JSON answer; imports are read below the repository. Raises Malformed, Unavailable."""
    library = package_file("@openzeppelin/contracts", "package.json")
    program = solc_program()
    shim = (ROOT / "deploy" / "solc.cjs").read_bytes()
    question = hashlib.sha256(json.dumps(request, sort_keys=True).encode())
    for part in (library.read_bytes(), program.read_bytes(), shim):
        question.update(hashlib.sha256(part).digest())
    kept = program.parent / "answers" / f"{question.hexdigest()}.json"
    if kept.exists():
        answer: Mapping[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return answer
    try:
        answer = solcx.compile_standard(dict(request), base_path=ROOT, solc_binary=program)
    except SolcError as refused:
        raise Malformed("the contracts do not compile", got=_first_lines(refused), todo="Mend the source.") from None
    _keep(kept, json.dumps(answer))
    return answer


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
    if not program.exists() or program.read_text() != text:
        _replace(program, text, mode=0o755)


def _is_ours(program: Path) -> bool:
    with program.open("rb") as opened:
        return b"solc.cjs" in opened.read(4096)


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    _replace(path, text, mode=0o644)
    oldest_first = sorted(path.parent.glob("*.json"), key=lambda answer: answer.stat().st_mtime_ns)
    for answer in oldest_first[:-KEPT_ANSWERS]:
        answer.unlink(missing_ok=True)


def _replace(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(mode)
    fresh.replace(path)


def _first_lines(refused: SolcError) -> str:
    return "\n".join(str(refused.message).strip().splitlines()[:12])
