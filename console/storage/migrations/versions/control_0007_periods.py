"""Accounting periods."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0007"
down_revision = "control_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounting_period",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("prepared_by", ddl.WORDS, nullable=True),
        sa.Column("prepared_at", sa.BigInteger(), nullable=True),
        sa.Column("tenants", sa.Integer(), nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=True),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("closed_by", ddl.WORDS, nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.Column("times_reopened", sa.Integer(), nullable=False),
        sa.Column("cursor", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accounting_period"),
    )
    ddl.grant("SELECT, INSERT, UPDATE", "accounting_period", "sallyport_app")


def downgrade() -> None:
    op.drop_table("accounting_period")
