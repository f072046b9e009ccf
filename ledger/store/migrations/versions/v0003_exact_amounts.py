"""Where do amounts stand that need more than 63 bits? In digits, in the same columns; what the chain said is read anew.

An amount too large for its column raised an alarm that stopped all who followed the chain. Reading again from the first
block fills the tables, and takes such alarms back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = {
    "arrears_advanced": ("outstanding_micros", "interest_micros"),
    "credit_alert": ("exposure_micros", "limit_micros"),
    "credit_line_granted": ("limit_micros", "exposure_micros"),
    "credit_line_overrun": ("exposure_micros", "limit_micros"),
    "deposit_applied": ("amount_micros", "deposit_micros", "limit_micros"),
    "deposit_received": ("amount_micros", "deposit_micros", "limit_micros"),
    "deposit_withdrawn": ("amount_micros", "deposit_micros", "limit_micros"),
    "dispute_opened": ("amount_micros",),
    "dispute_state_changed": ("credited_micros", "due_micros"),
    "exposure_changed": ("change_micros", "exposure_micros", "limit_micros"),
    "item_opened": ("amount_micros",),
    "netting_cycle_executed": ("gross_micros", "netted_micros"),
    "payable_opened": ("amount_micros",),
    "payment_received": ("amount_micros", "interest_micros", "outstanding_micros"),
    "position_netted": ("position_micros",),
    "statement_line_agreed": ("creditor_micros", "debtor_micros", "agreed_micros", "withheld_micros"),
    "usage_declared": ("quantity", "amount_micros"),
}


def upgrade() -> None:
    """Empty what the chain said, and change its columns."""
    op.execute("DELETE FROM chain_blocks")
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table, table_kwargs={"sqlite_strict": True}) as changed:
            for column in columns:
                changed.alter_column(
                    column,
                    existing_type=WHOLE,
                    existing_nullable=False,
                    type_=sa.Text(),
                    postgresql_using=f"{column}::text",
                )
