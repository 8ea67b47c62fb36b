"""Jobs, their schedules, and the inbox of providers' webhooks."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0005"
down_revision = "control_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("queue", ddl.WORDS, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("actor", ddl.WORDS, nullable=True),
        sa.Column("reason", ddl.WORDS, nullable=True),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("most_attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("worker", ddl.WORDS, nullable=True),
        sa.Column("last_error", ddl.WORDS, nullable=True),
        sa.Column("fingerprint", ddl.WORDS, nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("retried_by", ddl.WORDS, nullable=True),
        sa.Column("retried_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("key", name="uq_job_key"),
    )
    op.create_index("ix_job_created_at", "job", ["created_at", "id"])
    op.create_index("ix_job_due", "job", ["run_at", "id"], **ddl.only_where("state = 'queued'"))
    op.create_index(
        "ix_job_failed",
        "job",
        ["kind", "fingerprint", "finished_at"],
        **ddl.only_where("state = 'dead'"),
    )
    op.create_index(
        "ix_job_fingerprint",
        "job",
        ["fingerprint", "created_at", "id"],
        **ddl.only_where("fingerprint IS NOT NULL"),
    )
    op.create_index("ix_job_kind", "job", ["kind", "created_at", "id"])
    op.create_index("ix_job_kind_state", "job", ["kind", "state", "created_at", "id"])
    op.create_index("ix_job_leased", "job", ["lease_until", "id"], **ddl.only_where("state = 'running'"))
    op.create_index(
        "ix_job_open",
        "job",
        ["queue", "state", "run_at"],
        **ddl.only_where("state IN ('queued', 'running', 'dead')"),
    )
    op.create_index("ix_job_state", "job", ["state", "created_at", "id"])
    op.create_index("ix_job_tenant", "job", ["tenant", "created_at", "id"], **ddl.only_where("tenant IS NOT NULL"))
    op.create_table(
        "job_schedule",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_schedule"),
    )
    op.create_table(
        "inbound_event",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("provider", ddl.WORDS, nullable=False),
        sa.Column("account", ddl.WORDS, nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("event_id", ddl.WORDS, nullable=False),
        sa.Column("event_type", ddl.WORDS, nullable=False),
        sa.Column("object_id", ddl.WORDS, nullable=True),
        sa.Column("customer", ddl.WORDS, nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("is_fetched", sa.Boolean(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_event"),
        sa.UniqueConstraint("provider", "account", "is_live", "event_id", name="uq_inbound_event_event_id"),
    )
    op.create_index("ix_inbound_event_received_at", "inbound_event", ["received_at", "id"])
    op.create_index("ix_inbound_event_state", "inbound_event", ["state", "received_at", "id"])
    op.create_index("ix_inbound_event_state_type", "inbound_event", ["state", "event_type", "received_at", "id"])
    op.create_index("ix_inbound_event_type", "inbound_event", ["event_type", "received_at", "id"])
    received = ("id", "provider", "account", "is_live", "event_id", "event_type", "object_id", "customer")
    ddl.keep_columns("inbound_event", *received, "made_at", "received_at", "payload", "is_fetched")
    asked = ("id", "kind", "key", "queue", "payload", "tenant", "actor", "reason", "request", "created_at")
    ddl.keep_columns("job", *asked)
    # The application may not read the keys by which tenants are found; a provider's customer id is the exception.
    customers = "SELECT value, tenant_id FROM directory_key WHERE kind = 'customer'"
    op.execute(f"CREATE VIEW directory_customer AS {customers}")
    ddl.grant("SELECT", "directory_customer", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE", "job, job_schedule", "sallyport_app")
    kept = "state, tenant, because, attempts, settled_at, version"
    ddl.grant(f"SELECT, INSERT, UPDATE ({kept})", "inbound_event", "sallyport_app")


def downgrade() -> None:
    op.execute("DROP VIEW directory_customer")
    for table in ("inbound_event", "job_schedule", "job"):
        op.drop_table(table)
