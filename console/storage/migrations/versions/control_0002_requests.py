"""Requests, their frozen revisions, votes and seats."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0002"
down_revision = "control_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("requester", ddl.WORDS, nullable=False),
        sa.Column("requester_person", ddl.WORDS, nullable=False),
        sa.Column("drafted_by", ddl.WORDS, nullable=False),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("approve_by", sa.BigInteger(), nullable=False),
        sa.Column("execute_by", sa.BigInteger(), nullable=True),
        sa.Column("execution", ddl.WORDS, nullable=True),
        sa.Column("executor", ddl.WORDS, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", ddl.WORDS, nullable=True),
        sa.Column("ended_because", ddl.WORDS, nullable=True),
        sa.Column("drift", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
        sa.UniqueConstraint("execution", name="uq_request_execution"),
    )
    op.create_index("ix_request_state_execute_by", "request", ["state", "execute_by"])
    op.create_index("ix_request_filed_at_id", "request", ["filed_at", "id"])
    op.create_index("ix_request_requester_filed_at_id", "request", ["requester", "filed_at", "id"])
    op.create_index("ix_request_state_approve_by_id", "request", ["state", "approve_by", "id"])
    op.create_index("ix_request_state_filed_at_id", "request", ["state", "filed_at", "id"])
    op.create_index("ix_request_state_started_at", "request", ["state", "started_at"])
    op.create_index("ix_request_tenant_filed_at_id", "request", ["tenant", "filed_at", "id"])
    op.create_table(
        "request_rendered",
        sa.Column("request", ddl.WORDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", "revision", "staff", name="pk_request_rendered"),
    )
    op.create_table(
        "request_revision",
        sa.Column("request", ddl.WORDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", ddl.WORDS, nullable=False),
        sa.Column("action_version", sa.Integer(), nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("reason_code", ddl.WORDS, nullable=False),
        sa.Column("reason_reference", ddl.WORDS, nullable=False),
        sa.Column("reason_note", ddl.WORDS, nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("policy_version", ddl.WORDS, nullable=False),
        sa.Column("requester", ddl.WORDS, nullable=False),
        sa.Column("requester_person", ddl.WORDS, nullable=False),
        sa.Column("requester_name", ddl.WORDS, nullable=False),
        sa.Column("drafted_by", ddl.WORDS, nullable=False),
        sa.Column("lease", ddl.WORDS, nullable=True),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("approve_by", sa.BigInteger(), nullable=False),
        sa.Column("execute_minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("request", "revision", name="pk_request_revision"),
    )
    op.create_table(
        "request_seat",
        sa.Column("request", ddl.WORDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("role", ddl.WORDS, nullable=False),
        sa.Column("need", ddl.WORDS, nullable=False),
        sa.PrimaryKeyConstraint("request", "revision", "role", "need", name="pk_request_seat"),
    )
    op.create_table(
        "request_vote",
        sa.Column("request", ddl.WORDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("verdict", ddl.WORDS, nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("stepped_up_by", ddl.WORDS, nullable=True),
        sa.Column("comment", ddl.WORDS, nullable=False),
        sa.Column("cast_at", sa.BigInteger(), nullable=False),
        sa.Column("voided_because", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("request", "revision", "person", name="pk_request_vote"),
    )
    ddl.grant("SELECT, INSERT, UPDATE", "request", "sallyport_app")
    ddl.grant("SELECT, INSERT", "request_revision", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE (voided_because)", "request_vote", "sallyport_app")
    ddl.grant("SELECT, INSERT", "request_seat", "sallyport_app")
    ddl.grant("SELECT, INSERT", "request_rendered", "sallyport_app")
    ddl.append_only("request_revision")
    ddl.refuse_replacement("request_revision", "request = NEW.request AND revision = NEW.revision")


def downgrade() -> None:
    for table in ("request_rendered", "request_seat", "request_vote", "request_revision", "request"):
        op.drop_table(table)
