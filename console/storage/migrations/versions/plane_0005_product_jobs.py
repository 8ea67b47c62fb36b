"""The product's own jobs, where the product does not bring a view of them."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0005"
down_revision = "plane_0004"
branch_labels = None
depends_on = None

_SHAPE = "plane_product_job"


def upgrade() -> None:
    is_ours = _SHAPE not in sa.inspect(op.get_bind()).get_view_names()
    if is_ours:
        _create()
    ddl.grant("SELECT", _SHAPE, "sallyport_app")
    if is_ours:
        ddl.grant("INSERT, UPDATE, DELETE, SELECT", _SHAPE, "sallyport_import")
        ddl.scope_rows(_SHAPE)


def _create() -> None:
    op.create_table(
        _SHAPE,
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("queue", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plane_product_job"),
    )
    op.create_index("ix_plane_product_job_tenant_id_created_at_id", _SHAPE, ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_plane_product_job_tenant_id_state_created_at_id", _SHAPE, ["tenant_id", "state", "created_at", "id"]
    )


def downgrade() -> None:
    if _SHAPE in sa.inspect(op.get_bind()).get_table_names():
        op.drop_table(_SHAPE)
