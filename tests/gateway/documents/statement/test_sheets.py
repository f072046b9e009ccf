"""Do a statement's tables hold its lines, causes and disputes, exactly?"""

import io
import json

import pytest
from python_calamine import CalamineWorkbook

from gateway.documents.statement.sheets import statement_sheets
from gateway.documents.tables import TableFormat
from tests.gateway.documents.statement.contents import statement_of_october


def test_a_workbook_has_lines_causes_and_disputes() -> None:
    made = statement_sheets(statement_of_october(), TableFormat.XLSX)
    book = CalamineWorkbook.from_filelike(io.BytesIO(made.content))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}

    assert made.name == "statement-CN-T-GB-B-2026-10.xlsx"
    assert {name: len(rows) - 1 for name, rows in sheets.items()} == {"Lines": 3, "Causes": 3, "Disputes": 1}
    assert sheets["Lines"][2][:10] == [
        "2026-10", "GB-B", "CN-T", "voice", "USD", 9500.0, 9100.000001, 399.999999, 9150.0, 350.0,
    ]  # fmt: skip
    assert sheets["Causes"][1] == ["GB-B", "voice", "missing_at_ours", 900.0, -350.0]


@pytest.mark.parametrize("format_", TableFormat)
def test_the_same_statement_gives_the_same_bytes(format_: TableFormat) -> None:
    first, second = (statement_sheets(statement_of_october(), format_) for _ in range(2))

    assert first.content == second.content


def test_the_lines_as_json_have_money_as_text() -> None:
    [_, line, _] = json.loads(statement_sheets(statement_of_october(), TableFormat.JSON).content)

    assert (line["debtor_counted"], line["difference"]) == ("9100.000001", "399.999999")
