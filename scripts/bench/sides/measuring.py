"""What did one piece of work take: time, processor, memory? Measured inside a process that does nothing else.

Standard library only: the peers' environment has none of the house's packages.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

_Made = TypeVar("_Made")
_STATUS = Path("/proc/self/status")
_FOLDER = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one piece of work took, in a process of its own; starting it and its imports are not work."""

    seconds: float
    core_seconds: float
    """Of all its threads and of the processes it started."""
    most_bytes: int
    """Resident at once, imports and all."""
    answer: int = 0
    """What came of it, where two ways must agree."""


class Failed(Exception):
    """A measured process ended badly, or was not allowed more memory."""


def spend(work: Callable[[], _Made]) -> tuple[_Made, Spent]:
    """Do it here, by the clock."""
    before, begin = _core_seconds(), time.perf_counter()
    made = work()
    seconds = time.perf_counter() - begin
    return made, Spent(seconds, _core_seconds() - before, _most_bytes())


def tell(spent: Spent) -> None:
    """For whoever started this process."""
    print(json.dumps(asdict(spent)), flush=True)


def measure(python: Path, module: str, arguments: Sequence[str]) -> Spent:
    """Start a module that tells what it spent. Raises Failed with its last words if it does not."""
    command = [str(python), "-m", module, *arguments]
    ran = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, check=False)
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines:
        words = (ran.stderr.strip().splitlines() or ["no word"])[-1]
        raise Failed(f"ended with {ran.returncode}: {words[:200]}")
    return Spent(**json.loads(lines[-1]))


def _core_seconds() -> float:
    """By the nanosecond: `os.times` counts in hundredths, and small work took none of them."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _most_bytes() -> int:
    """Of this process since it began its program: what a parent held before does not count, where the kernel tells."""
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
