"""Grace and ended coverage that staff set, owners of overrides that change, and what the fleet may know of access."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0008"
down_revision = "plane_0007"
branch_labels = None
depends_on = None

_TABLE = "plane_own_condition"
_EVENTS = "plane_usage_event"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("cause", ddl.WORDS, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("reference", ddl.WORDS, nullable=False),
        sa.Column("set_by", ddl.WORDS, nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{_TABLE}"),
    )
    ddl.scope_rows(_TABLE)
    ddl.append_only(_TABLE)
    ddl.grant("SELECT, INSERT", _TABLE, "sallyport_app")
    ddl.grant("SELECT, INSERT", _TABLE, "sallyport_import")
    ddl.grant("UPDATE (owner)", "plane_entitlement_override", "sallyport_app")
    op.create_index(
        "ix_plane_effective_set_ends",
        "plane_effective_set",
        ["valid_until", "tenant_id"],
        **ddl.only_where("valid_until IS NOT NULL"),
    )
    op.create_index(
        "ix_plane_entitlement_override_open",
        "plane_entitlement_override",
        ["tenant_id", "until"],
        **ddl.only_where("ended_at IS NULL"),
    )
    ddl.show_times("plane_effective_set", "tenant_id", "valid_until")
    ddl.show_times("plane_entitlement_override", "tenant_id", "until", "ended_at")
    if _is_ours():
        op.create_index("ix_plane_usage_event_since", _EVENTS, ["tenant_id", "at", "row"])


def downgrade() -> None:
    if _is_ours():
        op.drop_index("ix_plane_usage_event_since", _EVENTS)
    op.drop_index("ix_plane_entitlement_override_open", "plane_entitlement_override")
    op.drop_index("ix_plane_effective_set_ends", "plane_effective_set")
    if ddl.is_postgresql():
        for table in ("plane_effective_set", "plane_entitlement_override"):
            op.execute(f"DROP POLICY times_of_every_tenant ON {table}")
            op.execute(f"REVOKE ALL ON {table} FROM sallyport_fleet")
    op.drop_table(_TABLE)


def _is_ours() -> bool:
    return _EVENTS in sa.inspect(op.get_bind()).get_table_names()
