"""Which tables do the pages of files have? Imports, what each brought, and what was left out."""

from collections.abc import Mapping, Sequence

from gateway.desk.sheets.sheet import Column, Kind, Sheet

FILE_SHEETS: Mapping[str, Sequence[Sheet]] = {
    "imports.html": (
        Sheet(
            "imports",
            lambda view: view.imports,
            (
                Column("import.file", lambda row: row.file_name),
                Column("import.format", lambda row: row.preset),
                Column("import.accepted", lambda row: row.accepted, Kind.COUNT),
                Column("import.quarantined", lambda row: row.quarantined, Kind.COUNT),
                Column("import.not_billable", lambda row: row.not_billable, Kind.COUNT),
                Column("import.duplicates", lambda row: row.duplicates, Kind.COUNT),
                Column("import.at", lambda row: row.imported_at_ms, Kind.MS, leaves="imported_at"),
            ),
            within=(Column("import", lambda row: row.id, Kind.COUNT),),
        ),
    ),
    "import.html": (
        Sheet(
            "brought",
            lambda view: view.brought,
            (
                Column("statement", lambda row: f"{row.partner} {row.period}"),
                Column("creditor", lambda row: row.creditor),
                Column("service", lambda row: row.service),
                Column("records", lambda row: row.count, Kind.COUNT),
                Column("batch", lambda row: row.root),
                Column("state", lambda row: row.state.word),
            ),
            partner=lambda row: row.partner,
            service=lambda row: row.service,
            period=lambda row: row.period,
        ),
        Sheet(
            "quarantined",
            lambda view: view.rows,
            (
                Column("import.line", lambda row: row.line, Kind.COUNT),
                Column("import.reason", lambda row: row.reason),
                Column("import.raw", lambda row: row.raw),
            ),
            whole=lambda view: view.every_row(),
        ),
    ),
}
"""By template, as in of_pages."""
