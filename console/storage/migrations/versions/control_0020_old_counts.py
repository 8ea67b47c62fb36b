"""Counted events by their moment, so that those of keys that are never used again can be forgotten."""

from alembic import op

revision = "control_0020"
down_revision = "control_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_throttle_event_at", "throttle_event", ["at"])


def downgrade() -> None:
    op.drop_index("ix_throttle_event_at", "throttle_event")
