"""A large bulk replay is counted slice by slice; what it holds moves until then, and never again."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "plane_0010"
down_revision = "plane_0009"
branch_labels = None
depends_on = None

_TABLE = "plane_webhook_run"
_ALWAYS = ("tenant_id", "id", "selector", "planned_by")
_FROZEN = ("digest", "planned", "excluded", "per_endpoint", "per_type")


def _drop(name: str) -> None:
    on = f" ON {_TABLE}" if ddl.is_postgresql() else ""
    op.execute(f"DROP TRIGGER {_TABLE}_{name}{on}")


def _drop_kept() -> None:
    for name in ("keep", "no_truncate" if ddl.is_postgresql() else "no_delete"):
        _drop(name)


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("counting", sa.Text(), nullable=True))
    _drop_kept()
    ddl.keep_columns(_TABLE, *_ALWAYS)
    moved = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in _FROZEN)
    ddl.refuse_update(_TABLE, "frozen", f"OLD.state <> 'counting' AND (NEW.state = 'counting' OR {moved})")


def downgrade() -> None:
    _drop("frozen")
    _drop_kept()
    op.drop_column(_TABLE, "counting")
    ddl.keep_columns(_TABLE, *_ALWAYS, "digest", "planned", "excluded")
