"""Are a workbook's cells read as they stand, and does none of the ways to blow one up get past the door?"""

import io
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from gateway.formats import workbook as door
from gateway.formats.workbook import Place, read_sheet
from ledger.errors import Malformed
from tests.gateway.formats.workbooks import sheet_of, workbook

HEADER = ("Circuit", "A End", "Z End")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def _sheet(body: str, head: str = "") -> bytes:
    return workbook([], sheet=f'{head}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>')


def _shared(characters: int, cells: int) -> bytes:
    """Many cells that say the same long text."""
    strings = f'<sst xmlns="{MAIN}"><si><t>{"x" * characters}</t></si></sst>'
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, cells + 1))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    return workbook([], {"xl/sharedStrings.xml": strings}, sheet=sheet)


def _read(tmp_path: Path, content: bytes) -> door.Sheet:
    path = tmp_path / "inventory.xlsx"
    path.write_bytes(content)
    return read_sheet(path)


def test_cells_are_texts_and_formulas_are_told(tmp_path: Path) -> None:
    sheet = _read(tmp_path, workbook([HEADER, [], ["LON-1", 12, 2.5], [None, "=1+1", "é"]]))
    assert sheet.rows == [list(HEADER), ["", "", ""], ["LON-1", "12", "2.5"], ["", "7", "é"]]
    assert sheet.formulas == {Place(4, 2)}


def test_a_sheet_that_begins_elsewhere_keeps_its_places(tmp_path: Path) -> None:
    sheet = _read(tmp_path, _sheet('<row r="3"><c r="C3"><v>5</v></c></row>'))
    assert sheet.rows == [[], [], ["", "", "5"]]


def test_dates_and_times_are_written_as_iso_has_them(tmp_path: Path) -> None:
    styles = (
        f'<styleSheet xmlns="{MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
        "</cellXfs></styleSheet>"
    )
    cells = '<c r="A1" s="1"><v>46296</v></c><c r="B1" s="2"><v>46296.5</v></c><c r="C1"><v>46296</v></c>'
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'
    read = _read(tmp_path, workbook([], {"xl/styles.xml": styles}, sheet=sheet))
    assert read.rows == [["2026-10-01", "2026-10-01 12:00:00", "46296"]]


def test_another_sheet_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "inventory.xlsx"
    path.write_bytes(workbook([HEADER]))
    assert read_sheet(path, "Circuits").rows == [list(HEADER)]
    with pytest.raises(Malformed, match="no such sheet"):
        read_sheet(path, "Lines")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_sheet(" " * (80 << 20)), "MiB unpacked"),
        (workbook([HEADER], {f"xl/x{at}.xml": "<x/>" for at in range(1_100)}), "members"),
        (workbook([HEADER], sheet='<?xml version="1.0"?>' + ENTITIES + sheet_of([["&b;"]])), "document type"),
        (workbook([HEADER], {"xl/styles.xml": ENTITIES + "<x>&b;</x>"}), "document type"),
        (_sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "from the first to the farthest"),
        (_sheet('<row r="1"><c  x=">" r="xfd999999"><v>1</v></c></row>'), "from the first to the farthest"),
        (_sheet('<row r="9999999999"/>'), "rows with numbers"),
        (_sheet('<row r="1"><c r="Ａ1"/></row>'), "cells with places"),
        (_sheet('<row r="1"><c r="' + "A" * 999 + '1"/></row>'), "cells with places"),
        (_shared(30_000, 10_000), "of text"),
        (workbook([HEADER], {"content.xml": "<x/>"}), "content.xml"),
        (_sheet("<row>"), "cannot be read"),
        (workbook([HEADER])[:-60], "cannot be read"),
        (b"PK\x03\x04" + bytes(100), "cannot be read"),
        (b"", "cannot be read"),
        (b"Circuit,A End\n", "cannot be read"),
    ],
    ids=range(16),
)
def test_what_would_take_too_much_to_open_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(Malformed) as refused:
        _read(tmp_path, content)
    assert says in str(refused.value)


def test_nothing_unchecked_reaches_the_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bombs above would have gone off: the parser is never asked."""
    monkeypatch.setattr(CalamineWorkbook, "from_filelike", pytest.fail, raising=False)
    for content in (_sheet('<row r="1048576"><c r="XFD1048576"/></row>'), _shared(30_000, 10_000)):
        with pytest.raises(Malformed):
            _read(tmp_path, content)


def test_a_sheet_outside_the_checked_members_is_refused(tmp_path: Path) -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="media/a.png"/>'
        "</Relationships>"
    )
    extra = {"xl/_rels/workbook.xml.rels": relations, "xl/media/a.png": sheet_of([HEADER])}
    with pytest.raises(Malformed, match="cannot be read"):
        _read(tmp_path, workbook([HEADER], extra))


def test_a_header_that_lies_about_its_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_UNPACKED_BYTES", 10_000)
    content = bytearray(_sheet(" " * 50_000))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lied = bytes(content).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lied != bytes(content)
    with pytest.raises(Malformed):
        _read(tmp_path, lied)
