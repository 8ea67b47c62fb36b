"""Tables of the control store about the customer's side: what is shown, to whom, who consented, what is kept back."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase
from console.storage.types import RowNumber

_WAITS = text("number IS NULL")
_PENDING = text("state = 'pending'")
_SPENT = text("used_by IS NOT NULL")
_QUEUED = text("sent_at IS NULL AND gave_up_at IS NULL")


class DisclosureRow(ControlBase):
    """An access of staff to a tenant, and its number in that tenant's log once it is shown."""

    __tablename__ = "disclosure"
    __table_args__ = (
        Index("uq_disclosure_tenant_number", "tenant", "number", unique=True),
        Index("ix_disclosure_due", "due_at", "event", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_disclosure_waiting", "tenant", "due_at", "event", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index(None, "tenant", "reference"),
    )

    event: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    tenant: Mapped[str]
    at: Mapped[datetime]
    reason_code: Mapped[str | None]
    reference: Mapped[str]
    due_at: Mapped[datetime]
    number: Mapped[int | None] = mapped_column(RowNumber)
    shown_at: Mapped[datetime | None]


class DisclosureCursorRow(ControlBase):
    """How far the trail was looked through for accesses; one row."""

    __tablename__ = "disclosure_cursor"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(RowNumber)


class LegalHoldRow(ControlBase):
    """An order that keeps accesses under one reference back until a date."""

    __tablename__ = "legal_hold"
    __table_args__ = (Index(None, "tenant", "reference"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    reference: Mapped[str]
    until: Mapped[datetime]
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class CustomerTokenRow(ControlBase):
    """A token of a tenant's own programs, by its hash."""

    __tablename__ = "customer_token"
    __table_args__ = (Index(None, "tenant", "made_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    may_decide: Mapped[bool]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AccessPolicyRow(ControlBase):
    """What one tenant permits, and how it wants to be told."""

    __tablename__ = "access_policy"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    impersonation: Mapped[str]
    notify: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    version: Mapped[int]


class ConsentRow(ControlBase):
    """A question to a tenant's administrators, and what became of it."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(None, "tenant", "asked_at", "id"),
        Index(None, "staff", "tenant", "asked_at"),
        Index("ix_consent_pending", "decide_by", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_consent_used_by", "used_by", sqlite_where=_SPENT, postgresql_where=_SPENT),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    what: Mapped[str]
    member: Mapped[str | None]
    mode: Mapped[str]
    reason_code: Mapped[str]
    reference: Mapped[str]
    minutes: Mapped[int]
    asked_at: Mapped[datetime]
    decide_by: Mapped[datetime]
    use_by: Mapped[datetime]
    state: Mapped[str]
    version: Mapped[int]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reminded_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]


class CustomerLetterRow(ControlBase):
    """A letter to a customer that waits, went out, or was given up."""

    __tablename__ = "customer_letter"
    __table_args__ = (
        Index("uq_customer_letter_once", "tenant", "kind", "way", "about", unique=True),
        Index("ix_customer_letter_queued", "due_at", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    kind: Mapped[str]
    way: Mapped[str]
    about: Mapped[str]
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int]
    because: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    gave_up_at: Mapped[datetime | None]


class CustomerWebhookRow(ControlBase):
    """Where a tenant's letters go by webhook, and the sealed secret that signs them."""

    __tablename__ = "customer_webhook"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret_sealed: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[str]


class StaffCountryRow(ControlBase):
    """In which country a staff member works, as customers are told."""

    __tablename__ = "staff_country"

    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    country: Mapped[str]
