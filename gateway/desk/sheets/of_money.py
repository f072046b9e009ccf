"""Which tables do the pages of money have? Disputes, credit, arrears, netting, findings, decks."""

from collections.abc import Mapping, Sequence

from gateway.desk.sheets.sheet import Column, Kind, Sheet

MONEY_SHEETS: Mapping[str, Sequence[Sheet]] = {
    "disputes.html": (
        Sheet(
            "disputes",
            lambda view: view.rows,
            (
                Column("dispute", lambda row: row.row.reason),
                Column("partner", lambda row: row.partner),
                Column("period", lambda row: row.period),
                Column("service", lambda row: row.service),
                Column("disputed", lambda row: row.row.amount_micros, Kind.MONEY),
                Column("credited", lambda row: row.row.credited_micros, Kind.MONEY),
                Column("opened", lambda row: row.row.opened_at, Kind.SECONDS),
                Column("days_open", lambda row: row.days, Kind.COUNT),
                Column("entries", lambda row: row.entries, Kind.COUNT),
                Column("waits_for", lambda row: row.waits_for),
                Column("state", lambda row: row.row.state.word),
            ),
            partner=lambda row: row.partner,
            service=lambda row: row.service,
            period=lambda row: row.period,
        ),
    ),
}
"""By template, as in of_pages."""
