"""Is this workbook safe to open, and which texts do its cells hold?

An XLSX file is a zip of XML. Before anything parses it, every member is unpacked once under a limit, and what could
make a parser do more than the file's size suggests is refused: entities, cells far outside, one long text many times.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, XmlError, ZipError

from ledger.errors import Malformed

MAX_UNPACKED_BYTES = 64 << 20
MAX_MEMBERS = 1_000
MAX_CELLS = 1_000_000
MAX_COLUMNS = 1_000
MAX_TEXT_BYTES = 256 << 20
"""Of all cells together, as if each held the longest of the shared texts."""
_PIECE = 1 << 20
_OVERLAP = 4_096

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]{0,400})>")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]{0,400})>")
_FORMULA = re.compile(rb"<(?:\w+:)?c\b([^>]{0,400})>\s{0,9}<(?:\w+:)?f\b")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,9})([0-9]{1,9})["']""")
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]{0,99}>([^<]*)")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]{0,2000})>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b([^>]{0,4000})>")


class Place(NamedTuple):
    """A cell: 1-based row and column."""

    row: int
    column: int


class Sheet(NamedTuple):
    """A sheet's cells as text, and the cells whose value a formula made up."""

    rows: list[list[str]]
    formulas: frozenset[Place]


def read_sheet(path: Path, name: str | None = None) -> Sheet:
    """A sheet by name, or the first. Raises Malformed for what is no workbook or no safe one."""
    try:
        checked = _checked(path)
        with CalamineWorkbook.from_path(str(path)) as workbook:
            names = workbook.sheet_names
            if not names or (name is not None and name not in names):
                raise Malformed("no such sheet", expected=name or "a sheet", got=", ".join(names)[:200])
            title = names[0] if name is None else name
            cells = workbook.get_sheet_by_name(title).to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, zlib.error, CalamineError, ZipError, XmlError, OSError, EOFError, ValueError) as error:
        raise _no_workbook(str(error)) from None
    except (NotImplementedError, RuntimeError) as error:  # zipfile's words for encrypted and foreign compression
        raise _no_workbook(str(error)) from None
    return Sheet([[_text(cell) for cell in row] for row in cells], checked.get(title, frozenset()))


def _checked(path: Path) -> Mapping[str, frozenset[Place]]:
    """Formula cells by sheet. Raises Malformed if unpacking could cost more than it may."""
    formulas: dict[str, frozenset[Place]] = {}
    cells = longest = unpacked = 0
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise _bomb(f"{MAX_MEMBERS} members", f"{len(members)}")
        names = _sheet_names(archive)
        for member in members:
            found: set[Place] = set()
            for piece in _pieces(archive, member):
                unpacked += min(len(piece), _PIECE)
                if unpacked > MAX_UNPACKED_BYTES:
                    raise _bomb(f"{MAX_UNPACKED_BYTES >> 20} MiB unpacked", f"more, in {member.filename[:80]}")
                if _ENTITY.search(piece):
                    raise _bomb("plain XML", f"entities in {member.filename[:80]}")
                longest = max([longest, *(len(text) for text in _TEXT.findall(piece))])
                if "worksheets/" in member.filename:
                    cells = max(cells, _extent(piece))
                    found |= {place for each in _FORMULA.findall(piece) if (place := _place(each)) is not None}
            formulas[names.get(member.filename, "")] = frozenset(found)
        if cells > MAX_CELLS or cells * longest > MAX_TEXT_BYTES:
            raise _bomb(
                f"{MAX_CELLS:,} cells and {MAX_TEXT_BYTES >> 20} MiB of text", f"{cells:,} of up to {longest:,}"
            )
    return formulas


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member holds, in pieces that overlap so that no tag is cut in two; its header may lie about its size."""
    with archive.open(member) as stream:
        held = b""
        while piece := stream.read(_PIECE):
            yield held + piece
            held = piece[-_OVERLAP:]


def _extent(sheet: bytes) -> int:
    """Cells of the rectangle that reaches to the farthest cell, and at least the cells there are."""
    rows = columns = count = 0
    for attributes in _CELL.findall(sheet) + _ROW.findall(sheet):
        count += 1
        place = _place(attributes)
        if place is not None:
            rows, columns = max(rows, place.row), max(columns, place.column)
    if columns > MAX_COLUMNS:
        raise _bomb(f"{MAX_COLUMNS} columns", f"a cell in column {columns}")
    return max(rows * max(columns, 1), count)


def _place(attributes: bytes) -> Place | None:
    found = _PLACE.search(attributes)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return Place(int(found[2]), column)


def _sheet_names(archive: zipfile.ZipFile) -> Mapping[str, str]:
    """The sheets' names by their members' paths."""
    targets = {}
    for attributes in _RELATION.findall(_member(archive, "xl/_rels/workbook.xml.rels")):
        target = _attribute(attributes, b"Target").lstrip("/")
        targets[_attribute(attributes, b"Id")] = target if target.startswith("xl/") else f"xl/{target}"
    sheets = _SHEET.findall(_member(archive, "xl/workbook.xml"))
    return {targets.get(_attribute(each, rb"\w+:id"), ""): _attribute(each, b"name") for each in sheets}


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(_PIECE)
    except KeyError:
        raise _no_workbook(f"it has no {name}") from None


def _attribute(attributes: bytes, name: bytes) -> str:
    found = re.search(rb"\b" + name + rb"""\s*=\s*["']([^"']*)["']""", attributes)
    return found[1].decode("utf-8", "replace") if found else ""


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
        expected=f"at most {expected}" if expected[0].isdigit() else expected,
        got=got,
        todo="Save the sheet as CSV, or a workbook of that sheet only.",
    )


def _no_workbook(got: str) -> Malformed:
    return Malformed("the workbook cannot be read", expected="an XLSX file without a password", got=got[:200])
