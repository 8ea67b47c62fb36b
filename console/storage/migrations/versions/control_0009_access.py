"""Mass recalculations of access, and the register of overrides."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0009"
down_revision = "control_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sweeps()
    _register()
    ddl.keep_columns("access_sweep", "id", "plan", "planned_by", "planned_at", "expires_at")
    planned = ("run", "tenant", "is_first", "gains", "losses")
    ddl.keep_columns("access_sweep_tenant", *planned)
    ddl.grant("SELECT, INSERT, UPDATE", "access_sweep, access_sweep_tenant", "sallyport_app")
    ddl.grant("SELECT, INSERT, UPDATE, DELETE", "override_register, override_register_round", "sallyport_app")


def downgrade() -> None:
    for table in ("override_register_round", "override_register", "access_sweep_tenant", "access_sweep"):
        op.drop_table(table)


def _sweeps() -> None:
    op.create_table(
        "access_sweep",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("plan", ddl.WORDS, nullable=True),
        sa.Column("rate_per_s", sa.Integer(), nullable=False),
        sa.Column("planned_by", ddl.WORDS, nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("after", ddl.WORDS, nullable=True),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("gaining", sa.Integer(), nullable=False),
        sa.Column("losing", sa.Integer(), nullable=False),
        sa.Column("digest", ddl.WORDS, nullable=True),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("canaries_done_at", sa.BigInteger(), nullable=True),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_sweep"),
    )
    op.create_index("ix_access_sweep_planned_at_id", "access_sweep", ["planned_at", "id"])
    op.create_table(
        "access_sweep_tenant",
        sa.Column("run", ddl.WORDS, nullable=False),
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("is_canary", sa.Boolean(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("gains", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("state", ddl.WORDS, nullable=False),
        sa.Column("because", ddl.WORDS, nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run", "tenant", name="pk_access_sweep_tenant"),
        sa.ForeignKeyConstraint(["run"], ["access_sweep.id"], name="fk_access_sweep_tenant_run"),
    )
    op.create_index("ix_access_sweep_tenant_run_place", "access_sweep_tenant", ["run", "place"])
    op.create_index("ix_access_sweep_tenant_run_state_place", "access_sweep_tenant", ["run", "state", "place"])


def _register() -> None:
    op.create_table(
        "override_register",
        sa.Column("tenant", ddl.WORDS, nullable=False),
        sa.Column("override", ddl.WORDS, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("owner", ddl.WORDS, nullable=False),
        sa.Column("monthly_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", ddl.WORDS, nullable=False),
        sa.Column("is_redundant", sa.Boolean(), nullable=False),
        sa.Column("is_orphaned", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "override", name="pk_override_register"),
    )
    op.create_index("ix_override_register_until_tenant", "override_register", ["until", "tenant"])
    op.create_table(
        "override_register_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("after", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_override_register_round"),
    )
