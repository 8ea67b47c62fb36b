"""Tables of the trail: entries whose index columns come out of the sealed body, and the sequencer's own.

The migration writes audit_event by hand for each database, since its index columns are generated from `body`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import FetchedValue, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase
from console.storage.types import RowNumber


class AuditEventRow(ControlBase):
    """One entry: the exact bytes that were hashed (as text) and their leaf; everything else is generated."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_tenant", "tenant", "id"),
        Index("ix_audit_event_tenant_actor", "tenant", "actor", "id"),
        Index("ix_audit_event_tenant_action", "tenant", "action", "id"),
        Index("ix_audit_event_actor", "actor", "id"),
        Index("ix_audit_event_action", "action", "id"),
        Index("ix_audit_event_outcome", "outcome", "id"),
        Index("ix_audit_event_target", "target", "id"),
        Index("ix_audit_event_correlation", "correlation", "id"),
        Index("ix_audit_event_ts_us", "ts_us", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    uid: Mapped[str | None] = mapped_column(server_default=FetchedValue(), unique=True)
    ts_us: Mapped[datetime | None] = mapped_column(server_default=FetchedValue())
    tenant: Mapped[str | None] = mapped_column(server_default=FetchedValue())
    actor: Mapped[str | None] = mapped_column(server_default=FetchedValue())
    action: Mapped[str | None] = mapped_column(server_default=FetchedValue())
    outcome: Mapped[str | None] = mapped_column(server_default=FetchedValue())
    target: Mapped[str | None] = mapped_column(server_default=FetchedValue())
    correlation: Mapped[str | None] = mapped_column(server_default=FetchedValue())


class AuditSeqRow(ControlBase):
    """The place of a committed entry in the tree; no foreign key, so that nothing can cascade."""

    __tablename__ = "audit_seq"
    __table_args__ = (Index(None, "tenant", "seq"),)

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    event: Mapped[int] = mapped_column(RowNumber, unique=True)
    tenant: Mapped[str | None]
    leaf: Mapped[bytes]


class AuditFrontierRow(ControlBase):
    """The one row of the sequencer's state: the tree's right edge and how far events were read.

    Shape: `low`, `drain_low` and `drain_high` are PostgreSQL transaction ids, `cursor` an event id.
    """

    __tablename__ = "audit_frontier"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(RowNumber)
    hashes: Mapped[list[Any]]
    cursor: Mapped[int] = mapped_column(RowNumber)
    low: Mapped[int] = mapped_column(RowNumber)
    drain_low: Mapped[int] = mapped_column(RowNumber)
    drain_high: Mapped[int] = mapped_column(RowNumber)
    published_size: Mapped[int] = mapped_column(RowNumber)


class AuditCheckpointRow(ControlBase):
    """A signed statement of size and root."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    at: Mapped[datetime]
