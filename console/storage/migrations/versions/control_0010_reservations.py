"""What no two executions may be at in the same moment."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0010"
down_revision = "control_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "execution_reservation",
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("execution", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_execution_reservation"),
    )
    op.create_index("ix_execution_reservation_execution", "execution_reservation", ["execution"])
    ddl.grant("SELECT, INSERT, DELETE", "execution_reservation", "sallyport_app")


def downgrade() -> None:
    op.drop_table("execution_reservation")
