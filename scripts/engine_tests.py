"""Do the cluster engines say what this machine alone says? `make test-ray`, `make test-spark`.

Ray and Spark are in .venv-engines, beside the house's own packages; Spark needs Java as well.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence

from deploy.node import ROOT
from scripts.own_venv import OwnVenv

ENGINES = OwnVenv("engines", "Ray and Spark", with_house=True)
TESTS = ROOT / "tests" / "reconciliation" / "engines"
NAMES = ("ray", "spark")


def main(names: Sequence[str]) -> int:
    """0 if all that can run here agree."""
    for name in names:
        if name not in NAMES:
            print(f"no such engine: {name}; expected {' or '.join(NAMES)}")
            return 2
    if "spark" in names and shutil.which("java") is None:
        print("java is not installed: Spark not tested")
        names = [name for name in names if name != "spark"]
    if not names or not ENGINES.install():
        return 0
    files = [str(TESTS / f"on_{name}.py") for name in names]
    command = [str(ENGINES.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
