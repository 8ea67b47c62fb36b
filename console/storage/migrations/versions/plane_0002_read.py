"""The read shapes of a plane, where the product does not bring views of its own."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0002"
down_revision = "plane_0001"
branch_labels = None
depends_on = None

_OF_TENANTS = (
    "plane_account",
    "plane_delivery",
    "plane_invoice",
    "plane_member",
    "plane_subscription",
    "plane_subscription_add_on",
)
_CATALOGUE = (
    "plane_add_on",
    "plane_add_on_entitlement",
    "plane_feature",
    "plane_plan",
    "plane_plan_entitlement",
)


def upgrade() -> None:
    present = _present()
    _create_table(
        present,
        "plane_account",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("status_because", ddl.WORDS, nullable=True),
        sa.Column("country", ddl.WORDS, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_account"),
    )
    _create_table(
        present,
        "plane_add_on",
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_plane_add_on"),
    )
    _create_table(
        present,
        "plane_add_on_entitlement",
        sa.Column("add_on_key", ddl.WORDS, nullable=False),
        sa.Column("feature_key", ddl.WORDS, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("add_on_key", "feature_key", name="pk_plane_add_on_entitlement"),
    )
    _create_table(
        present,
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
    _create_index(present, "ix_plane_delivery_tenant_id_at_message", "plane_delivery", ["tenant_id", "at", "message"])
    _create_table(
        present,
        "plane_feature",
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("unit", ddl.WORDS, nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_plane_feature"),
    )
    _create_table(
        present,
        "plane_invoice",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("number", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("provider_status", ddl.WORDS, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", ddl.WORDS, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("mirrored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_plane_invoice"),
    )
    _create_index(
        present, "ix_plane_invoice_tenant_id_issued_at_number", "plane_invoice", ["tenant_id", "issued_at", "number"]
    )
    _create_table(
        present,
        "plane_member",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("email", ddl.WORDS, nullable=False),
        sa.Column("phone", ddl.WORDS, nullable=True),
        sa.Column("role", ddl.WORDS, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_member"),
    )
    _create_table(
        present,
        "plane_plan",
        sa.Column("key", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_plane_plan"),
    )
    _create_table(
        present,
        "plane_plan_entitlement",
        sa.Column("plan_key", ddl.WORDS, nullable=False),
        sa.Column("feature_key", ddl.WORDS, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plan_key", "feature_key", name="pk_plane_plan_entitlement"),
    )
    _create_table(
        present,
        "plane_subscription",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("plan_key", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("provider_customer", ddl.WORDS, nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", ddl.WORDS, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("renews_at", sa.BigInteger(), nullable=False),
        sa.Column("mirrored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_subscription"),
    )
    _create_table(
        present,
        "plane_subscription_add_on",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("add_on_key", ddl.WORDS, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_subscription_add_on"),
    )
    for shape in (*_OF_TENANTS, *_CATALOGUE):
        ddl.grant("SELECT", shape, "sallyport_app")
        if shape not in present:
            ddl.grant("INSERT, UPDATE, DELETE, SELECT", shape, "sallyport_import")
    for shape in _OF_TENANTS:
        if shape not in present:
            ddl.scope_rows(shape)


def downgrade() -> None:
    tables = sa.inspect(op.get_bind()).get_table_names()
    for shape in (*_OF_TENANTS, *_CATALOGUE):
        if shape in tables:
            op.drop_table(shape)


def _create_table(present: frozenset[str], table: str, *parts: sa.schema.SchemaItem) -> None:
    if table not in present:
        op.create_table(table, *parts)


def _create_index(present: frozenset[str], name: str, table: str, columns: list[str]) -> None:
    if table not in present:
        op.create_index(name, table, columns)


def _present() -> frozenset[str]:
    """Return the tables and views that exist already: an existing product maps its own schema by views."""
    inspector = sa.inspect(op.get_bind())
    return frozenset(inspector.get_table_names()) | frozenset(inspector.get_view_names())
