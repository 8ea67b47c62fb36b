"""What decides entitlements besides plan and add-ons, from plan versions to usage; overrides get kind and owner."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0004"
down_revision = "plane_0003"
branch_labels = None
depends_on = None

_OF_TENANTS = ("plane_condition", "plane_contract", "plane_trial", "plane_usage")
_CATALOGUE = ("plane_feature_rule", "plane_plan_version", "plane_plan_version_entitlement")
_OVERRIDE = "plane_entitlement_override"


def upgrade() -> None:
    op.add_column(_OVERRIDE, sa.Column("op", ddl.WORDS, nullable=False, server_default="set"))
    op.add_column(_OVERRIDE, sa.Column("owner", ddl.WORDS, nullable=False, server_default=""))
    present = _present()
    for table, parts in (*_catalogue(), *_of_tenants()):
        if table not in present:
            op.create_table(table, *parts)
            ddl.grant("INSERT, UPDATE, DELETE, SELECT", table, "sallyport_import")
        ddl.grant("SELECT", table, "sallyport_app")
    for table in _OF_TENANTS:
        if table not in present:
            ddl.scope_rows(table)


def downgrade() -> None:
    tables = sa.inspect(op.get_bind()).get_table_names()
    for table in (*_OF_TENANTS, *_CATALOGUE):
        if table in tables:
            op.drop_table(table)
    op.drop_column(_OVERRIDE, "owner")
    op.drop_column(_OVERRIDE, "op")


def _catalogue() -> tuple[tuple[str, list[sa.schema.SchemaItem]], ...]:
    return (
        (
            "plane_feature_rule",
            [
                sa.Column("feature_key", ddl.WORDS, nullable=False),
                sa.Column("combining", ddl.WORDS, nullable=True),
                sa.Column("default_value", sa.BigInteger(), nullable=False),
                sa.Column("hard_percent", sa.Integer(), nullable=True),
                sa.Column("options", sa.Text(), nullable=False),
                sa.Column("owner", ddl.WORDS, nullable=False),
                sa.PrimaryKeyConstraint("feature_key", name="pk_plane_feature_rule"),
            ],
        ),
        (
            "plane_plan_version",
            [
                sa.Column("plan_key", ddl.WORDS, nullable=False),
                sa.Column("version", sa.Integer(), nullable=False),
                *_range(),
                sa.PrimaryKeyConstraint("plan_key", "version", name="pk_plane_plan_version"),
            ],
        ),
        (
            "plane_plan_version_entitlement",
            [
                sa.Column("plan_key", ddl.WORDS, nullable=False),
                sa.Column("version", sa.Integer(), nullable=False),
                sa.Column("feature_key", ddl.WORDS, nullable=False),
                sa.Column("value", sa.BigInteger(), nullable=False),
                sa.PrimaryKeyConstraint("plan_key", "version", "feature_key", name="pk_plane_plan_version_entitlement"),
            ],
        ),
    )


def _of_tenants() -> tuple[tuple[str, list[sa.schema.SchemaItem]], ...]:
    return (
        (
            "plane_contract",
            [
                *_named("label"),
                sa.Column("plan_key", ddl.WORDS, nullable=False),
                sa.Column("version", sa.Integer(), nullable=False),
                *_range(),
                sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_contract"),
            ],
        ),
        (
            "plane_trial",
            [
                *_named("feature_key", "label"),
                sa.Column("value", sa.BigInteger(), nullable=False),
                *_range(is_open=False),
                sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_trial"),
            ],
        ),
        (
            "plane_condition",
            [
                *_named("kind", "cause"),
                *_range(),
                sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_condition"),
            ],
        ),
        (
            "plane_usage",
            [
                sa.Column("tenant_id", ddl.WORDS, nullable=False),
                sa.Column("feature_key", ddl.WORDS, nullable=False),
                *_range(),
                sa.Column("used", sa.BigInteger(), nullable=False),
                sa.Column("as_of", sa.BigInteger(), nullable=False),
                sa.PrimaryKeyConstraint("tenant_id", "feature_key", "starts_at", name="pk_plane_usage"),
            ],
        ),
    )


def _named(*texts: str) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, ddl.WORDS, nullable=False) for name in ("tenant_id", "id", *texts)]


def _range(*, is_open: bool = True) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=is_open),
    ]


def _present() -> frozenset[str]:
    """Return the tables and views that exist already: an existing product maps its own schema by views."""
    inspector = sa.inspect(op.get_bind())
    return frozenset(inspector.get_table_names()) | frozenset(inspector.get_view_names())
