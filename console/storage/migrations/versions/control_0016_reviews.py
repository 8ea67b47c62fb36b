"""Uses of break-glass, and reviews."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0016"
down_revision = "control_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "break_glass_use",
        sa.Column("request", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("staff", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("reference", ddl.WORDS, nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tainted_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_break_glass_use"),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_break_glass_use_staff"),
    )
    op.create_index("ix_break_glass_use_tenant_tainted_until", "break_glass_use", ["tenant", "tainted_until"])
    ddl.append_only("break_glass_use")
    ddl.grant("SELECT, INSERT", "break_glass_use", "sallyport_app")
    _reviews()


def downgrade() -> None:
    op.drop_index("ix_request_vote_cast_at", "request_vote")
    op.drop_table("review")
    op.drop_table("break_glass_use")


def _reviews() -> None:
    op.create_table(
        "review",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("kind", ddl.WORDS, nullable=False),
        sa.Column("subject", ddl.WORDS, nullable=False),
        sa.Column("title", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=True),
        sa.Column("actor", ddl.WORDS, nullable=False),
        sa.Column("actor_name", ddl.WORDS, nullable=False),
        sa.Column("person", ddl.WORDS, nullable=False),
        sa.Column("approvers", ddl.WORDS, nullable=False),
        sa.Column("gainers", ddl.WORDS, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("owner", ddl.WORDS, nullable=True),
        sa.Column("escalated_at", sa.BigInteger(), nullable=True),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.Column("decided_by", ddl.WORDS, nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("kind", "subject", name="uq_review_kind_subject"),
    )
    due = ddl.only_where("state = 'due'")
    op.create_index("ix_review_due", "review", ["due_at", "id"], **due)
    op.create_index("ix_review_owed", "review", ["person", "kind"], **due)
    op.create_index("ix_review_opened_at_id", "review", ["opened_at", "id"])
    op.create_index("ix_review_decided_at_id", "review", ["decided_at", "id"])
    op.create_index("ix_review_person_opened_at", "review", ["person", "opened_at"])
    op.create_index("ix_request_vote_cast_at", "request_vote", ["cast_at"])
    kept = ("id", "kind", "subject", "tenant", "actor", "person", "approvers", "gainers", "opened_at", "due_at")
    ddl.keep_columns("review", *kept)
    ddl.refuse_update("review", "keep_verdict", "OLD.state <> 'due'")
    ddl.grant("SELECT, INSERT, UPDATE", "review", "sallyport_app")
