"""Does no text that we write into a CSV file begin a formula, and does all of it come out again?"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.cells import plain_cell, safe_cell


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+44", "-1", "@SUM(A1)", "\tx", "\rx", "=", "'=1", "''+1", "=1+1|'cmd'!A0"]
)
def test_what_a_spreadsheet_would_run_becomes_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "United Kingdom", "442079460000", "'quoted'", "a=b", " =1", "′=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text == plain_cell(text)


@given(st.text(alphabet="'=+-@\t\ra1", max_size=6) | st.text())
@example("'=x")
def test_what_goes_in_comes_out_and_runs_nothing(text: str) -> None:
    cell = safe_cell(text)
    assert plain_cell(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
