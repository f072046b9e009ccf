"""How does text get into a CSV file so that no spreadsheet takes it for a formula, and out again as it was?

A program that opens a CSV runs a cell that begins with = + - @, a tab or a carriage return. Text that does so gets an
apostrophe before it, as spreadsheets themselves mark text; text that already looks marked gets another one, so that
what comes out is what went in.
"""

import re

RUNS = r"'*[=+\-@\t\r]"
"""How text begins that a spreadsheet would run, or that looks marked: a pattern, for whole columns too."""
_RUNS = re.compile(RUNS)
_MARKED = re.compile(r"'+[=+\-@\t\r]")


def safe_cell(text: str) -> str:
    """Text for a cell of a CSV file."""
    return f"'{text}" if _RUNS.match(text) else text


def plain_cell(cell: str) -> str:
    """The text of a cell, as `safe_cell` had it."""
    return cell[1:] if _MARKED.match(cell) else cell
