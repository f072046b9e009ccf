"""How does a table become a workbook? Row by row in constant memory; the same rows give the same bytes.

A text is written as text, so no cell of ours is a formula. Numbers that a spreadsheet's double would change (more than
15 digits) are written as text too.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import xlsxwriter

ROWS_OF_A_SHEET = 1_048_575
"""Below the heading: a sheet has 2^20 rows."""
MAX_TEXT = 32_767
"""Characters of a cell: what spreadsheets bear."""
_DIGITS = 15
_PIECE = 1 << 18
_NO_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 (a workbook has no zone; the date is none: same rows, same bytes)
_CUT = " … (cut)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a workbook; without a title it gets a number."""

    names: Sequence[str]
    rows: Iterable[Sequence[object]]
    title: str | None = None


def workbook(*sheets: Sheet) -> Iterator[bytes]:
    """The sheets as an XLSX file in pieces; a further sheet follows one that is full."""
    with tempfile.TemporaryFile() as stream:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(stream, options) as book:
            book.set_properties({"created": _NO_TIME})
            formats = {
                "heading": book.add_format({"bold": True, "bottom": 1}),
                "money": book.add_format({"num_format": "#,##0.00####"}),
                "whole": book.add_format({"num_format": "#,##0"}),
            }
            for sheet in sheets:
                _write_sheet(book, sheet, formats)
        stream.seek(0)
        while piece := stream.read(_PIECE):
            yield piece


def _write_sheet(book: Any, told: Sheet, formats: dict[str, Any]) -> None:
    rows, names, title = iter(told.rows), told.names, told.title
    first: Sequence[object] | None = next(rows, None)
    while True:
        sheet = book.add_worksheet(title)
        title = None
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(names) - 1), 18)
        for column, name in enumerate(names):
            sheet.write_string(0, column, name, formats["heading"])
        if first is None:
            return
        for row, values in enumerate(chain([first], islice(rows, ROWS_OF_A_SHEET - 1)), start=1):
            for column, value in enumerate(values):
                _write(sheet, row, column, value, formats)
        first = next(rows, None)
        if first is None:
            return


def _write(sheet: Any, row: int, column: int, value: object, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, Decimal) and len(value.as_tuple().digits) <= _DIGITS:
        sheet.write_number(row, column, value, formats["money"])
    elif isinstance(value, int) and len(str(abs(value))) <= _DIGITS:
        sheet.write_number(row, column, value, formats["whole"])
    else:
        text = str(value)
        sheet.write_string(row, column, text if len(text) <= MAX_TEXT else text[: MAX_TEXT - len(_CUT)] + _CUT)
