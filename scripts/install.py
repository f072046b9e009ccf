"""Makes a working tree ready: virtual environment, locked Python and Node packages. Standard library only.

Run by `make`; does nothing when the lock files have not changed since the last time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / ".installed"
LOCKS = ("requirements.lock", "requirements-node.lock", "package-lock.json", "pyproject.toml")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18


def main() -> None:
    """Install what the lock files name. Exits with a sentence if the machine cannot."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"gsc needs Python 3.11 or later; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 demo")
    if STAMP.exists() and STAMP.read_text() == _fingerprint() and (ROOT / "node_modules").is_dir():
        return
    if not (BIN / "python").exists():
        print("install: virtual environment", flush=True)
        venv.create(VENV, with_pip=True, clear=True)
    print("install: Python packages (a minute or two the first time)", flush=True)
    _pip("install", "--quiet", "--require-hashes", "-r", "requirements.lock")
    _pip("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    if _node_major() < OLDEST_NODE:
        print("install: Node from its wheel", flush=True)
        _pip("install", "--quiet", "--require-hashes", "-r", "requirements-node.lock")
    print("install: compiler, contract library and local chains", flush=True)
    _run(_tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    print("install: loops over columns, compiled once for this machine", flush=True)
    _run(str(BIN / "python"), "-m", "scripts.compile_kernels")
    STAMP.write_text(_fingerprint())


def _fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in LOCKS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _node_major() -> int:
    node = shutil.which("node", path=_path())
    if node is None or shutil.which("npm", path=_path()) is None:
        return 0
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").split(".")[0])


def _path() -> str:
    return os.pathsep.join((str(BIN), os.environ.get("PATH", os.defpath)))


def _tool(name: str) -> str:
    return shutil.which(name, path=_path()) or name


def _pip(*arguments: str) -> None:
    _run(str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": _path()}, check=False)
    if done.returncode:
        sys.exit(f"install: `{' '.join(command)}` ended with {done.returncode}; see the lines above")


if __name__ == "__main__":
    main()
