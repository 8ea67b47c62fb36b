"""Tables of the control store about people: staff, sessions, leases, notices, throttles."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase
from console.storage.types import RowNumber


class StaffRow(ControlBase):
    """A staff account with its local credentials."""

    __tablename__ = "staff"
    __table_args__ = (
        Index("ix_staff_vendor", "vendor", sqlite_where=text("vendor IS NOT NULL"),
              postgresql_where=text("vendor IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str]
    email_folded: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    totp_sealed: Mapped[str | None]
    totp_last_step: Mapped[int] = mapped_column(server_default=text("0"))
    confirm_after: Mapped[datetime | None]
    vendor: Mapped[str | None]


class StaffRoleRow(ControlBase):
    """A role that somebody holds, and since when without a break."""

    __tablename__ = "staff_role"
    __table_args__ = (Index(None, "role", "staff"),)

    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class StaffSessionRow(ControlBase):
    """A signed-in browser."""

    __tablename__ = "staff_session"
    __table_args__ = (
        Index(None, "staff", "not_after"),
        Index("ix_staff_session_idp_sid", "idp_sid", sqlite_where=text("idp_sid IS NOT NULL"),
              postgresql_where=text("idp_sid IS NOT NULL")),
        Index("ix_staff_session_live_not_after", "not_after", sqlite_where=text("revoked_at IS NULL"),
              postgresql_where=text("revoked_at IS NULL")),
    )  # fmt: skip

    key: Mapped[str] = mapped_column(primary_key=True)
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    signed_in_by: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    not_after: Mapped[datetime]
    stepped_up_at: Mapped[datetime | None]
    stepped_up_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str]
    agent: Mapped[str]
    values: Mapped[dict[str, Any]]
    idp_sid: Mapped[str | None]


_OPEN = text("ended_at IS NULL")


class LeaseRow(ControlBase):
    """A tenant that somebody opened."""

    __tablename__ = "lease"
    __table_args__ = (
        Index(None, "staff", "opened_at", "tenant"),
        Index(None, "staff", "tenant", "opened_at"),
        Index("ix_lease_open_staff", "staff", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_lease_open_session", "session", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_lease_open_not_after", "not_after", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    session: Mapped[str | None]
    tenant: Mapped[str]
    reason_code: Mapped[str]
    reason_reference: Mapped[str]
    reason_note: Mapped[str]
    opened_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    not_after: Mapped[datetime]
    idle_minutes: Mapped[int]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class LeaseTopUpRow(ControlBase):
    """Tenants that a peer added to somebody's budget."""

    __tablename__ = "lease_top_up"
    __table_args__ = (Index(None, "staff", "until"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    extra: Mapped[int]
    until: Mapped[datetime]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


class NoticeRow(ControlBase):
    """A message to one staff member."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_unread", "to_staff", "at", "id", sqlite_where=text("read_at IS NULL"),
              postgresql_where=text("read_at IS NULL")),
        Index("ix_notice_undelivered", "at", "id", sqlite_where=text("delivered_at IS NULL"),
              postgresql_where=text("delivered_at IS NULL")),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    to_staff: Mapped[str]
    kind: Mapped[str]
    sentence: Mapped[str]
    path: Mapped[str]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class ThrottleRow(ControlBase):
    """One counted event."""

    __tablename__ = "throttle_event"
    __table_args__ = (Index(None, "bucket", "key", "at"), Index(None, "at"))

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    bucket: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime]
