"""What accounting periods hold of a tenant."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0009"
down_revision = "plane_0008"
branch_labels = None
depends_on = None

_TABLE = "plane_period_set"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("period", ddl.WORDS, nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("held", "closing", "documents", "events")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("rolled", "ageing")),
        sa.PrimaryKeyConstraint("tenant_id", "period", name="pk_plane_period_set"),
    )
    ddl.grant("SELECT, INSERT, UPDATE", _TABLE, "sallyport_app")
    ddl.scope_rows(_TABLE)


def downgrade() -> None:
    op.drop_table(_TABLE)
