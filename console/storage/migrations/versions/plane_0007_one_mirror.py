"""One mirror of invoices: what the provider said of one is kept with every other object of billing."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0007"
down_revision = "plane_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("plane_invoice_mirror")


def downgrade() -> None:
    op.create_table(
        "plane_invoice_mirror",
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.Column("number", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("mirrored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_plane_invoice_mirror"),
    )
    ddl.scope_rows("plane_invoice_mirror")
    ddl.grant("SELECT, INSERT, UPDATE", "plane_invoice_mirror", "sallyport_app")
