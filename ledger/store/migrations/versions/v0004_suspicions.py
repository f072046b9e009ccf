"""Where do the suspicions of fraud and forgery stand?"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One row for each suspicion of a period's search."""
    op.create_table(
        "suspicions",
        sa.Column("period", WHOLE, autoincrement=False, nullable=False),
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("confidence", WHOLE, nullable=False),
        sa.Column("service", WHOLE, nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("declarer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("at_risk_micros", WHOLE, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("evidence_path", sa.Text(), nullable=True),
        sa.Column("found_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("period", "number", name=op.f("pk_suspicions")),
        sqlite_strict=True,
    )
