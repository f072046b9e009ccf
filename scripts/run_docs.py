"""Does a page of docs say what happens? Runs its console blocks; `python -m scripts.run_docs` writes what they say.

A block ```csv NAME``` (or toml) is written to a file of that name; each `$ gsc …` line of a ```console``` block is run
in the same folder, in the order of the page.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats.md"
PROMPT = "$ gsc "
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def run_page(text: str, folder: Path) -> str:
    """The page with every console block's output as it is today; files and commands go to the folder."""

    def replaced(block: "re.Match[str]") -> str:
        kind, name, body = block.groups()
        if kind == "console":
            commands = [line for line in body.splitlines() if line.startswith(PROMPT)]
            return "```console\n" + "".join(_said(command, folder) for command in commands) + "```\n"
        if name is not None:
            (folder / name).write_text(body, "utf-8")
        return block.group(0)

    return _BLOCK.sub(replaced, text)


def _said(line: str, folder: Path) -> str:
    """The command, what it said on both streams, and its exit code if it is not 0."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *shlex.split(line.removeprefix(PROMPT))],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=keep | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120"},
        check=False,
    )
    code = f"[exit {done.returncode}]\n" if done.returncode else ""
    return f"{line}\n{done.stdout}{done.stderr}{code}"


def main() -> None:
    """Write what the commands say today into the page."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(run_page(PAGE.read_text("utf-8"), Path(folder)), "utf-8")


if __name__ == "__main__":
    main()
