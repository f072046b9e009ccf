"""Which tables do the pages of money have? Disputes, credit, arrears, netting, findings, decks."""

from collections.abc import Mapping, Sequence

from gateway.desk.sheets.sheet import Column, Kind, Sheet

FINDINGS_SHOWN = 30
"""Of a month's, which may be hundreds; the rest at one click."""
_ITEM = (
    Column("source", lambda row: row.source),
    Column("payable.who", lambda row: f"{row.debtor} → {row.creditor}"),
    Column("payable.amount", lambda row: row.amount_micros, Kind.MONEY),
    Column("payable.due", lambda row: row.due_at, Kind.SECONDS),
)

MONEY_SHEETS: Mapping[str, Sequence[Sheet]] = {
    "statement.html": (
        Sheet(
            "sides",
            lambda view: view.rows,
            (
                Column("service", lambda row: row.service),
                Column("direction", lambda row: f"{row.debtor} → {row.creditor}"),
                Column("ours", lambda row: row.ours_micros, Kind.MONEY, "ours"),
                Column("theirs", lambda row: row.theirs_micros, Kind.MONEY, "theirs"),
                Column("difference", lambda row: row.difference_micros, Kind.MONEY),
                Column(
                    "difference_share", lambda row: row.difference_bps, Kind.COUNT, leaves="difference_basis_points"
                ),
                Column("agreed", lambda row: row.agreed_micros, Kind.MONEY),
                Column("withheld", lambda row: row.withheld_micros, Kind.MONEY),
                Column("state", lambda row: row.state.word),
            ),
            service=lambda row: row.service,
        ),
        Sheet(
            "findings",
            lambda view: view.findings,
            (
                Column("cause", lambda row: row.finding.cause.value),
                Column("finding", lambda row: row.finding.explanation),
                Column("ours", lambda row: row.finding.ours_micros, Kind.MONEY, "ours"),
                Column("theirs", lambda row: row.finding.theirs_micros, Kind.MONEY, "theirs"),
                Column("difference", lambda row: row.finding.difference_micros, Kind.MONEY),
                Column("state", lambda row: row.state.word),
            ),
            service=lambda row: row.finding.service.word,
            most=FINDINGS_SHOWN,
            within=(
                Column("creditor", lambda row: row.finding.creditor),
                Column("service", lambda row: row.finding.service.word),
            ),
        ),
        Sheet(
            "disputes",
            lambda view: view.disputes,
            (
                Column("cause", lambda row: row.reason),
                Column("opened", lambda row: row.opened_at, Kind.SECONDS),
                Column("disputed", lambda row: row.amount_micros, Kind.MONEY),
                Column("credited", lambda row: row.credited_micros, Kind.MONEY),
                Column("payment_due", lambda row: row.due_micros, Kind.MONEY),
                Column("state", lambda row: row.state.word),
            ),
            within=(Column("dispute", lambda row: row.id), Column("creditor", lambda row: row.creditor)),
        ),
        Sheet(
            "batches",
            lambda view: view.batches,
            (
                Column("batch", lambda row: row.root),
                Column("declarer", lambda row: row.declarer),
                Column("creditor", lambda row: row.creditor),
                Column("records", lambda row: row.count, Kind.COUNT),
                Column("payable.amount", lambda row: row.amount_micros, Kind.MONEY),
                Column("transaction", lambda row: row.transaction),
                Column("state", lambda row: row.state.word),
            ),
        ),
    ),
    "disputes.html": (
        Sheet(
            "disputes",
            lambda view: view.rows,
            (
                Column("dispute", lambda row: row.row.reason, leaves="cause"),
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
            within=(
                Column("dispute", lambda row: row.row.id),
                Column("creditor", lambda row: row.row.creditor),
                Column("currency", lambda row: row.currency),
            ),
        ),
    ),
    "credit.html": (
        Sheet(
            "changes",
            lambda view: view.changes,
            (
                Column("moment", lambda row: row.at, Kind.SECONDS),
                Column("partner", lambda row: row.partner),
                Column("creditor", lambda row: row.creditor),
                Column("change", lambda row: row.change_micros, Kind.MONEY),
                Column("exposure", lambda row: row.exposure_micros, Kind.MONEY),
                Column("line", lambda row: row.limit_micros, Kind.MONEY),
                Column("chain_block", lambda row: row.block, Kind.COUNT),
            ),
            partner=lambda row: row.partner,
        ),
    ),
    "arrears.html": (
        Sheet(
            "bands",
            lambda view: view.bands,
            (
                Column("partner", lambda row: row.partner),
                Column("band.current", lambda row: row.bands[0], Kind.MONEY),
                Column("band.days_1_30", lambda row: row.bands[1], Kind.MONEY),
                Column("band.days_31_60", lambda row: row.bands[2], Kind.MONEY),
                Column("band.days_61_90", lambda row: row.bands[3], Kind.MONEY),
                Column("band.over_90", lambda row: row.bands[4], Kind.MONEY),
                Column("payable.interest", lambda row: row.interest_micros, Kind.MONEY),
                Column("sum", lambda row: row.total_micros, Kind.MONEY),
            ),
            partner=lambda row: row.partner,
        ),
    ),
    "netting.html": (
        Sheet(
            "cycles",
            lambda view: view.rows,
            (
                Column("cycle", lambda row: row.id),
                Column("currency", lambda row: row.currency),
                Column("gross", lambda row: row.gross_micros, Kind.MONEY),
                Column("netted", lambda row: row.netted_micros, Kind.MONEY),
                Column("saved", lambda row: row.saved_permille, Kind.COUNT, leaves="saved_permille"),
                Column("our_position", lambda row: row.ours, Kind.MONEY),
                Column("legs", lambda row: row.legs, Kind.COUNT),
                Column("chain_block", lambda row: row.block, Kind.COUNT),
            ),
        ),
        Sheet("waiting", lambda view: view.waiting, _ITEM, partner=lambda row: row.partner),
    ),
    "cycle.html": (
        Sheet(
            "positions",
            lambda view: view.positions,
            (
                Column("carrier", lambda row: row.carrier),
                Column("our_position", lambda row: row.position_micros, Kind.MONEY),
            ),
        ),
        Sheet("items", lambda view: view.items, _ITEM, partner=lambda row: row.partner),
    ),
    "risk.html": (
        Sheet(
            "risks",
            lambda view: view.rows,
            (
                Column("group", lambda row: row.group),
                Column("kind", lambda row: row.kind.rpartition(".")[2]),
                Column("finding", lambda row: row.explanation),
                Column("partner", lambda row: row.partner),
                Column("period", lambda row: row.period),
                Column("records", lambda row: row.count, Kind.COUNT),
                Column("confidence", lambda row: row.confidence, Kind.COUNT),
                Column("at_risk", lambda row: row.at_risk_micros, Kind.MONEY),
            ),
            partner=lambda row: row.partner,
            period=lambda row: row.period,
            within=(Column("currency", lambda row: row.currency),),
        ),
    ),
    "decks.html": (
        Sheet(
            "decks",
            lambda view: view.rows,
            (
                Column("deck", lambda row: row.hash),
                Column("direction", lambda row: f"{row.creditor} {row.debtor}"),
                Column("service", lambda row: row.service),
                Column("change", lambda row: row.change),
                Column("published", lambda row: row.published_at, Kind.SECONDS),
                Column("effective", lambda row: row.effective_at, Kind.SECONDS),
                Column("notice_days", lambda row: row.notice_days, Kind.COUNT),
            ),
            partner=lambda row: row.partner,
            service=lambda row: row.service,
        ),
    ),
    "deck.html": (
        Sheet(
            "rates",
            lambda view: view.changes,
            (
                Column("code", lambda row: row.code),
                Column("destination", lambda row: row.destination),
                Column("change", lambda row: row.kind),
                Column("rate_before", lambda row: row.before.nanos if row.before else None, Kind.COUNT),
                Column("rate_after", lambda row: row.after.nanos if row.after else None, Kind.COUNT),
                Column("records", lambda row: row.records, Kind.COUNT),
                Column("deck.money", lambda row: row.micros, Kind.MONEY),
            ),
        ),
    ),
    "agreements.html": (
        Sheet(
            "agreements",
            lambda view: view.rows,
            (
                Column("partner", lambda row: row.partner),
                Column("currency", lambda row: row.currency),
                Column("services", lambda row: ", ".join(row.services)),
                Column("zone", lambda row: row.zone),
                Column("valid_from", lambda row: row.valid_from, Kind.SECONDS),
                Column("versions", lambda row: row.versions, Kind.COUNT),
                Column("decks", lambda row: row.decks, Kind.COUNT),
                Column("on_chain", lambda row: row.block, Kind.COUNT),
            ),
            partner=lambda row: row.partner,
        ),
    ),
    "agreement.html": (
        Sheet(
            "keys",
            lambda view: view.keys,
            (
                Column("key", lambda row: row.key),
                Column("valid_from", lambda row: row.valid_from, Kind.SECONDS),
                Column("valid_until", lambda row: row.valid_until, Kind.SECONDS),
                Column("revoked", lambda row: row.revoked_at, Kind.SECONDS),
            ),
        ),
    ),
}
"""By template, as in of_pages."""
