"""Tables of the control store about acting for members: the rows, their one-use codes, and what the product told."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase

_OPEN = text("ended_at IS NULL")


class ImpersonationRow(ControlBase):
    """The right of one staff member to act for one member of a tenant."""

    __tablename__ = "impersonation"
    __table_args__ = (
        Index("uq_impersonation_one_of_staff", "staff", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_impersonation_open_id", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_impersonation_open_member", "tenant", "member", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_impersonation_open_session", "session", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "tenant", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    session: Mapped[str]
    lease: Mapped[str] = mapped_column(ForeignKey("lease.id"))
    tenant: Mapped[str]
    member: Mapped[str]
    mode: Mapped[str]
    reason_code: Mapped[str]
    reason_reference: Mapped[str]
    reason_note: Mapped[str]
    request: Mapped[str | None]
    widened_by: Mapped[str | None]
    started_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    not_after: Mapped[datetime]
    idle_minutes: Mapped[int]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class ImpersonationCodeRow(ControlBase):
    """A one-use code, by its digest."""

    __tablename__ = "impersonation_code"

    digest: Mapped[str] = mapped_column(primary_key=True)
    impersonation: Mapped[str] = mapped_column(ForeignKey("impersonation.id"))
    session: Mapped[str]
    challenge: Mapped[str]
    made_at: Mapped[datetime]
    until: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ProductReportRow(ControlBase):
    """One request that the product served or refused in a member's name."""

    __tablename__ = "product_report"
    __table_args__ = (Index(None, "impersonation", "at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    impersonation: Mapped[str] = mapped_column(ForeignKey("impersonation.id"))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    method: Mapped[str]
    route: Mapped[str]
    effect: Mapped[str]
    outcome: Mapped[str]
    status: Mapped[int]
    code: Mapped[str | None]


class ProductEventRow(ControlBase):
    """What the product said of a member: under the id that it used, and the one that an import makes of it."""

    __tablename__ = "product_event"
    __table_args__ = (Index(None, "tenant", "received_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    tenant: Mapped[str]
    member: Mapped[str]
    imported_member: Mapped[str]
    at: Mapped[datetime]
    received_at: Mapped[datetime]
