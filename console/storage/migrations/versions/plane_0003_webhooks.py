"""Webhooks become tables of ours on every plane; the read shape of deliveries goes."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0003"
down_revision = "plane_0002"
branch_labels = None
depends_on = None

_TABLES = (
    "plane_webhook_endpoint",
    "plane_webhook_bucket",
    "plane_webhook_key",
    "plane_webhook_message",
    "plane_webhook_delivery",
    "plane_webhook_attempt",
    "plane_webhook_run",
    "plane_webhook_run_item",
)


def upgrade() -> None:
    _drop_read_shape()
    kept_until = sa.Computed("CASE WHEN payload IS NOT NULL THEN expires_at END", persisted=ddl.is_postgresql() or None)
    op.create_table(
        "plane_webhook_endpoint",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("url", ddl.WORDS, nullable=False),
        sa.Column("description", ddl.WORDS, nullable=False),
        sa.Column("event_types", sa.Text(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.Column("rate_per_s", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("warned_at", sa.BigInteger(), nullable=True),
        sa.Column("breaker_until", sa.BigInteger(), nullable=True),
        sa.Column("bucket_tokens", sa.BigInteger(), nullable=True),
        sa.Column("bucket_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", ddl.WORDS, nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_endpoint"),
    )
    op.create_table(
        "plane_webhook_bucket",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_webhook_bucket"),
    )
    op.create_table(
        "plane_webhook_key",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("endpoint", ddl.WORDS, nullable=False),
        sa.Column("algorithm", ddl.WORDS, nullable=False),
        sa.Column("sealed", ddl.WORDS, nullable=False),
        sa.Column("public", ddl.WORDS, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_key"),
    )
    op.create_index(
        "ix_plane_webhook_key_tenant_id_endpoint_created_at",
        "plane_webhook_key",
        ["tenant_id", "endpoint", "created_at"],
    )
    op.create_table(
        "plane_webhook_message",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("event_type", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("replay_of", ddl.WORDS, nullable=True),
        sa.Column("subject", ddl.WORDS, nullable=True),
        sa.Column("fanned_at", sa.BigInteger(), nullable=True),
        sa.Column("kept_until", sa.BigInteger(), kept_until, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_message"),
    )
    op.create_index(
        "ix_plane_webhook_message_unfanned",
        "plane_webhook_message",
        ["tenant_id", "created_at", "id"],
        **ddl.only_where("fanned_at IS NULL"),
    )
    op.create_index(
        "ix_plane_webhook_message_kept",
        "plane_webhook_message",
        ["kept_until", "tenant_id"],
        **ddl.only_where("kept_until IS NOT NULL"),
    )
    op.create_table(
        "plane_webhook_delivery",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("message", ddl.WORDS, nullable=False),
        sa.Column("endpoint", ddl.WORDS, nullable=False),
        sa.Column("event_type", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("trigger", ddl.WORDS, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", ddl.WORDS, nullable=True),
        sa.Column("last_outcome", ddl.WORDS, nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", ddl.WORDS, nullable=True),
        sa.Column("run", ddl.WORDS, nullable=True),
        sa.Column("claimed_by", ddl.WORDS, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_delivery"),
    )
    op.create_index("ix_plane_webhook_delivery_all", "plane_webhook_delivery", ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_plane_webhook_delivery_dead",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "fingerprint", "created_at"],
        **ddl.only_where("state = 'exhausted'"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_due",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "due_at", "created_at", "id"],
        **ddl.only_where("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_due_anywhere",
        "plane_webhook_delivery",
        ["due_at", "tenant_id", "endpoint"],
        **ddl.only_where("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_endpoint",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "created_at", "id"],
    )
    op.create_index(
        "ix_plane_webhook_delivery_endpoint_state",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "state", "created_at", "id"],
        **ddl.only_where("state <> 'delivered'"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_endpoint_type",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "event_type", "created_at", "id"],
    )
    op.create_index(
        "ix_plane_webhook_delivery_endpoint_type_state",
        "plane_webhook_delivery",
        ["tenant_id", "endpoint", "event_type", "state", "created_at", "id"],
        **ddl.only_where("state <> 'delivered'"),
    )
    op.create_index("ix_plane_webhook_delivery_message", "plane_webhook_delivery", ["tenant_id", "message"])
    op.create_index(
        "ix_plane_webhook_delivery_run",
        "plane_webhook_delivery",
        ["tenant_id", "run", "id"],
        **ddl.only_where("run IS NOT NULL"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_state",
        "plane_webhook_delivery",
        ["tenant_id", "state", "created_at", "id"],
        **ddl.only_where("state <> 'delivered'"),
    )
    op.create_index(
        "ix_plane_webhook_delivery_type",
        "plane_webhook_delivery",
        ["tenant_id", "event_type", "created_at", "id"],
    )
    op.create_index(
        "ix_plane_webhook_delivery_type_state",
        "plane_webhook_delivery",
        ["tenant_id", "event_type", "state", "created_at", "id"],
        **ddl.only_where("state <> 'delivered'"),
    )
    op.create_table(
        "plane_webhook_attempt",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("delivery", ddl.WORDS, nullable=False),
        sa.Column("endpoint", ddl.WORDS, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("trigger", ddl.WORDS, nullable=False),
        sa.Column("run", ddl.WORDS, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", ddl.WORDS, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", ddl.WORDS, nullable=True),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("sent_headers", sa.Text(), nullable=False),
        sa.Column("got_headers", sa.Text(), nullable=False),
        sa.Column("got_body", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_attempt"),
    )
    op.create_index("ix_plane_webhook_attempt_delivery", "plane_webhook_attempt", ["tenant_id", "delivery", "number"])
    op.create_index(
        "ix_plane_webhook_attempt_endpoint",
        "plane_webhook_attempt",
        ["tenant_id", "endpoint", "started_at", "outcome"],
    )
    op.create_table(
        "plane_webhook_run",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("selector", sa.Text(), nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Text(), nullable=False),
        sa.Column("per_endpoint", sa.Text(), nullable=False),
        sa.Column("per_type", sa.Text(), nullable=False),
        sa.Column("oldest_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_at", sa.BigInteger(), nullable=True),
        sa.Column("rate_per_s", sa.Integer(), nullable=False),
        sa.Column("planned_by", ddl.WORDS, nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("skipped_by", sa.Text(), nullable=False),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_webhook_run"),
    )
    op.create_index("ix_plane_webhook_run_planned_at", "plane_webhook_run", ["tenant_id", "planned_at", "id"])
    op.create_table(
        "plane_webhook_run_item",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("run", ddl.WORDS, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivery", ddl.WORDS, nullable=False),
        sa.Column("endpoint", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", ddl.WORDS, nullable=True),
        sa.Column("prior_state", ddl.WORDS, nullable=True),
        sa.Column("prior_reason", ddl.WORDS, nullable=True),
        sa.Column("prior_tries", sa.Integer(), nullable=True),
        sa.Column("prior_due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "run", "position", name="pk_plane_webhook_run_item"),
        sa.UniqueConstraint("tenant_id", "run", "delivery", name="uq_plane_webhook_run_item_delivery"),
    )
    op.create_index(
        "ix_plane_webhook_run_item_state",
        "plane_webhook_run_item",
        ["tenant_id", "run", "state", "position"],
    )
    for table in _TABLES:
        ddl.scope_rows(table)
    _protect()
    moving = "plane_webhook_endpoint, plane_webhook_delivery"
    ddl.grant("SELECT, INSERT, UPDATE", f"{moving}, plane_webhook_bucket", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (expires_at)", "plane_webhook_key", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (fanned_at, payload)", "plane_webhook_message", "sallyport_app")
    ddl.grant("SELECT, INSERT", "plane_webhook_attempt", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE", "plane_webhook_run, plane_webhook_run_item", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE", moving, "sallyport_import")
    imported = "plane_webhook_key, plane_webhook_message, plane_webhook_attempt"
    ddl.grant("SELECT, INSERT", imported, "sallyport_import")
    ddl.show_times("plane_webhook_endpoint", "tenant_id", "id", "state", "claimed_until", "breaker_until")
    ddl.show_times("plane_webhook_delivery", "tenant_id", "endpoint", "due_at")
    ddl.show_times("plane_webhook_message", "tenant_id", "created_at", "fanned_at", "kept_until")


def _protect() -> None:
    """Keep what was said and tried: a message never changes, an attempt is written once, a planned list is frozen."""
    said = ("tenant_id", "id", "event_type", "kind", "created_at", "expires_at", "replay_of", "subject")
    ddl.append_only("plane_webhook_attempt")
    ddl.keep_columns("plane_webhook_message", *said)
    ddl.refuse_update("plane_webhook_message", "keep_payload", "NEW.payload IS NOT NULL AND NEW.payload <> OLD.payload")
    ddl.refuse_update("plane_webhook_message", "no_return", "OLD.payload IS NULL AND NEW.payload IS NOT NULL")
    addressed = "OLD.fanned_at IS NOT NULL AND (NEW.fanned_at IS NULL OR NEW.fanned_at <> OLD.fanned_at)"
    ddl.refuse_update("plane_webhook_message", "fan_once", addressed)
    ddl.keep_columns("plane_webhook_run_item", "tenant_id", "run", "position", "delivery", "endpoint")
    taken = "tenant_id = NEW.tenant_id AND run = NEW.run AND (position = NEW.position OR delivery = NEW.delivery)"
    ddl.refuse_replacement("plane_webhook_run_item", taken)
    ddl.keep_columns("plane_webhook_run", "tenant_id", "id", "selector", "digest", "planned", "excluded", "planned_by")


def _drop_read_shape() -> None:
    inspector = sa.inspect(op.get_bind())
    if "plane_delivery" in inspector.get_table_names():
        op.drop_table("plane_delivery")
    elif "plane_delivery" in inspector.get_view_names():
        op.execute("DROP VIEW plane_delivery")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.create_table(
        "plane_delivery",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("message", ddl.WORDS, nullable=False),
        sa.Column("endpoint", ddl.WORDS, nullable=False),
        sa.Column("event_type", ddl.WORDS, nullable=False),
        sa.Column("outcome", ddl.WORDS, nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "message", name="pk_plane_delivery"),
    )
    op.create_index("ix_plane_delivery_tenant_id_at_message", "plane_delivery", ["tenant_id", "at", "message"])
    ddl.grant("SELECT", "plane_delivery", "sallyport_app")
    ddl.grant("INSERT, UPDATE, DELETE, SELECT", "plane_delivery", "sallyport_import")
    ddl.scope_rows("plane_delivery")
