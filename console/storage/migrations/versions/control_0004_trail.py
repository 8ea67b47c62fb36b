"""The trail: entries, their places in the tree, checkpoints."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0004"
down_revision = "control_0003"
branch_labels = None
depends_on = None

# The sequencer of SQLite reads "id > last", so an id must never be below one that it has passed.
_IN_ORDER = """
CREATE TRIGGER audit_event_in_order AFTER INSERT ON audit_event
WHEN NEW.id < (SELECT max(id) FROM audit_event)
BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END
"""
_POSTGRESQL = """
CREATE TABLE audit_event (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_event PRIMARY KEY,
  body text NOT NULL,
  leaf bytea NOT NULL CONSTRAINT ck_audit_event_leaf CHECK (octet_length(leaf) = 32),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  uid text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'uid') STORED,
  ts_us bigint GENERATED ALWAYS AS ((body::json ->> 'ts_us')::bigint) STORED,
  tenant text COLLATE "C" GENERATED ALWAYS AS (body::json #>> '{tenant,id}') STORED,
  actor text COLLATE "C" GENERATED ALWAYS AS (body::json #>> '{actor,id}') STORED,
  action text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'action') STORED,
  outcome text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'outcome') STORED,
  target text COLLATE "C" GENERATED ALWAYS AS (body::json #>> '{targets,0,id}') STORED,
  correlation text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'correlation') STORED,
  CONSTRAINT uq_audit_event_uid UNIQUE (uid)
)
"""
_SQLITE = """
CREATE TABLE audit_event (
  id INTEGER NOT NULL CONSTRAINT pk_audit_event PRIMARY KEY AUTOINCREMENT,
  body TEXT NOT NULL,
  leaf BLOB NOT NULL CONSTRAINT ck_audit_event_leaf CHECK (length(leaf) = 32),
  uid TEXT GENERATED ALWAYS AS (json_extract(body, '$.uid')) VIRTUAL,
  ts_us BIGINT GENERATED ALWAYS AS (json_extract(body, '$.ts_us')) VIRTUAL,
  tenant TEXT GENERATED ALWAYS AS (json_extract(body, '$.tenant.id')) VIRTUAL,
  actor TEXT GENERATED ALWAYS AS (json_extract(body, '$.actor.id')) VIRTUAL,
  action TEXT GENERATED ALWAYS AS (json_extract(body, '$.action')) VIRTUAL,
  outcome TEXT GENERATED ALWAYS AS (json_extract(body, '$.outcome')) VIRTUAL,
  target TEXT GENERATED ALWAYS AS (json_extract(body, '$.targets[0].id')) VIRTUAL,
  correlation TEXT GENERATED ALWAYS AS (json_extract(body, '$.correlation')) VIRTUAL,
  CONSTRAINT uq_audit_event_uid UNIQUE (uid)
)
"""
_INDEXES = {
    "tenant": ["tenant", "id"],
    "tenant_actor": ["tenant", "actor", "id"],
    "tenant_action": ["tenant", "action", "id"],
    "actor": ["actor", "id"],
    "action": ["action", "id"],
    "outcome": ["outcome", "id"],
    "target": ["target", "id"],
    "correlation": ["correlation", "id"],
    "ts_us": ["ts_us", "id"],
}


def upgrade() -> None:
    op.execute(_POSTGRESQL if ddl.is_postgresql() else _SQLITE)
    for name, columns in _INDEXES.items():
        op.create_index(f"ix_audit_event_{name}", "audit_event", columns)
    if ddl.is_postgresql():
        op.create_index("ix_audit_event_xid", "audit_event", ["xid", "id"])
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", ddl.ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )
    op.create_table(
        "audit_frontier",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", ddl.ROW_NUMBER, nullable=False),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("cursor", ddl.ROW_NUMBER, nullable=False),
        sa.Column("low", ddl.ROW_NUMBER, nullable=False),
        sa.Column("drain_low", ddl.ROW_NUMBER, nullable=False),
        sa.Column("drain_high", ddl.ROW_NUMBER, nullable=False),
        sa.Column("published_size", ddl.ROW_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_frontier"),
    )
    op.create_table(
        "audit_seq",
        sa.Column("seq", ddl.ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("event", ddl.ROW_NUMBER, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_seq"),
        sa.UniqueConstraint("event", name="uq_audit_seq_event"),
    )
    op.create_index("ix_audit_seq_tenant_seq", "audit_seq", ["tenant", "seq"])
    op.execute("INSERT INTO audit_frontier VALUES (1, 0, '[]', 0, 0, 0, 0, 0)")
    for table in ("audit_event", "audit_seq", "audit_checkpoint"):
        ddl.append_only(table)
    ddl.refuse_replacement("audit_event", "id = NEW.id OR uid = json_extract(NEW.body, '$.uid')")
    ddl.refuse_replacement("audit_seq", "seq = NEW.seq OR event = NEW.event")
    ddl.refuse_replacement("audit_checkpoint", "size = NEW.size")
    if not ddl.is_postgresql():
        op.execute(_IN_ORDER)
    ddl.grant("SELECT, INSERT (body, leaf)", "audit_event", "sallyport_app", "sallyport_import")
    ddl.grant("SELECT", "audit_seq, audit_checkpoint, audit_frontier", "sallyport_app")
    ddl.grant("SELECT", "audit_event", "sallyport_sequencer")
    ddl.grant("SELECT, INSERT", "audit_seq, audit_checkpoint", "sallyport_sequencer")
    ddl.grant("SELECT, UPDATE", "audit_frontier", "sallyport_sequencer")


def downgrade() -> None:
    for table in ("audit_checkpoint", "audit_frontier", "audit_seq", "audit_event"):
        op.drop_table(table)
