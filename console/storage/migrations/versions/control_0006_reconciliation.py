"""Runs of reconciliation, what they pulled and saw, and the findings."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0006"
down_revision = "control_0005"
branch_labels = None
depends_on = None

_OPEN = "state IN ('queued', 'pulling', 'comparing', 'settling')"
_UNRESOLVED = "state <> 'resolved'"


def upgrade() -> None:
    _runs()
    _seen()
    _findings()
    op.create_index(
        "ix_inbound_event_waiting", "inbound_event", ["customer", "object_id"], **ddl.only_where("state = 'received'")
    )
    started = ("id", "scope", "tenant", "queued_at", "started_by", "request", "rules_version")
    ddl.keep_columns("reconciliation", *started)
    ddl.refuse_update("reconciliation", "over", f"NOT (OLD.{_OPEN})")
    ddl.append_only("reconciliation_sighting")
    ddl.keep_columns("finding", "id", "kind", "tenant", "objects", "differs", "first_seen_at", "first_run")
    ddl.grant("SELECT, INSERT, UPDATE", "reconciliation, finding", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE, DELETE", "reconciliation_object", "sallyport_app")
    ddl.grant("SELECT, INSERT", "reconciliation_sighting", "sallyport_app")


def downgrade() -> None:
    op.drop_index("ix_inbound_event_waiting", "inbound_event")
    for table in ("finding", "reconciliation_sighting", "reconciliation_object", "reconciliation"):
        op.drop_table(table)


def _words(*names: str, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, ddl.WORDS, nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _documents(*names: str) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _runs() -> None:
    op.create_table(
        "reconciliation",
        *_words("id", "scope"),
        *_words("tenant", nullable=True),
        *_words("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_moments("queued_at"),
        *_words("started_by", "request", nullable=True),
        *_words("rules_version"),
        *_words("previous", nullable=True),
        *_moments("window_from", "window_until", nullable=True),
        *_words("newest_event", nullable=True),
        sa.Column("tenants_total", sa.Integer(), nullable=False),
        *_documents("counts", "found", "cursor"),
        *_words("inputs_digest", "findings_digest", nullable=True),
        *_moments("began_at", "finished_at", nullable=True),
        *_words("because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
    )
    op.create_index("uq_reconciliation_open", "reconciliation", ["scope"], unique=True, **ddl.only_where(_OPEN))
    op.create_index(
        "ix_reconciliation_done", "reconciliation", ["scope", "queued_at", "id"], **ddl.only_where("state = 'done'")
    )
    op.create_index("ix_reconciliation_queued_at", "reconciliation", ["queued_at", "id"])
    op.create_index("ix_reconciliation_scope", "reconciliation", ["scope", "queued_at", "id"])


def _seen() -> None:
    op.create_table(
        "reconciliation_object",
        *_words("run", "kind", "id"),
        *_words("customer", "parent", nullable=True),
        *_words("digest"),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        *_words("why", nullable=True),
        sa.PrimaryKeyConstraint("run", "kind", "id", name="pk_reconciliation_object"),
    )
    staged = "reconciliation_object"
    op.create_index("ix_reconciliation_object_customer", staged, ["run", "customer", "kind", "id"])
    op.create_index("ix_reconciliation_object_parent", staged, ["run", "kind", "parent", "id"])
    op.create_table(
        "reconciliation_sighting",
        *_words("run", "finding", "kind"),
        *_words("tenant", nullable=True),
        *_documents("objects"),
        *_words("digest", "how"),
        sa.PrimaryKeyConstraint("run", "finding", name="pk_reconciliation_sighting"),
    )
    op.create_index("ix_reconciliation_sighting_tenant", "reconciliation_sighting", ["run", "tenant", "finding"])


def _findings() -> None:
    op.create_table(
        "finding",
        *_words("id", "kind"),
        *_words("tenant", nullable=True),
        *_documents("objects"),
        *_words("differs", "ours", "theirs"),
        sa.Column("at_risk_minor", sa.BigInteger(), nullable=False),
        *_words("currency", nullable=True),
        *_words("direction"),
        *_documents("params", "evidence"),
        *_words("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_moments("first_seen_at", "last_seen_at"),
        *_words("first_run", "last_run"),
        sa.Column("times_reopened", sa.Integer(), nullable=False),
        *_words("owner", nullable=True),
        *_moments("waived_until", nullable=True),
        *_words("waived_by", "explanation", nullable=True),
        *_moments("resolved_at", nullable=True),
        *_words("resolved_by", "repair", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
    )
    age = ["first_seen_at", "id"]
    for name, columns, condition in (
        ("state", ["state", *age], None),
        ("first_seen_at", age, _UNRESOLVED),
        ("kind", ["kind", *age], None),
        ("currency", ["currency", *age], None),
        ("tenant", ["tenant", *age], "tenant IS NOT NULL"),
        ("owner", ["owner", *age], "owner IS NOT NULL"),
        ("waived", ["waived_until", "id"], "state = 'waived'"),
        ("unresolved", ["id"], _UNRESOLVED),
        ("last_run", ["last_run", "state", "id"], None),
        ("standing", ["kind", "currency", "at_risk_minor"], "state IN ('open', 'in_progress')"),
        ("unowned", ["state", "id"], f"owner IS NULL AND {_UNRESOLVED}"),
    ):
        only = {} if condition is None else ddl.only_where(condition)
        op.create_index(f"ix_finding_{name}", "finding", columns, **only)
