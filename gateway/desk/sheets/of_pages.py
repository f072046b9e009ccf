"""Which tables does each page have?"""

from collections.abc import Mapping, Sequence

from gateway.desk.sheets.of_chain import CHAIN_SHEETS
from gateway.desk.sheets.of_files import FILE_SHEETS
from gateway.desk.sheets.of_money import MONEY_SHEETS
from gateway.desk.sheets.sheet import Column, Kind, Sheet

SHEETS: Mapping[str, Sequence[Sheet]] = {
    "overview.html": (
        Sheet(
            "partners",
            lambda view: view.partners,
            (
                Column("partner", lambda row: row.partner),
                Column("period", lambda row: row.period),
                Column("ours", lambda row: row.ours_micros, Kind.MONEY),
                Column("theirs", lambda row: row.theirs_micros, Kind.MONEY),
                Column("difference", lambda row: row.ours_micros - row.theirs_micros, Kind.MONEY),
                Column("disputed", lambda row: row.disputed_micros, Kind.MONEY),
                Column("net", lambda row: row.net_micros, Kind.MONEY),
                Column("overdue", lambda row: row.overdue_micros, Kind.MONEY),
                Column("credit", lambda row: row.credit.left_micros if row.credit else None, Kind.MONEY),
                Column("last_import", lambda row: row.imported_at_ms, Kind.MS),
                Column("state", lambda row: row.state.word),
            ),
            partner=lambda row: row.partner,
        ),
    ),
}
"""By template; the order of the columns is the order of the cells that the template draws."""


def sheets_of(template: str) -> Sequence[Sheet]:
    """The tables of a page."""
    for known in (SHEETS, MONEY_SHEETS, FILE_SHEETS, CHAIN_SHEETS):
        if template in known:
            return known[template]
    return ()
