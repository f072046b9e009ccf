"""Are the tools of the proofs installed? slither and halmos, in .venv-proofs: they pin other packages than the house.

`install_tools` makes it from requirements-proofs.lock (hashes and all) when the lock has changed since the last time.
"""

import hashlib
import os
import subprocess
import sys
import venv

from deploy.node import PACKAGES, ROOT

TOOLS = ROOT / ".venv-proofs" / ("Scripts" if os.name == "nt" else "bin")
FORGE = PACKAGES / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
LOCK = ROOT / "requirements-proofs.lock"
STAMP = TOOLS.parent / ".installed"


def install_tools() -> bool:
    """Whether slither and halmos can be started; if not, says why on standard output."""
    fingerprint = hashlib.sha256(sys.version.encode() + LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == fingerprint:
        return True
    print("proofs: slither, halmos and their solvers go into .venv-proofs (a minute or two the first time)", flush=True)
    venv.create(TOOLS.parent, with_pip=True, clear=True)
    pip = [str(TOOLS / "python"), "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", str(LOCK)], cwd=ROOT, check=False)
    if done.returncode:
        print("slither and halmos are not installed (see the lines above): proofs not run")
        return False
    STAMP.write_text(fingerprint, encoding="ascii")
    return True
