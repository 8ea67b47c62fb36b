"""The application writes the keys by which a tenant is found by a webhook message, and only these."""

from alembic import op

from console.storage.migrations import ddl

revision = "control_0018"
down_revision = "control_0017"
branch_labels = None
depends_on = None

_VIEW = "directory_message"


def upgrade() -> None:
    shown = "SELECT kind, value, tenant_id FROM directory_key WHERE kind = 'message'"
    if ddl.is_postgresql():
        op.execute(f"CREATE VIEW {_VIEW} AS {shown} WITH CHECK OPTION")
        ddl.grant("SELECT, INSERT", _VIEW, "sallyport_app")
        return
    op.execute(f"CREATE VIEW {_VIEW} AS {shown}")
    added = "INSERT INTO directory_key (kind, value, tenant_id) VALUES ('message', new.value, new.tenant_id);"
    op.execute(f"CREATE TRIGGER {_VIEW}_added INSTEAD OF INSERT ON {_VIEW} BEGIN {added} END")


def downgrade() -> None:
    op.execute(f"DROP VIEW {_VIEW}")
