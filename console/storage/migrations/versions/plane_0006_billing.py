"""Our own mirror of the billing provider, what we ask of it, and the effective set that the product reads."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0006"
down_revision = "plane_0005"
branch_labels = None
depends_on = None

_OWN = (
    "plane_billing_object",
    "plane_billing_customer",
    "plane_provider_write",
    "plane_billing_hold",
    "plane_effective_set",
)
_SHAPE = "plane_usage_event"


def upgrade() -> None:
    _mirror()
    _writes()
    _effective_set()
    for table in _OWN:
        ddl.grant("SELECT, INSERT, UPDATE", table, "sallyport_app")
        ddl.grant("INSERT, UPDATE, DELETE, SELECT", table, "sallyport_import")
        ddl.scope_rows(table)
    kept = ("tenant_id", "id", "operation", "subject", "command", "idempotency_key", "currency", "amount_minor")
    ddl.keep_columns("plane_provider_write", *kept, "wanted_at")
    ddl.show_times("plane_billing_customer", "tenant_id", "customer", "unlinked_at")
    is_ours = _SHAPE not in sa.inspect(op.get_bind()).get_view_names()
    if is_ours:
        _usage_events()
    ddl.grant("SELECT", _SHAPE, "sallyport_app")
    if is_ours:
        ddl.grant("INSERT, UPDATE, DELETE, SELECT", _SHAPE, "sallyport_import")
        ddl.scope_rows(_SHAPE)


def downgrade() -> None:
    present = sa.inspect(op.get_bind()).get_table_names()
    for table in (_SHAPE, *reversed(_OWN)):
        if table in present:
            op.drop_table(table)


def _words(*names: str, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, ddl.WORDS, nullable=nullable) for name in names]


def _mirror() -> None:
    op.create_table(
        "plane_billing_object",
        *_words("tenant_id", "kind", "id", "customer"),
        *_words("parent", "number", nullable=True),
        *_words("status"),
        *_words("currency", nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        *_words("digest"),
        sa.Column("raw", sa.Text(), nullable=False),
        *_words("api_version"),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "id", name="pk_plane_billing_object"),
    )
    for name, columns in (("at", ["at", "id"]), ("parent", ["parent"]), ("number", ["number"])):
        op.create_index(f"ix_plane_billing_object_{name}", "plane_billing_object", ["tenant_id", "kind", *columns])
    op.create_table(
        "plane_billing_customer",
        *_words("tenant_id", "customer"),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        *_words("linked_by", "because"),
        sa.Column("unlinked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "customer", "linked_at", name="pk_plane_billing_customer"),
    )
    op.create_index(
        "ix_plane_billing_customer_customer",
        "plane_billing_customer",
        ["customer"],
        **ddl.only_where("unlinked_at IS NULL"),
    )


def _writes() -> None:
    op.create_table(
        "plane_provider_write",
        *_words("tenant_id", "id", "operation", "subject"),
        sa.Column("command", sa.Text(), nullable=False),
        *_words("idempotency_key"),
        *_words("currency", nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        *_words("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        *_words("result_kind", "result_id", "error", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_provider_write"),
    )
    op.create_index("ix_plane_provider_write_at", "plane_provider_write", ["tenant_id", "wanted_at", "id"])
    op.create_index("ix_plane_provider_write_subject", "plane_provider_write", ["tenant_id", "subject", "wanted_at"])
    op.create_index(
        "ix_plane_provider_write_unsettled",
        "plane_provider_write",
        ["tenant_id", "wanted_at"],
        **ddl.only_where("settled_at IS NULL"),
    )
    op.create_table(
        "plane_billing_hold",
        *_words("tenant_id", "dispute", "payment"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        *_words("currency"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        *_words("outcome", nullable=True),
        sa.Column("reversals", sa.Integer(), nullable=False),
        *_words("plan_at_purchase", "plan_used", nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "dispute", name="pk_plane_billing_hold"),
    )


def _effective_set() -> None:
    op.create_table(
        "plane_effective_set",
        *_words("tenant_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        *_words("inputs_digest"),
        sa.Column("source_version", sa.Integer(), nullable=False),
        *_words("cause"),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_effective_set"),
    )


def _usage_events() -> None:
    op.create_table(
        _SHAPE,
        *_words("tenant_id", "row", "id", "feature_key"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "row", name="pk_plane_usage_event"),
    )
    op.create_index("ix_plane_usage_event_at", _SHAPE, ["tenant_id", "feature_key", "at", "id"])
