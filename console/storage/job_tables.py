"""Tables of the control store for jobs, their schedules, and the inbox of providers' webhooks."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase

_QUEUED = text("state = 'queued'")
_RUNNING = text("state = 'running'")
_DEAD = text("state = 'dead'")
_RECEIVED = text("state = 'received'")
_OPEN = text("state IN ('queued', 'running', 'dead')")


class JobRow(ControlBase):
    """A job; `key` is unique for ever."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_due", "run_at", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_job_leased", "lease_until", "id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_job_failed", "kind", "fingerprint", "finished_at", sqlite_where=_DEAD, postgresql_where=_DEAD),
        Index("ix_job_open", "queue", "state", "run_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_job_created_at", "created_at", "id"),
        Index("ix_job_state", "state", "created_at", "id"),
        Index("ix_job_kind", "kind", "created_at", "id"),
        Index("ix_job_kind_state", "kind", "state", "created_at", "id"),
        Index("ix_job_tenant", "tenant", "created_at", "id", sqlite_where=text("tenant IS NOT NULL"),
              postgresql_where=text("tenant IS NOT NULL")),
        Index("ix_job_fingerprint", "fingerprint", "created_at", "id", sqlite_where=text("fingerprint IS NOT NULL"),
              postgresql_where=text("fingerprint IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    queue: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str]
    tenant: Mapped[str | None]
    actor: Mapped[str | None]
    reason: Mapped[str | None]
    request: Mapped[str | None]
    created_at: Mapped[datetime]
    run_at: Mapped[datetime]
    attempts: Mapped[int]
    most_attempts: Mapped[int]
    version: Mapped[int]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    last_error: Mapped[str | None]
    fingerprint: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    retried_by: Mapped[str | None]
    retried_at: Mapped[datetime | None]


class JobScheduleRow(ControlBase):
    """Work that comes again; `next_at` is the slot that has not been fired yet."""

    __tablename__ = "job_schedule"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    every_s: Mapped[int]
    next_at: Mapped[datetime]
    is_on: Mapped[bool]


class InboundEventRow(ControlBase):
    """An event of a provider as it came; triggers keep what was received as it was."""

    __tablename__ = "inbound_event"
    __table_args__ = (
        UniqueConstraint("provider", "account", "is_live", "event_id", name="uq_inbound_event_event_id"),
        Index("ix_inbound_event_received_at", "received_at", "id"),
        Index("ix_inbound_event_state", "state", "received_at", "id"),
        Index("ix_inbound_event_type", "event_type", "received_at", "id"),
        Index("ix_inbound_event_state_type", "state", "event_type", "received_at", "id"),
        Index("ix_inbound_event_waiting", "customer", "object_id", sqlite_where=_RECEIVED, postgresql_where=_RECEIVED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    account: Mapped[str]
    is_live: Mapped[bool]
    event_id: Mapped[str]
    event_type: Mapped[str]
    object_id: Mapped[str | None]
    customer: Mapped[str | None]
    made_at: Mapped[datetime]
    received_at: Mapped[datetime]
    payload: Mapped[bytes]
    is_fetched: Mapped[bool]
    state: Mapped[str]
    tenant: Mapped[str | None]
    because: Mapped[str | None]
    attempts: Mapped[int]
    settled_at: Mapped[datetime | None]
    version: Mapped[int]
