"""What Sallyport itself keeps on a plane."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0001"
down_revision = None
branch_labels = ("plane",)
depends_on = None

_OWN = (
    "plane_tenant",
    "plane_account_state",
    "plane_entitlement_override",
    "plane_note",
    "plane_invoice_mirror",
    "plane_applied_execution",
)


def upgrade() -> None:
    ddl.ensure_roles()
    ddl.grant("SELECT", "sallyport_version", "sallyport_app")
    op.create_table(
        "plane_account_state",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entitlement_version", sa.Integer(), nullable=False),
        sa.Column("status", ddl.WORDS, nullable=True),
        sa.Column("status_because", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_account_state"),
    )
    op.create_table(
        "plane_applied_execution",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("execution", ddl.WORDS, nullable=False),
        sa.Column("outcome", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "execution", name="pk_plane_applied_execution"),
    )
    op.create_index("uq_plane_applied_execution_execution", "plane_applied_execution", ["execution"], unique=True)
    op.create_table(
        "plane_entitlement_override",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("feature", ddl.WORDS, nullable=False),
        sa.Column("label", ddl.WORDS, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reference", ddl.WORDS, nullable=False),
        sa.Column("granted_by", ddl.WORDS, nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_entitlement_override"),
    )
    op.create_index(
        "ix_plane_entitlement_override_tenant_id_feature", "plane_entitlement_override", ["tenant_id", "feature"]
    )
    op.create_table(
        "plane_invoice_mirror",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("number", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("mirrored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_plane_invoice_mirror"),
    )
    op.create_table(
        "plane_note",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("author", ddl.WORDS, nullable=False),
        sa.Column("text", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_note"),
    )
    op.create_index("ix_plane_note_tenant_id_at_id", "plane_note", ["tenant_id", "at", "id"])
    op.create_table(
        "plane_tenant",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("external_id", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_plane_tenant"),
        sa.UniqueConstraint("external_id", name="uq_plane_tenant_external_id"),
    )
    for table in _OWN:
        ddl.scope_rows(table)
    ddl.grant("SELECT, INSERT, UPDATE", "plane_account_state", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (ended_at)", "plane_entitlement_override", "sallyport_app")
    ddl.grant("SELECT, INSERT", "plane_note", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE", "plane_invoice_mirror", "sallyport_app")
    ddl.grant("SELECT, INSERT", "plane_applied_execution", "sallyport_app")
    ddl.grant("SELECT", "plane_tenant", "sallyport_app")
    for table in ("plane_tenant", "plane_account_state", "plane_entitlement_override", "plane_note"):
        ddl.grant("SELECT, INSERT, UPDATE, DELETE", table, "sallyport_import")


def downgrade() -> None:
    for table in (
        "plane_applied_execution",
        "plane_invoice_mirror",
        "plane_note",
        "plane_entitlement_override",
        "plane_account_state",
        "plane_tenant",
    ):
        op.drop_table(table)
