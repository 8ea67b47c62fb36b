"""The directory and its indexes."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0003"
down_revision = "control_0002"
branch_labels = None
depends_on = None

_GRAMS = """
CREATE FUNCTION sallyport_grams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT substr(name, place, 3)), '{}') FROM generate_series(1, length(name) - 2) AS place
$$
"""


def upgrade() -> None:
    op.create_table(
        "directory_key",
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("value", ddl.WORDS, nullable=False),
        sa.Column("tenant_id", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "tenant_id", name="pk_directory_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_directory_key_tenant_id_kind", "directory_key", ["tenant_id", "kind"])
    op.create_table(
        "directory_tenant",
        sa.Column("ordinal", ddl.ROW_NUMBER, nullable=False),
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("external_id", ddl.WORDS, nullable=False),
        sa.Column("slug", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("name_folded", ddl.WORDS, nullable=False),
        sa.Column("region", ddl.WORDS, nullable=False),
        sa.Column("plan", ddl.WORDS, nullable=False),
        sa.Column("status", ddl.WORDS, nullable=False),
        sa.Column("tier", ddl.WORDS, nullable=False),
        sa.Column("plane", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("ordinal", name="pk_directory_tenant"),
        sa.UniqueConstraint("external_id", name="uq_directory_tenant_external_id"),
        sa.UniqueConstraint("id", name="uq_directory_tenant_id"),
        sa.UniqueConstraint("slug", name="uq_directory_tenant_slug"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_directory_tenant_name_folded_id", "directory_tenant", ["name_folded", "id"])
    ddl.grant("SELECT, UPDATE (status)", "directory_tenant", "sallyport_app")
    ddl.grant("SELECT", "directory_tenant", "sallyport_fleet")
    ddl.grant("SELECT", "directory_key", "sallyport_fleet")
    ddl.grant("SELECT, INSERT, UPDATE", "directory_tenant", "sallyport_import")
    ddl.grant("SELECT, INSERT, UPDATE, DELETE", "directory_key", "sallyport_import")
    ddl.grant_numbers("directory_tenant", "ordinal", "sallyport_import")
    _index_fragments()


def downgrade() -> None:
    for table in ("directory_key", "directory_tenant"):
        op.drop_table(table)
    if ddl.is_postgresql():
        op.execute("DROP FUNCTION sallyport_grams(text)")
    else:
        op.execute("DROP TABLE directory_name")


def _index_fragments() -> None:
    """Index every three neighbouring characters of a name, by what each database brings along."""
    if ddl.is_postgresql():
        op.execute(_GRAMS)
        index = "ix_directory_tenant_grams ON directory_tenant USING gin (sallyport_grams(name_folded))"
        # Without the list of pending entries, which every search would have to read from end to end.
        index += " WITH (fastupdate = off)"
        op.execute(f"CREATE INDEX {index}")
        return
    op.execute(
        "CREATE VIRTUAL TABLE directory_name USING fts5(name_folded, content='directory_tenant', "
        "content_rowid='ordinal', tokenize='trigram case_sensitive 1')"
    )
    added = "INSERT INTO directory_name(rowid, name_folded) VALUES (new.ordinal, new.name_folded);"
    gone = (
        "INSERT INTO directory_name(directory_name, rowid, name_folded) "
        "VALUES ('delete', old.ordinal, old.name_folded);"
    )
    op.execute(f"CREATE TRIGGER directory_name_added AFTER INSERT ON directory_tenant BEGIN {added} END")
    op.execute(f"CREATE TRIGGER directory_name_gone AFTER DELETE ON directory_tenant BEGIN {gone} END")
    op.execute(
        "CREATE TRIGGER directory_name_changed AFTER UPDATE OF name_folded ON directory_tenant "
        f"WHEN old.name_folded <> new.name_folded BEGIN {gone} {added} END"
    )
