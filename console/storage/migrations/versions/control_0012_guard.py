"""Freezes and their drills, and which company pays a staff member."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0012"
down_revision = "control_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("vendor", ddl.WORDS, nullable=True))
    op.create_index("ix_staff_vendor", "staff", ["vendor"], **ddl.only_where("vendor IS NOT NULL"))
    op.create_table(
        "house_freeze",
        sa.Column("id", ddl.WORDS, nullable=False),
        sa.Column("scope", ddl.WORDS, nullable=False),
        sa.Column("subject", ddl.WORDS, nullable=False),
        sa.Column("name", ddl.WORDS, nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("reason_code", ddl.WORDS, nullable=False),
        sa.Column("reason_reference", ddl.WORDS, nullable=False),
        sa.Column("reason_note", ddl.WORDS, nullable=False),
        sa.Column("set_by", ddl.WORDS, nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", ddl.WORDS, nullable=True),
        sa.Column("request", ddl.WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_house_freeze"),
        sa.ForeignKeyConstraint(["set_by"], ["staff.id"], name="fk_house_freeze_set_by"),
    )
    op.create_index(
        "ix_house_freeze_standing", "house_freeze", ["scope", "subject"], **ddl.only_where("lifted_at IS NULL")
    )
    op.create_index("ix_house_freeze_set_at_id", "house_freeze", ["set_at", "id"])
    op.create_table(
        "freeze_sighting",
        sa.Column("drill", ddl.WORDS, nullable=False),
        sa.Column("door", ddl.WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drill", "door", name="pk_freeze_sighting"),
        sa.ForeignKeyConstraint(["drill"], ["house_freeze.id"], name="fk_freeze_sighting_drill"),
    )
    kept = ("id", "scope", "subject", "name", "is_drill", "reason_code", "reason_reference", "set_by", "set_at")
    ddl.keep_columns("house_freeze", *kept, "request")
    ddl.append_only("freeze_sighting")
    ddl.grant("SELECT, INSERT, UPDATE", "house_freeze", "sallyport_app")
    ddl.grant("SELECT, INSERT", "freeze_sighting", "sallyport_app")


def downgrade() -> None:
    op.drop_table("freeze_sighting")
    op.drop_table("house_freeze")
    op.drop_index("ix_staff_vendor", "staff")
    op.drop_column("staff", "vendor")
