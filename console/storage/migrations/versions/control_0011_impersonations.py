"""Impersonations with their one-use codes, and what the product tells of its side."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0011"
down_revision = "control_0010"
branch_labels = None
depends_on = None

_OPEN = "ended_at IS NULL"


def upgrade() -> None:
    _impersonations()
    _told()
    # No clock is ever extended, nobody slips into somebody else's row, and what has ended stays ended.
    ddl.keep_columns(
        "impersonation", "id", "staff", "lease", "tenant", "member", "reason_code", "reason_reference", "reason_note",
        "request", "started_at", "not_after", "idle_minutes",
    )  # fmt: skip
    ddl.refuse_update("impersonation", "ended_stays", "OLD.ended_at IS NOT NULL")
    ddl.refuse_update("impersonation", "no_way_back", "OLD.mode = 'write' AND NEW.mode <> 'write'")
    ddl.keep_columns(
        "impersonation_code", "digest", "impersonation", "session", "challenge", "made_at", "until"
    )  # fmt: skip
    ddl.refuse_update("impersonation_code", "used_once", "OLD.used_at IS NOT NULL")
    for table in ("product_report", "product_event"):
        ddl.append_only(table)
    moves = "session, mode, widened_by, last_used_at, ended_at, ended_by"
    ddl.grant(f"SELECT, INSERT, UPDATE ({moves})", "impersonation", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (used_at)", "impersonation_code", "sallyport_app")
    ddl.grant("SELECT, INSERT", "product_report, product_event", "sallyport_app")


def downgrade() -> None:
    for table in ("product_event", "product_report", "impersonation_code", "impersonation"):
        op.drop_table(table)


def _impersonations() -> None:
    op.create_table(
        "impersonation",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("session", ddl.WORDS, nullable=False),
        sa.Column("lease", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("member", ddl.WORDS, nullable=False),
        sa.Column("mode", ddl.WORDS, nullable=False),
        sa.Column("reason_code", ddl.WORDS, nullable=False),
        sa.Column("reason_reference", ddl.WORDS, nullable=False),
        sa.Column("reason_note", ddl.WORDS, nullable=False),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.Column("widened_by", ddl.WORDS, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("idle_minutes", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", ddl.WORDS, nullable=True),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_impersonation_staff"),
        sa.ForeignKeyConstraint(["lease"], ["lease.id"], name="fk_impersonation_lease"),
        sa.PrimaryKeyConstraint("id", name="pk_impersonation"),
    )
    op.create_index("uq_impersonation_one_of_staff", "impersonation", ["staff"], unique=True, **ddl.only_where(_OPEN))
    op.create_index("ix_impersonation_open_id", "impersonation", ["id"], **ddl.only_where(_OPEN))
    op.create_index("ix_impersonation_open_member", "impersonation", ["tenant", "member"], **ddl.only_where(_OPEN))
    op.create_index("ix_impersonation_open_session", "impersonation", ["session"], **ddl.only_where(_OPEN))
    op.create_index("ix_impersonation_tenant_id", "impersonation", ["tenant", "id"])
    op.create_table(
        "impersonation_code",
        sa.Column("digest", ddl.WORDS, nullable=False),
        sa.Column("impersonation", ddl.WORDS, nullable=False),
        sa.Column("session", ddl.WORDS, nullable=False),
        sa.Column("challenge", ddl.WORDS, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["impersonation"], ["impersonation.id"], name="fk_impersonation_code_impersonation"
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_impersonation_code"),
    )  # fmt: skip


def _told() -> None:
    op.create_table(
        "product_report",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("impersonation", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("method", ddl.WORDS, nullable=False),
        sa.Column("route", ddl.WORDS, nullable=False),
        sa.Column("effect", ddl.WORDS, nullable=False),
        sa.Column("outcome", ddl.WORDS, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", ddl.WORDS, nullable=True),
        sa.ForeignKeyConstraint(["impersonation"], ["impersonation.id"], name="fk_product_report_impersonation"),
        sa.PrimaryKeyConstraint("id", name="pk_product_report"),
    )
    op.create_index("ix_product_report_impersonation_at_id", "product_report", ["impersonation", "at", "id"])
    op.create_table(
        "product_event",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("member", ddl.WORDS, nullable=False),
        sa.Column("imported_member", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_product_event"),
    )
    op.create_index("ix_product_event_tenant_received_at", "product_event", ["tenant", "received_at"])
