"""What did the first store look like?"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of the first release."""

    op.create_table(
        "access_grants",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("granted_at_ms", WHOLE, nullable=False),
        sa.Column("expires_at_ms", WHOLE, nullable=False),
        sa.Column("used_at_ms", WHOLE, nullable=True),
        sa.Column("ended_at_ms", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grants")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_access_grants_code_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_access_grants_key"), "access_grants", ["key"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("grant_id", WHOLE, nullable=True),
        sa.Column("opened_at_ms", WHOLE, nullable=False),
        sa.Column("expires_at_ms", WHOLE, nullable=False),
        sa.Column("ended_at_ms", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grants.id"], name=op.f("fk_sessions_grant_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
        sa.UniqueConstraint("nonce", name=op.f("uq_sessions_nonce")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sessions_grant_id"), "sessions", ["grant_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", WHOLE, nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_answers")),
        sqlite_strict=True,
    )
    op.create_table(
        "batches",
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("from_ms", WHOLE, nullable=False),
        sa.Column("to_ms", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("deck_hash", sa.LargeBinary(), nullable=False),
        sa.Column("corrects", sa.LargeBinary(), nullable=True),
        sa.Column("igw", sa.Text(), nullable=True),
        sa.Column("archive_path", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.LargeBinary(), nullable=True),
        sa.Column("seq", WHOLE, nullable=True),
        sa.Column("deadline", WHOLE, nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_at_ms", WHOLE, nullable=False),
        sa.CheckConstraint("amount_micros >= 0 AND count > 0 AND quantity >= 0", name=op.f("ck_batches_totals")),
        sa.PrimaryKeyConstraint("root", name=op.f("pk_batches")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_batches_batch_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_batches_agreement_id_period"), "batches", ["agreement_id", "period"], unique=False)
    op.create_table(
        "chain_blocks",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_chain_blocks")),
        sqlite_strict=True,
    )
    op.create_table(
        "documents",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_documents")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_documents_kind_agreement_id"), "documents", ["kind", "agreement_id"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.Column("accepted", WHOLE, nullable=False),
        sa.Column("quarantined", WHOLE, nullable=False),
        sa.Column("not_billable", WHOLE, nullable=False),
        sa.Column("duplicates", WHOLE, nullable=False),
        sa.Column("imported_at_ms", WHOLE, nullable=False),
        sa.Column("replay_of", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["replay_of"], ["imports.id"], name=op.f("fk_imports_replay_of")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("file_hash", name=op.f("uq_imports_file_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_imports_replay_of"), "imports", ["replay_of"], unique=False)
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=True),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("calldata", sa.LargeBinary(), nullable=True),
        sa.Column("gas", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("tried_at_block", WHOLE, nullable=True),
        sa.Column("tx_hash", sa.LargeBinary(), nullable=True),
        sa.Column("block_number", WHOLE, nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("gas_used", WHOLE, nullable=True),
        sa.Column("created_at_ms", WHOLE, nullable=False),
        sa.Column("updated_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_outbox_kind_subject")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_outbox_state"), "outbox", ["state"], unique=False)
    op.create_index(
        "ux_outbox_stream_position",
        "outbox",
        ["stream", "position"],
        unique=True,
        sqlite_where=sa.text("state != 'reverted'"),
        postgresql_where=sa.text("state != 'reverted'"),
    )
    op.create_table(
        "proposals",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=True),
        sa.Column("period", WHOLE, nullable=True),
        sa.Column("struct", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("kind", "digest", "signer", name=op.f("pk_proposals")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_proposals_agreement_id_period"), "proposals", ["agreement_id", "period"], unique=False)
    op.create_table(
        "dispute_entries",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("dispute_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("credited_micros", WHOLE, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("attachments", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", WHOLE, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ms", WHOLE, nullable=False),
        sa.Column("delivered_at_ms", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_dispute_entries")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_dispute_entries_dispute_id_author_number"),
        "dispute_entries",
        ["dispute_id", "author", "number"],
        unique=False,
    )
    op.create_table(
        "reconciliations",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("ours_micros", WHOLE, nullable=False),
        sa.Column("theirs_micros", WHOLE, nullable=False),
        sa.Column("pairs", WHOLE, nullable=False),
        sa.Column("ours_count", WHOLE, nullable=False),
        sa.Column("theirs_count", WHOLE, nullable=False),
        sa.Column("exceptions_path", sa.Text(), nullable=True),
        sa.Column("reconciled_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_reconciliations_agreement_id_period"), "reconciliations", ["agreement_id", "period"], unique=False
    )
    op.create_table(
        "revealed_batches",
        sa.Column("batch_id", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("archive_path", sa.Text(), nullable=False),
        sa.Column("revealed_at_ms", WHOLE, nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_revealed_batches")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_revealed_batches_agreement_id_period"), "revealed_batches", ["agreement_id", "period"], unique=False
    )
    op.create_table(
        "sending_keys",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("next_nonce", WHOLE, nullable=False),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_until_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_sending_keys")),
        sqlite_strict=True,
    )
    op.create_table(
        "attempts",
        sa.Column("tx_hash", sa.LargeBinary(), nullable=False),
        sa.Column("outbox_id", WHOLE, nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at_ms", WHOLE, nullable=False),
        sa.Column("open", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_attempts_outbox_id")),
        sa.PrimaryKeyConstraint("tx_hash", name=op.f("pk_attempts")),
        sa.UniqueConstraint("sender", "nonce", name=op.f("uq_attempts_sender_nonce")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_attempts_outbox_id"), "attempts", ["outbox_id"], unique=False)
    op.create_index(op.f("ix_attempts_sender_open"), "attempts", ["sender", "open"], unique=False)
    op.create_table(
        "chain_logs",
        sa.Column("block_number", WHOLE, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number"], ["chain_blocks.number"], name=op.f("fk_chain_logs_block_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_chain_logs")),
        sqlite_strict=True,
    )
    op.create_table(
        "findings",
        sa.Column("reconciliation_id", WHOLE, nullable=False),
        sa.Column("position", WHOLE, autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("ours_micros", WHOLE, nullable=False),
        sa.Column("theirs_micros", WHOLE, nullable=False),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name=op.f("fk_findings_reconciliation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reconciliation_id", "position", name=op.f("pk_findings")),
        sqlite_strict=True,
    )
    op.create_table(
        "quarantined_rows",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("import_id", WHOLE, nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_quarantined_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_rows")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_quarantined_rows_import_id"), "quarantined_rows", ["import_id"], unique=False)
    op.create_table(
        "intakes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("packing", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("received", WHOLE, nullable=False),
        sa.Column("complete", WHOLE, nullable=False),
        sa.Column("import_id", WHOLE, nullable=True),
        sa.Column("begun_at_ms", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_intakes_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intakes")),
        sa.UniqueConstraint("key", name=op.f("uq_intakes_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("next_block", WHOLE, nullable=False),
        sa.Column("next_index", WHOLE, nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("failing_since_ms", WHOLE, nullable=True),
        sa.Column("next_at_ms", WHOLE, nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("last_failure_at_ms", WHOLE, nullable=True),
        sa.Column("delivered", WHOLE, nullable=False),
        sa.Column("last_delivered_at_ms", WHOLE, nullable=True),
        sa.Column("disabled_at_ms", WHOLE, nullable=True),
        sa.Column("created_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sqlite_strict=True,
    )
    op.create_table(
        "usage_tables",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("import_id", WHOLE, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_usage_tables_import_id")),
        sa.ForeignKeyConstraint(["root"], ["batches.root"], name=op.f("fk_usage_tables_root")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_tables")),
        sa.UniqueConstraint("path", name=op.f("uq_usage_tables_path")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_usage_tables_import_id"), "usage_tables", ["import_id"], unique=False)
    op.create_index(op.f("ix_usage_tables_root"), "usage_tables", ["root"], unique=False)
    op.create_table(
        "agreement_amended",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("services", WHOLE, nullable=False),
        sa.Column("document_hash", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_agreement_amended_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_agreement_amended")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_agreement_amended_agreement_id"), "agreement_amended", ["agreement_id"], unique=False)
    op.create_table(
        "agreement_signed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("carrier_low", sa.Text(), nullable=False),
        sa.Column("carrier_high", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("services", WHOLE, nullable=False),
        sa.Column("document_hash", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_agreement_signed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_agreement_signed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_agreement_signed_agreement_id"), "agreement_signed", ["agreement_id"], unique=False)
    op.create_table(
        "alarms",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_alarms_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", "rule", name=op.f("pk_alarms")),
        sqlite_strict=True,
    )
    op.create_table(
        "arrears_advanced",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("payable_id", sa.LargeBinary(), nullable=False),
        sa.Column("stage", WHOLE, nullable=False),
        sa.Column("outstanding_micros", WHOLE, nullable=False),
        sa.Column("interest_micros", WHOLE, nullable=False),
        sa.Column("advanced_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_arrears_advanced_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_arrears_advanced")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_arrears_advanced_payable_id"), "arrears_advanced", ["payable_id"], unique=False)
    op.create_table(
        "carrier_admitted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("admitted_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_carrier_admitted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_carrier_admitted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_carrier_admitted_carrier"), "carrier_admitted", ["carrier"], unique=False)
    op.create_table(
        "carrier_reinstated",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("reinstated_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_carrier_reinstated_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_carrier_reinstated")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_carrier_reinstated_carrier"), "carrier_reinstated", ["carrier"], unique=False)
    op.create_table(
        "carrier_removed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("removed_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_carrier_removed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_carrier_removed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_carrier_removed_carrier"), "carrier_removed", ["carrier"], unique=False)
    op.create_table(
        "carrier_suspended",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("suspended_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_carrier_suspended_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_carrier_suspended")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_carrier_suspended_carrier"), "carrier_suspended", ["carrier"], unique=False)
    op.create_table(
        "credit_alert",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("share_bps", WHOLE, nullable=False),
        sa.Column("exposure_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_credit_alert_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_credit_alert")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_credit_alert_agreement_id"), "credit_alert", ["agreement_id"], unique=False)
    op.create_table(
        "credit_line_granted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.Column("policy", WHOLE, nullable=False),
        sa.Column("exposure_micros", WHOLE, nullable=False),
        sa.Column("nonce", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_credit_line_granted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_credit_line_granted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_credit_line_granted_agreement_id"), "credit_line_granted", ["agreement_id"], unique=False)
    op.create_table(
        "credit_line_overrun",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("exposure_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_credit_line_overrun_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_credit_line_overrun")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_credit_line_overrun_agreement_id"), "credit_line_overrun", ["agreement_id"], unique=False)
    op.create_table(
        "credit_resumed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("resumed_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_credit_resumed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_credit_resumed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_credit_resumed_agreement_id"), "credit_resumed", ["agreement_id"], unique=False)
    op.create_table(
        "credit_stopped",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("stopped_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_credit_stopped_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_credit_stopped")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_credit_stopped_agreement_id"), "credit_stopped", ["agreement_id"], unique=False)
    op.create_table(
        "deposit_applied",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("payable_id", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("deposit_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_deposit_applied_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_deposit_applied")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_deposit_applied_agreement_id"), "deposit_applied", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_deposit_applied_payable_id"), "deposit_applied", ["payable_id"], unique=False)
    op.create_table(
        "deposit_received",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("deposit_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_deposit_received_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_deposit_received")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_deposit_received_agreement_id"), "deposit_received", ["agreement_id"], unique=False)
    op.create_table(
        "deposit_withdrawn",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("deposit_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_deposit_withdrawn_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_deposit_withdrawn")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_deposit_withdrawn_agreement_id"), "deposit_withdrawn", ["agreement_id"], unique=False)
    op.create_table(
        "dispute_opened",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("dispute_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("evidence_hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_dispute_opened_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_dispute_opened")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_dispute_opened_agreement_id"), "dispute_opened", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_dispute_opened_dispute_id"), "dispute_opened", ["dispute_id"], unique=False)
    op.create_table(
        "dispute_state_changed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("dispute_id", sa.LargeBinary(), nullable=False),
        sa.Column("state", WHOLE, nullable=False),
        sa.Column("credited_micros", WHOLE, nullable=False),
        sa.Column("due_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_dispute_state_changed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_dispute_state_changed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_dispute_state_changed_dispute_id"), "dispute_state_changed", ["dispute_id"], unique=False)
    op.create_table(
        "equivocation_proven",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("second", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_equivocation_proven_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_equivocation_proven")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_equivocation_proven_agreement_id"), "equivocation_proven", ["agreement_id"], unique=False)
    op.create_table(
        "exposure_changed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("change_micros", WHOLE, nullable=False),
        sa.Column("exposure_micros", WHOLE, nullable=False),
        sa.Column("limit_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_exposure_changed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_exposure_changed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_exposure_changed_agreement_id"), "exposure_changed", ["agreement_id"], unique=False)
    op.create_table(
        "igw_delisted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("igw", sa.Text(), nullable=False),
        sa.Column("delisted_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_igw_delisted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_igw_delisted")),
        sqlite_strict=True,
    )
    op.create_table(
        "igw_listed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("igw", sa.Text(), nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_igw_listed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_igw_listed")),
        sqlite_strict=True,
    )
    op.create_table(
        "item_netted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.LargeBinary(), nullable=False),
        sa.Column("cycle_id", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_item_netted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_item_netted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_item_netted_cycle_id"), "item_netted", ["cycle_id"], unique=False)
    op.create_index(op.f("ix_item_netted_item_id"), "item_netted", ["item_id"], unique=False)
    op.create_table(
        "item_opened",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_item_opened_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_item_opened")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_item_opened_agreement_id"), "item_opened", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_item_opened_item_id"), "item_opened", ["item_id"], unique=False)
    op.create_table(
        "key_granted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_key_granted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_key_granted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_key_granted_carrier"), "key_granted", ["carrier"], unique=False)
    op.create_table(
        "key_revoked",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revoked_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_key_revoked_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_key_revoked")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_key_revoked_carrier"), "key_revoked", ["carrier"], unique=False)
    op.create_table(
        "licence_granted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_licence_granted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_licence_granted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_licence_granted_carrier"), "licence_granted", ["carrier"], unique=False)
    op.create_table(
        "licence_revoked",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("revoked_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_licence_revoked_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_licence_revoked")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_licence_revoked_carrier"), "licence_revoked", ["carrier"], unique=False)
    op.create_table(
        "member_invited",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("threshold", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_member_invited_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_member_invited")),
        sqlite_strict=True,
    )
    op.create_table(
        "member_joined",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("threshold", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_member_joined_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_member_joined")),
        sqlite_strict=True,
    )
    op.create_table(
        "member_removed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("threshold", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_member_removed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_member_removed")),
        sqlite_strict=True,
    )
    op.create_table(
        "netting_cycle_executed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("cycle_id", sa.LargeBinary(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("nonce", WHOLE, nullable=False),
        sa.Column("gross_micros", WHOLE, nullable=False),
        sa.Column("netted_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_netting_cycle_executed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_netting_cycle_executed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_netting_cycle_executed_cycle_id"), "netting_cycle_executed", ["cycle_id"], unique=False)
    op.create_table(
        "payable_opened",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("payable_id", sa.LargeBinary(), nullable=False),
        sa.Column("cycle_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_payable_opened_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_payable_opened")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payable_opened_agreement_id"), "payable_opened", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_payable_opened_cycle_id"), "payable_opened", ["cycle_id"], unique=False)
    op.create_index(op.f("ix_payable_opened_payable_id"), "payable_opened", ["payable_id"], unique=False)
    op.create_table(
        "payee_changed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("nonce", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_payee_changed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_payee_changed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payee_changed_carrier"), "payee_changed", ["carrier"], unique=False)
    op.create_table(
        "payment_received",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("payable_id", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("interest_micros", WHOLE, nullable=False),
        sa.Column("outstanding_micros", WHOLE, nullable=False),
        sa.Column("bank_reference", sa.LargeBinary(), nullable=False),
        sa.Column("paid_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_payment_received_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_payment_received")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_received_payable_id"), "payment_received", ["payable_id"], unique=False)
    op.create_table(
        "period_closed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("creditor_seq", WHOLE, nullable=False),
        sa.Column("debtor_seq", WHOLE, nullable=False),
        sa.Column("closed_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_period_closed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_period_closed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_period_closed_agreement_id"), "period_closed", ["agreement_id"], unique=False)
    op.create_table(
        "position_netted",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("cycle_id", sa.LargeBinary(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("position_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_position_netted_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_position_netted")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_position_netted_carrier"), "position_netted", ["carrier"], unique=False)
    op.create_index(op.f("ix_position_netted_cycle_id"), "position_netted", ["cycle_id"], unique=False)
    op.create_table(
        "proposal_approved",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("proposal_id", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("approvals", WHOLE, nullable=False),
        sa.Column("ready_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_proposal_approved_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_proposal_approved")),
        sqlite_strict=True,
    )
    op.create_table(
        "proposal_executed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("proposal_id", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_proposal_executed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_proposal_executed")),
        sqlite_strict=True,
    )
    op.create_table(
        "proposal_made",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("proposal_id", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("call", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_proposal_made_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_proposal_made")),
        sqlite_strict=True,
    )
    op.create_table(
        "rate_deck_published",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("change", WHOLE, nullable=False),
        sa.Column("deck_hash", sa.LargeBinary(), nullable=False),
        sa.Column("effective_at", WHOLE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("published_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_rate_deck_published_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_rate_deck_published")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_rate_deck_published_agreement_id"), "rate_deck_published", ["agreement_id"], unique=False)
    op.create_table(
        "statement_agreed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("batches_hash", sa.LargeBinary(), nullable=False),
        sa.Column("by_silence", WHOLE, nullable=False),
        sa.Column("agreed_at", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_statement_agreed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_statement_agreed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_statement_agreed_agreement_id"), "statement_agreed", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_statement_agreed_statement_id"), "statement_agreed", ["statement_id"], unique=False)
    op.create_table(
        "statement_line_agreed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.LargeBinary(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("creditor_micros", WHOLE, nullable=False),
        sa.Column("debtor_micros", WHOLE, nullable=False),
        sa.Column("agreed_micros", WHOLE, nullable=False),
        sa.Column("withheld_micros", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_statement_line_agreed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_statement_line_agreed")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_statement_line_agreed_statement_id"), "statement_line_agreed", ["statement_id"], unique=False
    )
    op.create_table(
        "statement_proposed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False),
        sa.Column("proposed_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_statement_proposed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_statement_proposed")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_statement_proposed_agreement_id"), "statement_proposed", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_statement_proposed_statement_id"), "statement_proposed", ["statement_id"], unique=False)
    op.create_table(
        "threshold_changed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("threshold", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_threshold_changed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_threshold_changed")),
        sqlite_strict=True,
    )
    op.create_table(
        "token_listed",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_token_listed_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_token_listed")),
        sqlite_strict=True,
    )
    op.create_table(
        "usage_declared",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_id", sa.LargeBinary(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("from_ms", WHOLE, nullable=False),
        sa.Column("to_ms", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("amount_micros", WHOLE, nullable=False),
        sa.Column("deck_hash", sa.LargeBinary(), nullable=False),
        sa.Column("corrects", sa.LargeBinary(), nullable=False),
        sa.Column("igw", sa.Text(), nullable=False),
        sa.Column("deadline", WHOLE, nullable=False),
        sa.Column("declared_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_usage_declared_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_usage_declared")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_usage_declared_agreement_id"), "usage_declared", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_usage_declared_batch_id"), "usage_declared", ["batch_id"], unique=False)
    op.create_table(
        "usage_recorded",
        sa.Column("block_number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("log_index", WHOLE, autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number", "log_index"],
            ["chain_logs.block_number", "chain_logs.log_index"],
            name=op.f("fk_usage_recorded_block_number_log_index"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_usage_recorded")),
        sqlite_strict=True,
    )
