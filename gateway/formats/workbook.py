"""Is this workbook safe to open, and which texts do its cells hold?

An XLSX file is a zip of XML. Before another parser sees it, every XML member is unpacked and parsed once under limits,
and what could make a parser do more than the file's size suggests is refused: entities, cells far outside, one long
text many times, members of other formats.
"""

import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, XmlError, ZipError

from ledger.errors import Malformed
from ledger.unreadable import why_unreadable

MAX_UNPACKED_BYTES = 64 << 20
MAX_MEMBERS = 1_000
MAX_CELLS = 1_000_000
"""Of the rectangle from the first cell to the farthest."""
MAX_TEXT_CHARACTERS = 256 << 20
"""Of all cells together, as if each held the longest of the shared texts."""
_PIECE = 1 << 20
_FOREIGN = frozenset({"content.xml", "mimetype", "xl/workbook.bin"})
"""What workbooks of other formats have, which the parser would try as well."""


class Place(NamedTuple):
    """A cell: 1-based row and column."""

    row: int
    column: int


class Sheet(NamedTuple):
    """A sheet's cells as text, and the cells whose value a formula made up."""

    rows: list[list[str]]
    formulas: frozenset[Place]
    names: tuple[str, ...] = ()
    """Of all sheets of the workbook."""


def read_sheet(path: Path, name: str | None = None) -> Sheet:
    """A sheet by name, or the first. Raises Malformed for what is no workbook or no safe one."""
    try:
        formulas = _checked(path)
        with path.open("rb") as file:
            return _read(file, name, formulas)
    except (zipfile.BadZipFile, zlib.error, CalamineError, ZipError, XmlError, OSError, EOFError, ValueError) as error:
        raise _no_workbook(why_unreadable(error, path)) from None
    except (NotImplementedError, RuntimeError, KeyError, expat.ExpatError) as error:  # encrypted, foreign, cut off
        raise _no_workbook(str(error)) from None
    except BaseException as error:  # the parser's panics are no Exceptions
        if type(error).__name__ == "PanicException":
            raise _no_workbook("a sheet that cannot be parsed") from None
        raise


def _read(file: IO[bytes], name: str | None, formulas: Mapping[str, frozenset[Place]]) -> Sheet:
    with CalamineWorkbook.from_filelike(file) as workbook:
        names = workbook.sheet_names
        if not names or (name is not None and name not in names):
            raise Malformed("no such sheet", expected=name or "a sheet", got=", ".join(names)[:200])
        title = names[0] if name is None else name
        sheet = workbook.get_sheet_by_name(title)
        above, left = sheet.start or (0, 0)
        cells = [[_text(cell) for cell in row] for row in sheet.to_python()]
    rows: list[list[str]] = [[] for _ in range(above)]
    rows += [[""] * left + row for row in cells]
    return Sheet(rows, formulas.get(title, frozenset()), tuple(names))


@dataclass(slots=True)
class _Member:
    """What one XML member holds, as far as limits and sheets go."""

    row: int = 0
    column: int = 0
    rows: int = 0
    columns: int = 0
    cells: int = 0
    longest: int = 0
    text: int = 0
    formulas: set[Place] = field(default_factory=set)
    named: dict[str, str] = field(default_factory=dict)
    """Sheets by relation, or targets by relation."""

    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        plain = {name.rpartition(":")[2]: value for name, value in attributes.items()}
        self.text = 0
        match tag.rpartition(":")[2]:
            case "row":
                self.row, self.column = (_number(plain["r"]) if "r" in plain else self.row + 1), 0
                self.rows = max(self.rows, self.row)
            case "c":
                self.row, self.column = _place(plain["r"]) if "r" in plain else Place(max(self.row, 1), self.column + 1)
                self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)
                self.cells += 1
            case "f":
                self.formulas.add(Place(self.row, self.column))
            case "sheet" if "name" in plain:
                self.named[attributes.get("r:id", plain.get("id", ""))] = plain["name"]
            case "Relationship":
                self.named[plain.get("Id", "")] = plain.get("Target", "")

    def read(self, text: str) -> None:
        """Text inside an element, or a part of it."""
        self.text += len(text)
        self.longest = max(self.longest, self.text)


def _checked(path: Path) -> Mapping[str, frozenset[Place]]:
    """Formula cells by sheet. Raises Malformed if opening could cost more than it may."""
    found: dict[str, _Member] = {}
    unpacked = 0
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise _bomb(f"at most {MAX_MEMBERS} members", f"{len(members)}")
        if foreign := _FOREIGN & {member.filename for member in members}:
            raise _no_workbook(f"it has {sorted(foreign)[0]}")
        for member in members:
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            parser, holds = _parser(member.filename)
            for piece in _pieces(archive, member):
                unpacked += len(piece)
                if unpacked > MAX_UNPACKED_BYTES:
                    raise _bomb(f"at most {MAX_UNPACKED_BYTES >> 20} MiB unpacked", f"more, in {member.filename[:80]}")
                parser.Parse(piece, False)
            parser.Parse(b"", True)
            found[member.filename.lower()] = holds
    _check_size(found.values())
    return _formulas(found)


def _parser(name: str) -> tuple[expat.XMLParserType, _Member]:
    def refuse(*_: object) -> None:
        raise _bomb("plain XML", f"a document type in {name[:80]}")

    parser, holds = expat.ParserCreate(), _Member()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = holds.begin
    parser.CharacterDataHandler = holds.read
    return parser, holds


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member holds, whatever its header says of its size."""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _check_size(every: Collection[_Member]) -> None:
    cells = max((each.rows * max(each.columns, 1) for each in every), default=0)
    longest = max((each.longest for each in every), default=0)
    if cells > MAX_CELLS:
        raise _bomb(f"at most {MAX_CELLS:,} cells from the first to the farthest", f"{cells:,}")
    if max((each.cells for each in every), default=0) * longest > MAX_TEXT_CHARACTERS:
        raise _bomb(f"at most {MAX_TEXT_CHARACTERS >> 20} MiB of text", f"cells that share a text of {longest:,}")


def _formulas(found: Mapping[str, _Member]) -> Mapping[str, frozenset[Place]]:
    if "xl/workbook.xml" not in found:
        raise _no_workbook("it has no xl/workbook.xml")
    relations = found.get("xl/_rels/workbook.xml.rels", _Member()).named
    formulas = {}
    for relation, name in found["xl/workbook.xml"].named.items():
        target = relations.get(relation, "").lstrip("/").lower()
        member = found.get(target) or found.get(f"xl/{target}")
        if member is None:  # the parser would look for it where nothing was checked
            raise _no_workbook(f"sheet {name[:40]} is not where the workbook says")
        formulas[name] = frozenset(member.formulas)
    return formulas


def _place(written: str) -> Place:
    letters = written.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z" or column > MAX_CELLS:
            raise _bomb("cells with places such as D5", repr(written[:20]))
        column = column * 26 + ord(letter) - 64
    return Place(_number(written[len(letters) :]), column)


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        raise _bomb("rows with numbers", repr(written[:20]))
    return int(written)


def _text(cell: object) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ") if cell.time() != datetime.min.time() else cell.date().isoformat()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def _bomb(expected: str, got: str) -> Malformed:
    return Malformed(
        "the workbook would take too much to open",
        expected=expected,
        got=got,
        todo="Save the sheet as CSV, or a workbook of that sheet only.",
    )


def _no_workbook(got: str) -> Malformed:
    return Malformed("the workbook cannot be read", expected="an XLSX file without a password", got=got[:200])
