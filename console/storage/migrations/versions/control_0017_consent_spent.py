"""A consent is spent by the access that begins by it."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0017"
down_revision = "control_0016"
branch_labels = None
depends_on = None

_NEVER_AGAIN = (
    "(OLD.state = 'used' AND (NEW.state <> 'used' OR NEW.used_by <> OLD.used_by)) "
    "OR (NEW.state = 'used' AND (OLD.state NOT IN ('approved', 'used') OR NEW.used_by IS NULL))"
)


def upgrade() -> None:
    op.add_column("consent", sa.Column("used_at", sa.BigInteger(), nullable=True))
    op.add_column("consent", sa.Column("used_by", ddl.WORDS, nullable=True))
    op.create_index("ix_consent_used_by", "consent", ["used_by"], **ddl.only_where("used_by IS NOT NULL"))
    ddl.refuse_update("consent", "used_once", _NEVER_AGAIN)


def downgrade() -> None:
    ddl.allow_update("consent", "used_once")
    op.drop_index("ix_consent_used_by", "consent")
    op.drop_column("consent", "used_by")
    op.drop_column("consent", "used_at")
