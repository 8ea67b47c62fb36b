"""Tables of the control store that hold people back: freezes and their drills, break-glass, reviews."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase

_DUE = text("state = 'due'")
_STANDING = text("lifted_at IS NULL")


class FreezeRow(ControlBase):
    """One freeze, or the drill of one."""

    __tablename__ = "house_freeze"  # FREEZE is a word of PostgreSQL
    __table_args__ = (
        Index("ix_house_freeze_standing", "scope", "subject", sqlite_where=_STANDING, postgresql_where=_STANDING),
        Index(None, "set_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    is_drill: Mapped[bool]
    reason_code: Mapped[str]
    reason_reference: Mapped[str]
    reason_note: Mapped[str]
    set_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    set_at: Mapped[datetime]
    ended: Mapped[int]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    request: Mapped[str | None]


class FreezeSightingRow(ControlBase):
    """When a door first saw a drill."""

    __tablename__ = "freeze_sighting"

    drill: Mapped[str] = mapped_column(ForeignKey("house_freeze.id"), primary_key=True)
    door: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class GlassUseRow(ControlBase):
    """One use of break-glass, or the rehearsal of one."""

    __tablename__ = "break_glass_use"
    __table_args__ = (Index(None, "tenant", "tainted_until"),)

    request: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str]
    is_drill: Mapped[bool]
    reference: Mapped[str]
    told: Mapped[int]
    at: Mapped[datetime]
    tainted_until: Mapped[datetime]


class ReviewRow(ControlBase):
    """One thing to be judged afterwards."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("kind", "subject", name="uq_review_kind_subject"),
        Index("ix_review_due", "due_at", "id", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_review_owed", "person", "kind", sqlite_where=_DUE, postgresql_where=_DUE),
        Index(None, "opened_at", "id"),
        Index(None, "decided_at", "id"),
        Index(None, "person", "opened_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    title: Mapped[str]
    tenant: Mapped[str | None]
    actor: Mapped[str]
    actor_name: Mapped[str]
    person: Mapped[str]
    approvers: Mapped[list[Any]]
    gainers: Mapped[list[Any]]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str]
    owner: Mapped[str | None]
    escalated_at: Mapped[datetime | None]
    because: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
