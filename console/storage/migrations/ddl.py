"""What revisions share: frozen column types, append-only triggers, roles and row level security."""

from typing import Any

import sqlalchemy as sa
from alembic import op

WORDS = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# ruff: noqa: S608  every name in these statements is written in a revision, none comes from outside
_ROLES = ("sallyport_app", "sallyport_fleet", "sallyport_sequencer", "sallyport_import")


def only_where(condition: str) -> dict[str, Any]:
    """Return the options of a partial index."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def is_postgresql() -> bool:
    """Return whether the revision runs on PostgreSQL."""
    return op.get_bind().dialect.name == "postgresql"


def ensure_roles() -> None:
    """Create the roles of the house where the owner may; they cannot log in, a login is made a member of them."""
    if not is_postgresql():
        return
    for role in _ROLES:
        op.execute(
            f"""
            DO $$ BEGIN
              IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
                BEGIN
                  CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
                EXCEPTION
                  WHEN duplicate_object OR unique_violation THEN NULL;
                  WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'The role {role} is missing and this login may not create roles.'
                      USING HINT = 'As an administrator: CREATE ROLE {role} NOLOGIN; GRANT {role} TO <this login>;';
                END;
              END IF;
              IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
                GRANT {role} TO CURRENT_USER;
              END IF;
            END $$
            """
        )


def grant(rights: str, table: str, *roles: str) -> None:
    """Give rights on a table or view to roles of the house."""
    if is_postgresql():
        op.execute(f"GRANT {rights} ON {table} TO {', '.join(roles)}")


def grant_numbers(table: str, column: str, *roles: str) -> None:
    """Let roles draw row numbers."""
    if is_postgresql():
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_{column}_seq TO {', '.join(roles)}")


def append_only(table: str) -> None:
    """Refuse to change or remove rows, by whatever statement."""
    if not is_postgresql():
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        """
        CREATE OR REPLACE FUNCTION sallyport_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
        """
    )
    for name, when in (("change", "UPDATE OR DELETE"), ("truncate", "TRUNCATE")):
        level = "STATEMENT" if name == "truncate" else "ROW"
        op.execute(
            f"CREATE TRIGGER {table}_no_{name} BEFORE {when} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION sallyport_append_only()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{name}")


def refuse_replacement(table: str, taken: str) -> None:
    """On SQLite, refuse INSERT OR REPLACE even from a connection that does not fire delete triggers."""
    if not is_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def scope_rows(table: str) -> None:
    """Show and accept only rows of the tenant that the transaction names; the importer alone sees them all."""
    if not is_postgresql():
        return
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    own = "tenant_id = current_setting('app.tenant', true)"
    op.execute(f"CREATE POLICY one_tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"CREATE POLICY every_tenant ON {table} TO sallyport_import USING (true) WITH CHECK (true)")


def keep_columns(table: str, *columns: str) -> None:
    """Refuse to change some columns of a table, and to remove its rows."""
    named = ", ".join(f'"{column}"' for column in columns)
    if not is_postgresql():
        for name, when in (("keep", f"UPDATE OF {named}"), ("no_delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} keeps what was written'); END"
            )
        return
    op.execute(
        """
        CREATE OR REPLACE FUNCTION sallyport_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% keeps what was written', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
        """
    )
    for name, when in (("keep", f"UPDATE OF {named} OR DELETE"), ("no_truncate", "TRUNCATE")):
        level = "STATEMENT" if name == "no_truncate" else "ROW"
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} FOR EACH {level} EXECUTE FUNCTION sallyport_kept()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def refuse_update(table: str, name: str, condition: str) -> None:
    """Refuse updates of rows that meet a condition on OLD and NEW, written so that both databases understand it."""
    if not is_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE UPDATE ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{table} keeps what was written'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition}) "
        "EXECUTE FUNCTION sallyport_kept()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def allow_update(table: str, name: str) -> None:
    """Take back what `refuse_update` made."""
    op.execute(f"DROP TRIGGER {table}_{name}" + (f" ON {table}" if is_postgresql() else ""))


def show_times(table: str, *columns: str) -> None:
    """Let the fleet read ids and times of every tenant's rows, and nothing else of them."""
    if is_postgresql():
        op.execute(f"CREATE POLICY times_of_every_tenant ON {table} FOR SELECT TO sallyport_fleet USING (true)")
        op.execute(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO sallyport_fleet")
