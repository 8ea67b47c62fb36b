"""Sessions that nobody ended, so that the clock finds those that are over."""

from alembic import op

from console.storage.migrations import ddl

revision = "control_0019"
down_revision = "control_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_staff_session_live_not_after", "staff_session", ["not_after"], **ddl.only_where("revoked_at IS NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_staff_session_live_not_after", "staff_session")
