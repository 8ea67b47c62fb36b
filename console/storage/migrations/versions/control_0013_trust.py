"""The customer's side: disclosures, legal holds, tokens, access policies, consents, letters."""

import sqlalchemy as sa
from alembic import op

from console.storage.migrations import ddl

revision = "control_0013"
down_revision = "control_0012"
branch_labels = None
depends_on = None

_TABLES = (
    "disclosure",
    "disclosure_cursor",
    "legal_hold",
    "customer_token",
    "access_policy",
    "consent",
    "customer_letter",
    "customer_webhook",
    "staff_country",
)
_DISCLOSED = ("event", "tenant", "at", "reason_code", "reference")
_ASKED = (
    "id", "tenant", "staff", "what", "member", "mode", "reason_code", "reference", "minutes", "asked_at",
    "decide_by", "use_by",
)  # fmt: skip


def upgrade() -> None:
    _disclosures()
    _decisions()
    _letters()
    ddl.keep_columns("disclosure", *_DISCLOSED)
    ddl.refuse_update("disclosure", "shown_once", "OLD.number IS NOT NULL")
    ddl.keep_columns("legal_hold", "id", "tenant", "reference", "until", "set_at", "set_by")
    ddl.refuse_update("legal_hold", "released_once", "OLD.released_at IS NOT NULL")
    ddl.keep_columns("customer_token", "id", "tenant", "hash", "label", "may_decide", "made_by", "made_at")
    ddl.keep_columns("consent", *_ASKED)
    ddl.refuse_update("consent", "decided_once", "OLD.state <> 'pending' AND NEW.state = 'approved'")
    ddl.grant("SELECT, INSERT, UPDATE", ", ".join(_TABLES), "sallyport_app")
    ddl.grant("DELETE", "customer_webhook, staff_country", "sallyport_app")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _words(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, ddl.WORDS, nullable=nullable)


def _disclosures() -> None:
    op.create_table(
        "disclosure",
        sa.Column("event", ddl.ROW_NUMBER, autoincrement=False, nullable=False),
        _words("tenant"),
        _moment("at"),
        _words("reason_code", nullable=True),
        _words("reference"),
        _moment("due_at"),
        sa.Column("number", ddl.ROW_NUMBER, nullable=True),
        _moment("shown_at", nullable=True),
        sa.PrimaryKeyConstraint("event", name="pk_disclosure"),
    )
    waits = ddl.only_where("number IS NULL")
    op.create_index("uq_disclosure_tenant_number", "disclosure", ["tenant", "number"], unique=True)
    op.create_index("ix_disclosure_due", "disclosure", ["due_at", "event"], **waits)
    op.create_index("ix_disclosure_waiting", "disclosure", ["tenant", "due_at", "event"], **waits)
    op.create_index("ix_disclosure_tenant_reference", "disclosure", ["tenant", "reference"])
    op.create_table(
        "disclosure_cursor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", ddl.ROW_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure_cursor"),
    )
    op.create_table(
        "legal_hold",
        _words("id"),
        _words("tenant"),
        _words("reference"),
        _moment("until"),
        _moment("set_at"),
        _words("set_by"),
        _moment("released_at", nullable=True),
        _words("released_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
    )
    op.create_index("ix_legal_hold_tenant_reference", "legal_hold", ["tenant", "reference"])


def _decisions() -> None:
    op.create_table(
        "customer_token",
        _words("id"),
        _words("tenant"),
        _words("hash"),
        _words("label"),
        sa.Column("may_decide", sa.Boolean(), nullable=False),
        _words("made_by"),
        _moment("made_at"),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_customer_token"),
        sa.UniqueConstraint("hash", name="uq_customer_token_hash"),
    )
    op.create_index("ix_customer_token_tenant_made_at", "customer_token", ["tenant", "made_at"])
    op.create_table(
        "access_policy",
        _words("tenant"),
        _words("impersonation"),
        _words("notify"),
        _moment("set_at"),
        _words("set_by"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_access_policy"),
    )
    op.create_table(
        "consent",
        *(_words(name, nullable=name == "member") for name in _ASKED[:8]),
        sa.Column("minutes", sa.Integer(), nullable=False),
        *(_moment(name) for name in _ASKED[9:]),
        _words("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        _moment("decided_at", nullable=True),
        _words("decided_by", nullable=True),
        _moment("reminded_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_consent_staff"),
    )
    op.create_index("ix_consent_tenant_asked_at_id", "consent", ["tenant", "asked_at", "id"])
    op.create_index("ix_consent_staff_tenant_asked_at", "consent", ["staff", "tenant", "asked_at"])
    op.create_index("ix_consent_pending", "consent", ["decide_by", "id"], **ddl.only_where("state = 'pending'"))


def _letters() -> None:
    op.create_table(
        "customer_letter",
        _words("id"),
        _words("tenant"),
        _words("kind"),
        _words("way"),
        _words("about"),
        _moment("at"),
        _moment("due_at"),
        sa.Column("tries", sa.Integer(), nullable=False),
        _words("because", nullable=True),
        _moment("sent_at", nullable=True),
        _moment("gave_up_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_customer_letter"),
    )
    op.create_index("uq_customer_letter_once", "customer_letter", ["tenant", "kind", "way", "about"], unique=True)
    queued = ddl.only_where("sent_at IS NULL AND gave_up_at IS NULL")
    op.create_index("ix_customer_letter_queued", "customer_letter", ["due_at", "id"], **queued)
    op.create_table(
        "customer_webhook",
        _words("tenant"),
        _words("url"),
        _words("secret_sealed"),
        _moment("set_at"),
        _words("set_by"),
        sa.PrimaryKeyConstraint("tenant", name="pk_customer_webhook"),
    )
    op.create_table(
        "staff_country",
        _words("staff"),
        _words("country"),
        sa.PrimaryKeyConstraint("staff", name="pk_staff_country"),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_staff_country_staff"),
    )
