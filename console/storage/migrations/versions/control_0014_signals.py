"""Signals, how far the trail was watched, and who has to confirm with a second factor."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0014"
down_revision = "control_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("confirm_after", sa.BigInteger(), nullable=True))
    op.create_table(
        "signal",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("rule", ddl.WORDS, nullable=False),
        sa.Column("subject", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("summary", ddl.WORDS, nullable=False),
        sa.Column("response", ddl.WORDS, nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("settled_by", ddl.WORDS, nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("note", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
    )
    is_open, is_settled = ddl.only_where("state = 'open'"), ddl.only_where("state <> 'open'")
    op.create_index("uq_signal_open", "signal", ["rule", "subject"], unique=True, **is_open)
    op.create_index("ix_signal_open_id", "signal", ["id"], **is_open)
    op.create_index("ix_signal_settled_id", "signal", ["id"], **is_settled)
    op.create_table(
        "signal_watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", ddl.ROW_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signal_watch"),
    )
    # What happened before signals were there raises none.
    op.execute("INSERT INTO signal_watch SELECT 1, coalesce(max(seq), -1) FROM audit_seq")
    ddl.keep_columns("signal", "id", "rule", "subject", "staff", "tenant", "response", "raised_at")
    ddl.refuse_update("signal", "settled", "OLD.state <> 'open'")
    ddl.grant("SELECT, INSERT, UPDATE", "signal", "sallyport_app")
    ddl.grant("SELECT, UPDATE", "signal_watch", "sallyport_app")


def downgrade() -> None:
    op.drop_table("signal_watch")
    op.drop_table("signal")
    op.drop_column("staff", "confirm_after")
