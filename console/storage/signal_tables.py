"""Tables of the control store about signals."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase
from console.storage.types import RowNumber

_OPEN = text("state = 'open'")


class SignalRow(ControlBase):
    """A rule that fired; one is open for each rule and subject."""

    __tablename__ = "signal"
    __table_args__ = (
        Index("uq_signal_open", "rule", "subject", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_signal_open_id", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "ix_signal_settled_id", "id", sqlite_where=text("state <> 'open'"), postgresql_where=text("state <> 'open'")
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str]
    subject: Mapped[str]
    staff: Mapped[str]
    tenant: Mapped[str | None]
    summary: Mapped[str]
    response: Mapped[str]
    raised_at: Mapped[datetime]
    last_at: Mapped[datetime]
    hits: Mapped[int]
    evidence: Mapped[list[Any]]
    people: Mapped[list[Any]]
    state: Mapped[str]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    note: Mapped[str | None]


class SignalWatchRow(ControlBase):
    """The one row that says how far the trail was watched: a position."""

    __tablename__ = "signal_watch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(RowNumber)
