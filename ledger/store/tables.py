"""What does a gateway remember? Every table of the store.

Three groups: what a carrier made (imports to reconciliations), what it says to the chain (the outbox), and what the
chain said. The last are projections: one table for each event of the contracts, generated from its binding, one row
for each log. They are append-only and hang on their block by foreign keys that cascade, so that a reorganisation is
one DELETE, and the present state of a thing is its latest row. All stand in this one file, past the usual length:
they refer to each other, and migrations are held against them as a whole.
"""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from ledger.store.columns import INT64, Blob, Carrier, Hash32, PeriodKey, ServiceNumber, Whole, WordOf, YesNo
from ledger.store.states import BatchState, EntryAct, Role, SubmissionState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: SchemaItem) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _scope() -> list[Column[Any]]:
    """The columns of ledger.usage.BatchScope."""
    return [
        _must("agreement_id", Hash32),
        _must("declarer", Carrier),
        _must("creditor", Carrier),
        _must("service", ServiceNumber),
        _must("period", PeriodKey),
    ]


def _must(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _may(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _id() -> Column[Any]:
    return Column("id", INT64, primary_key=True, autoincrement=True)


# WHAT A CARRIER MADE

imports = _table(
    "imports",
    _id(),
    _must("file_hash", Hash32),
    _must("file_name", Text),
    _must("preset", Text),
    _must("accepted", Whole),
    _must("quarantined", Whole),
    _must("not_billable", Whole),
    _must("duplicates", Whole),
    _must("imported_at_ms", Whole),
    Column("replay_of", INT64, ForeignKey("imports.id"), nullable=True, index=True),
    UniqueConstraint("file_hash"),
)

quarantined_rows = _table(
    "quarantined_rows",
    _id(),
    Column("import_id", INT64, ForeignKey("imports.id", ondelete="CASCADE"), nullable=False, index=True),
    _must("line", Whole),
    _must("reason", Text),
    _must("raw", Text),
)

usage_tables = _table(
    "usage_tables",
    _id(),
    Column("import_id", INT64, ForeignKey("imports.id"), nullable=False, index=True),
    *_scope(),
    _must("path", Text),
    _must("count", Whole),
    _must("quantity", Whole),
    Column("root", Hash32, ForeignKey("batches.root"), nullable=True, index=True),
    UniqueConstraint("path"),
)

documents = _table(
    "documents",
    Column("hash", Hash32, primary_key=True),
    _must("kind", Text),
    _may("agreement_id", Hash32),
    _must("name", Text),
    _must("content", Blob),
    _must("added_at_ms", Whole),
    Index(None, "kind", "agreement_id"),
)

batches = _table(
    "batches",
    Column("root", Hash32, primary_key=True),
    *_scope(),
    _must("count", Whole),
    _must("from_ms", Whole),
    _must("to_ms", Whole),
    _must("quantity", Whole),
    _must("amount_micros", Whole),
    _must("deck_hash", Hash32),
    _may("corrects", Hash32),
    _may("igw", Text),
    _must("archive_path", Text),
    _may("secret", Blob),
    _must("state", WordOf(BatchState)),
    _may("batch_id", Hash32),
    _may("seq", Whole),
    _may("deadline", Whole),
    _may("signature", Blob),
    _must("sealed_at_ms", Whole),
    UniqueConstraint("batch_id"),
    Index(None, "agreement_id", "period"),
    CheckConstraint("amount_micros >= 0 AND count > 0 AND quantity >= 0", name="totals"),
)

revealed_batches = _table(
    "revealed_batches",
    Column("batch_id", Hash32, primary_key=True),
    _must("root", Hash32),
    *_scope(),
    _must("archive_path", Text),
    _must("revealed_at_ms", Whole),
    _may("refusal", Text),
    Index(None, "agreement_id", "period"),
)

reconciliations = _table(
    "reconciliations",
    _id(),
    *_scope(),
    _must("ours_micros", Whole),
    _must("theirs_micros", Whole),
    _must("pairs", Whole),
    _must("ours_count", Whole),
    _must("theirs_count", Whole),
    _may("exceptions_path", Text),
    _must("reconciled_at_ms", Whole),
    Index(None, "agreement_id", "period"),
)

findings = _table(
    "findings",
    Column("reconciliation_id", INT64, ForeignKey("reconciliations.id", ondelete="CASCADE"), primary_key=True),
    Column("position", INT64, primary_key=True, autoincrement=False),
    _must("cause", Text),
    _must("severity", Text),
    _must("creditor", Carrier),
    _must("service", ServiceNumber),
    _must("period", PeriodKey),
    _must("count", Whole),
    _must("ours_micros", Whole),
    _must("theirs_micros", Whole),
    _may("route", Text),
    _may("destination", Text),
    _may("day", Text),
    _must("explanation", Text),
    _must("rule", Text),
)

arbitrages = _table(
    "arbitrages",
    Column("period", PeriodKey, primary_key=True, autoincrement=False),
    Column("number", INT64, primary_key=True, autoincrement=False),
    _must("scheme", Text),
    _must("cycle", Text),
    _must("loser", Carrier),
    _must("destination", Text),
    _must("codes", Text),
    _must("currency", Text),
    _must("gain_nanos", Whole),
    _must("count", Whole),
    _must("minutes", Whole),
    _must("lost_micros", Whole),
    _must("exposed_minutes", Whole),
    _must("at_risk_micros", Whole),
    _may("creditor", Carrier),
    _may("debtor", Carrier),
    _may("declarer", Carrier),
    _may("evidence_path", Text),
    _must("explanation", Text),
    _must("found_at_ms", Whole),
)

suspicions = _table(
    "suspicions",
    Column("period", PeriodKey, primary_key=True, autoincrement=False),
    Column("number", INT64, primary_key=True, autoincrement=False),
    _must("kind", Text),
    _must("confidence", Whole),
    _must("service", ServiceNumber),
    _must("creditor", Carrier),
    _must("debtor", Carrier),
    _may("declarer", Carrier),
    _must("subject", Text),
    _must("currency", Text),
    _must("count", Whole),
    _must("at_risk_micros", Whole),
    _must("rule", Text),
    _must("explanation", Text),
    _may("evidence_path", Text),
    _must("found_at_ms", Whole),
)

intakes = _table(
    "intakes",
    Column("id", Text, primary_key=True),
    _must("partner", Text),
    _must("direction", Text),
    _must("service", ServiceNumber),
    _must("form", Text),
    _must("packing", Text),
    _must("name", Text),
    _may("key", Text),
    _must("received", Whole),
    _must("complete", YesNo),
    Column("import_id", INT64, ForeignKey("imports.id"), nullable=True),
    _must("begun_at_ms", Whole),
    UniqueConstraint("key"),
)

webhooks = _table(
    "webhooks",
    Column("id", Text, primary_key=True),
    _must("url", Text),
    _must("secret", Blob),
    _must("events", Text),
    _must("next_block", Whole),
    _must("next_index", Whole),
    _must("failures", Whole),
    _may("failing_since_ms", Whole),
    _must("next_at_ms", Whole),
    _may("last_failure", Text),
    _may("last_failure_at_ms", Whole),
    _must("delivered", Whole),
    _may("last_delivered_at_ms", Whole),
    _may("disabled_at_ms", Whole),
    _must("created_at_ms", Whole),
)

answers = _table(
    "answers",
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _must("request_hash", Hash32),
    _may("status", Whole),
    _may("content_type", Text),
    _may("body", Blob),
    _must("asked_at_ms", Whole),
)

proposals = _table(
    "proposals",
    Column("kind", Text, primary_key=True),
    Column("digest", Hash32, primary_key=True),
    Column("signer", Carrier, primary_key=True),
    _may("agreement_id", Hash32),
    _may("period", PeriodKey),
    _must("struct", Blob),
    _must("signature", Blob),
    _must("received_at_ms", Whole),
    Index(None, "agreement_id", "period"),
)

dispute_entries = _table(
    "dispute_entries",
    Column("digest", Hash32, primary_key=True),
    _must("dispute_id", Hash32),
    _must("agreement_id", Hash32),
    _must("author", Carrier),
    _must("number", Whole),
    _must("previous", Hash32),
    _must("act", WordOf(EntryAct)),
    _must("credited_micros", Whole),
    _must("text", Text),
    _must("attachments", Blob),
    _must("written_at", Whole),
    _must("signature", Blob),
    _must("received_at_ms", Whole),
    _may("delivered_at_ms", Whole),
    Index(None, "dispute_id", "author", "number"),
)

locks = _table("locks", Column("name", Text, primary_key=True), _must("taken", Whole))

access_grants = _table(
    "access_grants",
    _id(),
    _must("role", WordOf(Role)),
    _must("label", Text),
    _may("key", Text),
    _may("code_hash", Hash32),
    _must("granted_at_ms", Whole),
    _must("expires_at_ms", Whole),
    _may("used_at_ms", Whole),
    _may("ended_at_ms", Whole),
    UniqueConstraint("code_hash"),
    Index(None, "key"),
)

sessions = _table(
    "sessions",
    Column("token_hash", Hash32, primary_key=True),
    _must("role", WordOf(Role)),
    _may("carrier", Carrier),
    _may("key", Text),
    _may("nonce", Hash32),
    Column("grant_id", INT64, ForeignKey("access_grants.id"), nullable=True, index=True),
    _must("opened_at_ms", Whole),
    _must("expires_at_ms", Whole),
    _may("ended_at_ms", Whole),
    UniqueConstraint("nonce"),
)

# WHAT IT SAYS TO THE CHAIN

outbox = _table(
    "outbox",
    _id(),
    _must("kind", Text),
    _must("subject", Hash32),
    _may("agreement_id", Hash32),
    _must("stream", Text),
    _must("position", Whole),
    _must("target", Text),
    _may("calldata", Blob),
    _must("gas", Whole),
    _must("state", WordOf(SubmissionState)),
    _may("error", Text),
    _may("reason", Text),
    _may("tried_at_block", Whole),
    _may("tx_hash", Hash32),
    _may("block_number", Whole),
    _may("block_hash", Hash32),
    _may("gas_used", Whole),
    _must("created_at_ms", Whole),
    _must("updated_at_ms", Whole),
    UniqueConstraint("kind", "subject"),
    Index(None, "state"),
)

_alive = outbox.c.state != SubmissionState.REVERTED
Index(
    "ux_outbox_stream_position",
    outbox.c.stream,
    outbox.c.position,
    unique=True,
    sqlite_where=_alive,
    postgresql_where=_alive,
)

attempts = _table(
    "attempts",
    Column("tx_hash", Hash32, primary_key=True),
    Column("outbox_id", INT64, ForeignKey("outbox.id"), nullable=False, index=True),
    _must("sender", Text),
    _must("nonce", Whole),
    _must("raw", Blob),
    _must("signed_at_ms", Whole),
    _must("open", YesNo),
    UniqueConstraint("sender", "nonce"),
    Index(None, "sender", "open"),
)

sending_keys = _table(
    "sending_keys",
    Column("sender", Text, primary_key=True),
    _must("next_nonce", Whole),
    _may("lease_holder", Text),
    _must("lease_until_ms", Whole),
)

# WHAT THE CHAIN SAID

chain_blocks = _table(
    "chain_blocks",
    Column("number", INT64, primary_key=True, autoincrement=False),
    _must("hash", Hash32),
    _must("timestamp", Whole),
)

chain_logs = _table(
    "chain_logs",
    Column("block_number", INT64, ForeignKey("chain_blocks.number", ondelete="CASCADE"), primary_key=True),
    Column("log_index", INT64, primary_key=True, autoincrement=False),
    _must("tx_hash", Hash32),
    _must("address", Text),
    _must("event", Text),
    _must("topics", Blob),
    _must("data", Blob),
)

alarms = _table(
    "alarms",
    Column("block_number", INT64, primary_key=True, autoincrement=False),
    Column("log_index", INT64, primary_key=True, autoincrement=False),
    Column("rule", Text, primary_key=True),
    _may("agreement_id", Hash32),
    _must("detail", Text),
    ForeignKeyConstraint(
        ["block_number", "log_index"], ["chain_logs.block_number", "chain_logs.log_index"], ondelete="CASCADE"
    ),
)
