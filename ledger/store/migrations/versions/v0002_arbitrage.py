"""Where do the findings of arbitrage stand?"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One row for each finding of a period's search."""
    op.create_table(
        "arbitrages",
        sa.Column("period", WHOLE, nullable=False),
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("loser", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gain_nanos", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("minutes", WHOLE, nullable=False),
        sa.Column("lost_micros", WHOLE, nullable=False),
        sa.Column("exposed_minutes", WHOLE, nullable=False),
        sa.Column("at_risk_micros", WHOLE, nullable=False),
        sa.Column("creditor", sa.Text(), nullable=True),
        sa.Column("debtor", sa.Text(), nullable=True),
        sa.Column("declarer", sa.Text(), nullable=True),
        sa.Column("evidence_path", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("found_at_ms", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("period", "number", name=op.f("pk_arbitrages")),
        sqlite_strict=True,
    )
