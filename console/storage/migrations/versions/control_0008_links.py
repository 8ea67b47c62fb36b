"""The application writes the keys by which a tenant is found as a customer of the billing provider, and only these."""

from alembic import op

from console.storage.migrations import ddl

revision = "control_0008"
down_revision = "control_0007"
branch_labels = None
depends_on = None

_VIEW = "directory_customer"
_CUSTOMERS = "FROM directory_key WHERE kind = 'customer'"


def upgrade() -> None:
    shown = f"SELECT value, tenant_id, kind {_CUSTOMERS}"
    if ddl.is_postgresql():
        op.execute(f"CREATE OR REPLACE VIEW {_VIEW} AS {shown} WITH CHECK OPTION")
        ddl.grant("SELECT, INSERT, DELETE", _VIEW, "sallyport_app")
        return
    op.execute(f"DROP VIEW {_VIEW}")
    op.execute(f"CREATE VIEW {_VIEW} AS {shown}")
    added = "INSERT INTO directory_key (kind, value, tenant_id) VALUES ('customer', new.value, new.tenant_id);"
    gone = f"DELETE {_CUSTOMERS} AND value = old.value AND tenant_id = old.tenant_id;"
    op.execute(f"CREATE TRIGGER {_VIEW}_added INSTEAD OF INSERT ON {_VIEW} BEGIN {added} END")
    op.execute(f"CREATE TRIGGER {_VIEW}_gone INSTEAD OF DELETE ON {_VIEW} BEGIN {gone} END")


def downgrade() -> None:
    op.execute(f"DROP VIEW {_VIEW}")
    op.execute(f"CREATE VIEW {_VIEW} AS SELECT value, tenant_id {_CUSTOMERS}")
    ddl.grant("SELECT", _VIEW, "sallyport_app")
