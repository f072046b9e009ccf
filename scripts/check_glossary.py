"""Does the house use one word for one thing? Reads docs/glossary.md and finds names that use another word.

Names are the identifiers of Python and Solidity and the code in documents; prose is free. The glossary's `not` column
lists the words to avoid; what stands there with a sense in brackets is for the reader, not for this check.
Run it as `python -m scripts.check_glossary [FOLDER]`; it ends with 1 and names each place if there are any.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = Path("docs/glossary.md")
FOLDERS = ("contracts", "ledger", "reconciliation", "gateway", "deploy", "scripts", "tests", "docs")
GENERATED = frozenset({Path("ledger/chain/bindings.py")})
SUFFIXES = (".py", ".sol", ".md")

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SOLIDITY_SILENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"|import\s[^;]*;", re.DOTALL)
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Glossary:
    """The words to avoid, and the names that may use them all the same."""

    instead: dict[tuple[str, ...], str]
    """Parts of an avoided name in lower case ("price", "plan"), and the word to use."""
    allowed: dict[str, str]
    """Names and the folder they are allowed in, "" for all."""

    def allows(self, path: Path, name: str) -> bool:
        """Whether the name may be used there. Tests are named by sentences: those are prose."""
        return name.startswith("test_") or (name in self.allowed and path.is_relative_to(self.allowed[name]))


class Slip(NamedTuple):
    """A name that uses an avoided word."""

    path: Path
    line: int
    name: str
    avoided: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name} says {self.avoided!r}; the glossary's word is {self.instead!r}"


def main() -> None:
    """Check a tree, by default this one."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    slips = sorted(check_tree(root))
    for slip in slips:
        print(slip)
    if slips:
        print(
            f"{len(slips)} names use another word than {GLOSSARY}; a foreign name may be allowed there, with a reason"
        )
        sys.exit(1)


def check_tree(root: Path) -> Iterator[Slip]:
    """Every slip in the tree's folders, against the tree's own glossary."""
    glossary = read_glossary((root / GLOSSARY).read_text("utf-8"))
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.suffix in SUFFIXES and relative not in GENERATED | {GLOSSARY}:
                yield from check_file(relative, path.read_text("utf-8"), glossary)


def read_glossary(text: str) -> Glossary:
    """Read the tables: `| word | means | not |` and `| allowed name | why |`; "`x` in `tests/`" is only there."""
    instead: dict[tuple[str, ...], str] = {}
    allowed: dict[str, str] = {}
    for cells in _table_rows(text):
        if len(cells) == 3:
            for avoided in _split_bare(cells[2]):
                instead[tuple(avoided.lower().split())] = cells[0]
        elif len(cells) == 2:
            names, _, folder = cells[0].partition(" in ")
            allowed |= {name.strip("` "): folder.strip("` ") for name in names.split(",")}
    return Glossary(instead, allowed)


def check_file(path: Path, text: str, glossary: Glossary) -> Iterator[Slip]:
    """Slips of one file, by its suffix."""
    names = {".py": _python_names, ".sol": _solidity_names, ".md": _document_names}[path.suffix]
    for line, name in names(text):
        if glossary.allows(path, name):
            continue
        parts = tuple(part.lower() for part in _HUMP.findall(name))
        for avoided, instead in glossary.instead.items():
            if _contains(parts, avoided):
                yield Slip(path, line, name, " ".join(avoided), instead)


def _contains(parts: tuple[str, ...], avoided: tuple[str, ...]) -> bool:
    """The avoided parts stand in the name one after another, the last perhaps in the plural."""
    width = len(avoided)
    plural = (*avoided[:-1], avoided[-1] + "s")
    return any(parts[i : i + width] in (avoided, plural) for i in range(len(parts) - width + 1))


def _table_rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and not set(cells[0]) <= set("-: "):
            yield cells


def _split_bare(cell: str) -> list[str]:
    """The words of a `not` cell that stand without a sense in brackets."""
    words = (word.strip() for word in re.sub(r"\([^)]*\)", "()", cell).split(","))
    return [word for word in words if word and "(" not in word and word != "not"]


def _python_names(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def _solidity_names(text: str) -> Iterator[tuple[int, str]]:
    silent = _SOLIDITY_SILENT.sub(lambda found: "\n" * found.group().count("\n"), text)
    for number, line in enumerate(silent.splitlines(), 1):
        yield from ((number, name) for name in _NAME.findall(line))


def _document_names(text: str) -> Iterator[tuple[int, str]]:
    for code in _CODE.finditer(text):
        first = text.count("\n", 0, code.start()) + 1
        for offset, line in enumerate(code.group().splitlines()):
            yield from ((first + offset, name) for name in _NAME.findall(line))


if __name__ == "__main__":
    main()
