"""Tables of the control store that hold people back: freezes, and what a drill of one saw."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase

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
