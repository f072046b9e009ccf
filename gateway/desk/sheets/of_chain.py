"""Which tables do the pages of the chain have? Batches, events, gas and the queue."""

from collections.abc import Mapping, Sequence

from gateway.desk.shapes import hexed
from gateway.desk.sheets.sheet import Column, Kind, Sheet

CHAIN_SHEETS: Mapping[str, Sequence[Sheet]] = {
    "chain.html": (
        Sheet(
            "batches",
            lambda view: view.rows,
            (
                Column("batch", lambda row: row.batch.root),
                Column("partner", lambda row: row.partner),
                Column("period", lambda row: row.period),
                Column("service", lambda row: row.service),
                Column("declarer", lambda row: row.batch.declarer),
                Column("creditor", lambda row: row.batch.creditor),
                Column("records", lambda row: row.batch.count, Kind.COUNT),
                Column("payable.amount", lambda row: row.batch.amount_micros, Kind.MONEY),
                Column("transaction", lambda row: row.batch.transaction),
                Column("state", lambda row: row.batch.state.word),
            ),
            partner=lambda row: row.partner,
            service=lambda row: row.service,
            period=lambda row: row.period,
        ),
    ),
    "events.html": (
        Sheet(
            "events",
            lambda view: view.rows,
            (
                Column("chain.block", lambda row: row.log.block_number, Kind.COUNT),
                Column("chain.at", lambda row: row.at, Kind.SECONDS),
                Column("chain.event", lambda row: row.log.event),
                Column("chain.arguments", lambda row: row.arguments),
                Column("transaction", lambda row: row.transaction),
            ),
            whole=lambda view: view.every.rows(),
        ),
    ),
    "gas.html": (
        Sheet(
            "spent",
            lambda view: view.spent,
            (
                Column("chain.kind", lambda row: row.kind),
                Column("chain.calls", lambda row: row.calls, Kind.COUNT),
                Column("chain.gas", lambda row: row.gas, Kind.COUNT),
                Column("chain.each", lambda row: row.each, Kind.COUNT),
                Column("chain.most", lambda row: row.most, Kind.COUNT),
                Column("chain.wei", lambda row: str(row.wei)),
            ),
        ),
        Sheet(
            "calls",
            lambda view: view.calls,
            (
                Column("chain.kind", lambda row: row.kind),
                Column("chain.block", lambda row: row.block_number, Kind.COUNT),
                Column("chain.gas", lambda row: row.gas_used, Kind.COUNT),
                Column("chain.limit", lambda row: row.gas, Kind.COUNT),
                Column("transaction", lambda row: hexed(row.tx_hash)),
                Column("state", lambda row: row.state.value),
            ),
        ),
    ),
    "queue.html": (
        Sheet(
            "queue",
            lambda view: view.rows,
            (
                Column("chain.kind", lambda row: row.row.kind),
                Column("partner", lambda row: row.partner),
                Column("state", lambda row: row.state.word),
                Column("chain.reason", lambda row: row.row.reason or row.row.error),
                Column("chain.todo", lambda row: row.todo),
                Column("chain.since", lambda row: row.row.created_at_ms, Kind.MS),
            ),
            partner=lambda row: row.partner,
        ),
    ),
    "webhooks.html": (
        Sheet(
            "webhooks",
            lambda view: view.rows,
            (
                Column("webhook", lambda row: row.url),
                Column("state", lambda row: row.state.word),
                Column("webhook.place", lambda row: row.next_block, Kind.COUNT),
                Column("webhook.delivered", lambda row: row.delivered, Kind.COUNT),
                Column("webhook.last", lambda row: row.last_delivered_at_ms, Kind.MS),
                Column("webhook.failure", lambda row: row.last_failure),
                Column("chain.todo", lambda row: row.todo),
            ),
        ),
    ),
}
"""By template, as in of_pages."""
