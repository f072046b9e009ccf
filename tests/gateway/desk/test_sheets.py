"""Does a table that leaves the house hold what its page shows, under names that say what and in which unit?"""

from types import SimpleNamespace as Row
from typing import Any

import pytest

from gateway.desk.sheets.of_chain import CHAIN_SHEETS
from gateway.desk.sheets.of_files import FILE_SHEETS
from gateway.desk.sheets.of_money import MONEY_SHEETS
from gateway.desk.sheets.of_pages import SHEETS, sheets_of
from gateway.desk.sheets.sheet import Sheet

STATE = Row(word="open")
DISPUTE = Row(
    id="0x01",
    creditor="GB-B",
    reason="duration",
    opened_at=1_790_000_000,
    amount_micros=3_530_000,
    credited_micros=0,
    due_micros=3_530_000,
    state=STATE,
)
EVERY = [
    (template, sheet)
    for known in (SHEETS, MONEY_SHEETS, FILE_SHEETS, CHAIN_SHEETS)
    for template, sheets in known.items()
    for sheet in sheets
]


def taken(template: str, name: str, row: Any) -> dict[str, Any]:
    """A row as it leaves the house."""
    sheet = next(each for each in sheets_of(template) if each.name == name)
    (found,) = sheet.table([row]).to_pylist()
    return dict(found)


@pytest.mark.parametrize(("template", "sheet"), EVERY, ids=[f"{template}-{sheet.name}" for template, sheet in EVERY])
def test_names_that_leave_are_plain_and_each_there_once(template: str, sheet: Sheet) -> None:
    names = [column.name for column in (*sheet.within, *sheet.columns)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names), "no key of the catalogue"


def test_a_finding_leaves_with_its_creditor_and_service() -> None:
    finding = Row(
        creditor="GB-B",
        service=Row(word="voice"),
        cause=Row(value="duration"),
        explanation="1 call",
        ours_micros=1,
        theirs_micros=2,
        difference_micros=-1,
    )
    row = taken("statement.html", "findings", Row(finding=finding, state=STATE))
    assert (row["creditor"], row["service"], row["cause"]) == ("GB-B", "voice", "duration")


def test_a_dispute_leaves_with_its_id_and_creditor() -> None:
    of_month = taken("statement.html", "disputes", DISPUTE)
    listed = Row(
        row=DISPUTE,
        partner="GB-B",
        period="2026-10",
        service="voice",
        currency="USD",
        days=3,
        entries=0,
        waits_for="ours",
    )
    of_all = taken("disputes.html", "disputes", listed)
    assert [(each["dispute"], each["creditor"], each["cause"]) for each in (of_month, of_all)] == [
        ("0x01", "GB-B", "duration")
    ] * 2
    assert of_all["currency"] == "USD"


def test_a_direction_keeps_its_arrow_and_a_share_says_its_unit() -> None:
    side = Row(
        service="voice",
        debtor="GB-B",
        creditor="CN-T",
        ours_micros=1,
        theirs_micros=1,
        difference_micros=0,
        difference_bps=191,
        agreed_micros=1,
        withheld_micros=0,
        state=STATE,
    )
    row = taken("statement.html", "sides", side)
    assert (row["direction"], row["difference_basis_points"]) == ("GB-B → CN-T", 191)
    cycle = Row(
        id="0x02", currency="USD", gross_micros=9, netted_micros=1, saved_permille=892, ours=1, legs=1, block=None
    )
    assert taken("netting.html", "cycles", cycle)["saved_permille"] == 892


def test_a_risk_leaves_with_its_kind_and_an_import_with_its_number() -> None:
    risk = Row(
        group="forgery",
        kind="cause.invented",
        explanation="",
        partner="GB-B",
        period="2026-10",
        count=1,
        confidence=None,
        at_risk_micros=1,
        currency="USD",
    )
    read = Row(
        id=7,
        file_name="october.csv",
        preset="csv",
        accepted=1,
        quarantined=0,
        not_billable=0,
        duplicates=0,
        imported_at_ms=1_790_000_000_000,
    )
    left = taken("risk.html", "risks", risk)
    assert (left["kind"], left["currency"]) == ("invented", "USD")
    row = taken("imports.html", "imports", read)
    assert (row["import"], row["file"], row["accepted"]) == (7, "october.csv", 1)
