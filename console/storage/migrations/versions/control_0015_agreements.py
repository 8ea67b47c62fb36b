"""Who agreed to the close and the reopening of an accounting period."""

import sqlalchemy as sa
from alembic import op

revision = "control_0015"
down_revision = "control_0014"
branch_labels = None
depends_on = None

_PERIOD = "accounting_period"


def upgrade() -> None:
    op.add_column(_PERIOD, sa.Column("agreements", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column(_PERIOD, "agreements")
