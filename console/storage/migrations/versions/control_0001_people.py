"""Staff, sessions, leases, notices, throttles."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0001"
down_revision = None
branch_labels = ("control",)
depends_on = None


def upgrade() -> None:
    ddl.ensure_roles()
    ddl.grant("SELECT", "sallyport_version", "sallyport_app")
    op.create_table(
        "notice",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("to_staff", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("sentence", ddl.WORDS, nullable=False),
        sa.Column("path", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_undelivered", "notice", ["at", "id"], **ddl.only_where("delivered_at IS NULL"))
    op.create_index("ix_notice_unread", "notice", ["to_staff", "at", "id"], **ddl.only_where("read_at IS NULL"))
    op.create_table(
        "staff",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("person", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("email", ddl.WORDS, nullable=False),
        sa.Column("email_folded", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", ddl.WORDS, nullable=True),
        sa.Column("totp_sealed", ddl.WORDS, nullable=True),
        sa.Column("totp_last_step", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email_folded", name="uq_staff_email_folded"),
        sa.UniqueConstraint("person", name="uq_staff_person"),
    )
    op.create_table(
        "throttle_event",
        sa.Column("id", ddl.ROW_NUMBER, nullable=False),
        sa.Column("bucket", ddl.WORDS, nullable=False),
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_throttle_event"),
    )
    op.create_index("ix_throttle_event_bucket_key_at", "throttle_event", ["bucket", "key", "at"])
    op.create_table(
        "lease",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("session", ddl.WORDS, nullable=True),
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("reason_code", ddl.WORDS, nullable=False),
        sa.Column("reason_reference", ddl.WORDS, nullable=False),
        sa.Column("reason_note", ddl.WORDS, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("idle_minutes", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", ddl.WORDS, nullable=True),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_lease_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_lease"),
    )
    op.create_index("ix_lease_open_not_after", "lease", ["not_after"], **ddl.only_where("ended_at IS NULL"))
    op.create_index("ix_lease_open_session", "lease", ["session"], **ddl.only_where("ended_at IS NULL"))
    op.create_index("ix_lease_open_staff", "lease", ["staff", "id"], **ddl.only_where("ended_at IS NULL"))
    op.create_index("ix_lease_staff_opened_at_tenant", "lease", ["staff", "opened_at", "tenant"])
    op.create_index("ix_lease_staff_tenant_opened_at", "lease", ["staff", "tenant", "opened_at"])
    op.create_table(
        "lease_top_up",
        sa.Column("id", ddl.ROW_NUMBER, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", ddl.WORDS, nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_lease_top_up_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_lease_top_up"),
    )
    op.create_index("ix_lease_top_up_staff_until", "lease_top_up", ["staff", "until"])
    op.create_table(
        "staff_role",
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("role", ddl.WORDS, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_staff_role_staff"),
        sa.PrimaryKeyConstraint("staff", "role", name="pk_staff_role"),
    )
    op.create_index("ix_staff_role_role_staff", "staff_role", ["role", "staff"])
    op.create_table(
        "staff_session",
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("signed_in_by", ddl.WORDS, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("stepped_up_at", sa.BigInteger(), nullable=True),
        sa.Column("stepped_up_by", ddl.WORDS, nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("ip", ddl.WORDS, nullable=False),
        sa.Column("agent", ddl.WORDS, nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("idp_sid", ddl.WORDS, nullable=True),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_staff_session_staff"),
        sa.PrimaryKeyConstraint("key", name="pk_staff_session"),
    )
    op.create_index("ix_staff_session_idp_sid", "staff_session", ["idp_sid"], **ddl.only_where("idp_sid IS NOT NULL"))
    op.create_index("ix_staff_session_staff_not_after", "staff_session", ["staff", "not_after"])
    ddl.grant("SELECT, INSERT, UPDATE", "staff", "sallyport_app")
    ddl.grant("SELECT, INSERT, DELETE", "staff_role", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE", "staff_session", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (session, last_used_at, ended_at, ended_by)", "lease", "sallyport_app")
    ddl.grant("SELECT, INSERT", "lease_top_up", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (read_at, delivered_at)", "notice", "sallyport_app")
    ddl.grant("SELECT, INSERT, DELETE", "throttle_event", "sallyport_app")
    ddl.grant_numbers("lease_top_up", "id", "sallyport_app")
    ddl.grant_numbers("throttle_event", "id", "sallyport_app")


def downgrade() -> None:
    for table in ("lease_top_up", "lease", "staff_session", "staff_role", "throttle_event", "notice", "staff"):
        op.drop_table(table)
