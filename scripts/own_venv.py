"""Where do tools live whose packages are not the house's? Each kind in a virtual environment and a lock of its own.

Tools of proofs and peers of benchmarks pin other packages than the house; a cluster's engine is asked of nobody else.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from deploy.node import ROOT


@dataclass(frozen=True, slots=True)
class OwnVenv:
    """A folder .venv-NAME made from requirements-NAME.lock, hashes and all."""

    name: str
    holds: str
    """What is in it, for whoever waits: "slither, halmos and their solvers"."""
    with_house: bool = False
    """Whether the house's own packages are seen from inside as well."""

    @property
    def folder(self) -> Path:
        return ROOT / f".venv-{self.name}"

    @property
    def lock(self) -> Path:
        return ROOT / f"requirements-{self.name}.lock"

    @property
    def programs(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.programs / "python"

    def install(self) -> bool:
        """Make it if the lock has changed since the last time; if it cannot be made, say so and answer False."""
        fingerprint = hashlib.sha256(sys.version.encode() + self.lock.read_bytes()).hexdigest()
        stamp = self.folder / ".installed"
        if stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint:
            return True
        print(f"{self.name}: {self.holds} go into {self.folder.name} (a minute or two the first time)", flush=True)
        venv.create(self.folder, with_pip=True, clear=True)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", str(self.lock)], check=False)
        if done.returncode:
            print(f"{self.holds} are not installed (see the lines above)")
            return False
        if self.with_house:
            self._see_house()
        stamp.write_text(fingerprint, encoding="ascii")
        return True

    def _see_house(self) -> None:
        """A .pth that adds the running environment's packages, and through them the house, behind its own."""
        ask = [str(self.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        inside = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
        line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (Path(inside) / "house.pth").write_text(line, encoding="utf-8")
