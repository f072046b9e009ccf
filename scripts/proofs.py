"""Are the functions that move an exposure exact for every value? `make halmos`: symbolic proofs.

halmos pins other packages than the house, so it stands in .venv-proofs; where it or forge is not installed this says
how to install it and ends with 0: the tests do not depend on it.
"""

import os
import subprocess
import sys

from deploy.compiler import solc_program
from deploy.node import PACKAGES, ROOT

HALMOS = ROOT / ".venv-proofs" / "bin" / "halmos"
FORGE = PACKAGES / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
PACKAGE = "halmos==0.3.3"
TODO = f"python3 -m venv .venv-proofs && .venv-proofs/bin/pip install {PACKAGE}"
COMMAND = ("--contract", "CreditBookChecks", "--solver", "z3", "--no-status")
OUT = "node_modules/.cache/proofs/out"


def main() -> int:
    """halmos's exit code."""
    if not FORGE.exists() or not HALMOS.exists():
        missing = "forge" if not FORGE.exists() else "halmos"
        print(f"{missing} is not installed: proofs not run. For halmos: {TODO}")
        return 0
    told = {
        "FOUNDRY_CONFIG": str(ROOT / "tests" / "contracts" / "proofs" / "foundry.toml"),
        "FOUNDRY_SOLC": str(solc_program()),
        "PATH": os.pathsep.join((str(FORGE.parent), os.environ.get("PATH", os.defpath))),
    }
    command = [str(HALMOS), "--root", str(ROOT), "--forge-build-out", OUT, *COMMAND]
    return subprocess.run(command, cwd=ROOT, env=os.environ | told, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
