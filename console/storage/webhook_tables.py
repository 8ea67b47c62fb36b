"""Webhooks on a tenant's plane: always tables of ours, written by the sender, the console and the product's outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, FetchedValue, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import PlaneBase, TenantOwned

_NOT_DELIVERED = text("state <> 'delivered'")
_EXHAUSTED = text("state = 'exhausted'")
_DUE = text("due_at IS NOT NULL")
_UNFANNED = text("fanned_at IS NULL")
_KEPT = text("kept_until IS NOT NULL")


class EndpointRow(TenantOwned, PlaneBase):
    """Where a tenant wants to be told; `claimed_*` belong to the one sender that works on it."""

    __tablename__ = "plane_webhook_endpoint"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[Any]]
    state: Mapped[str]
    because: Mapped[str | None]
    rate_per_s: Mapped[int]
    created_at: Mapped[datetime]
    version: Mapped[int]
    disabled_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    failures_in_row: Mapped[int]
    warned_at: Mapped[datetime | None]
    breaker_until: Mapped[datetime | None]
    bucket_tokens: Mapped[int | None] = mapped_column(BigInteger)
    bucket_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]


class TenantBucketRow(TenantOwned, PlaneBase):
    """The token bucket of all endpoints of a tenant together."""

    __tablename__ = "plane_webhook_bucket"

    tokens: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class EndpointKeyRow(TenantOwned, PlaneBase):
    """A signing key; the secret lies sealed."""

    __tablename__ = "plane_webhook_key"
    __table_args__ = (Index(None, "tenant_id", "endpoint", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str]
    algorithm: Mapped[str]
    sealed: Mapped[str]
    public: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class MessageRow(TenantOwned, PlaneBase):
    """What is told; triggers let nothing move but `fanned_at` once, and the payload to nothing when it expires.

    `kept_until` is generated: when the payload goes, nothing once it has gone; the fleet may read it.
    """

    __tablename__ = "plane_webhook_message"
    __table_args__ = (
        Index("ix_plane_webhook_message_unfanned", "tenant_id", "created_at", "id",
              sqlite_where=_UNFANNED, postgresql_where=_UNFANNED),
        Index("ix_plane_webhook_message_kept", "kept_until", "tenant_id",
              sqlite_where=_KEPT, postgresql_where=_KEPT),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    event_type: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    replay_of: Mapped[str | None]
    subject: Mapped[str | None]
    fanned_at: Mapped[datetime | None]
    kept_until: Mapped[datetime | None] = mapped_column(server_default=FetchedValue())


class DeliveryRow(TenantOwned, PlaneBase):
    """One message on its way to one endpoint; an index for every combination of filters that a page offers.

    Nearly all deliveries end delivered, so the indexes with a state hold the others only: whoever asks for delivered
    ones walks the index without it.
    """

    __tablename__ = "plane_webhook_delivery"
    __table_args__ = (
        Index("ix_plane_webhook_delivery_all", "tenant_id", "created_at", "id"),
        Index("ix_plane_webhook_delivery_endpoint", "tenant_id", "endpoint", "created_at", "id"),
        Index("ix_plane_webhook_delivery_type", "tenant_id", "event_type", "created_at", "id"),
        Index("ix_plane_webhook_delivery_endpoint_type", "tenant_id", "endpoint", "event_type", "created_at", "id"),
        Index("ix_plane_webhook_delivery_state", "tenant_id", "state", "created_at", "id",
              sqlite_where=_NOT_DELIVERED, postgresql_where=_NOT_DELIVERED),
        Index("ix_plane_webhook_delivery_endpoint_state", "tenant_id", "endpoint", "state", "created_at", "id",
              sqlite_where=_NOT_DELIVERED, postgresql_where=_NOT_DELIVERED),
        Index("ix_plane_webhook_delivery_type_state", "tenant_id", "event_type", "state", "created_at", "id",
              sqlite_where=_NOT_DELIVERED, postgresql_where=_NOT_DELIVERED),
        Index("ix_plane_webhook_delivery_endpoint_type_state",
              "tenant_id", "endpoint", "event_type", "state", "created_at", "id",
              sqlite_where=_NOT_DELIVERED, postgresql_where=_NOT_DELIVERED),
        Index("ix_plane_webhook_delivery_message", "tenant_id", "message"),
        Index("ix_plane_webhook_delivery_run", "tenant_id", "run", "id",
              sqlite_where=text("run IS NOT NULL"), postgresql_where=text("run IS NOT NULL")),
        Index("ix_plane_webhook_delivery_dead", "tenant_id", "endpoint", "fingerprint", "created_at",
              sqlite_where=_EXHAUSTED, postgresql_where=_EXHAUSTED),
        Index("ix_plane_webhook_delivery_due", "tenant_id", "endpoint", "due_at", "created_at", "id",
              sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_plane_webhook_delivery_due_anywhere", "due_at", "tenant_id", "endpoint",
              sqlite_where=_DUE, postgresql_where=_DUE),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str]
    endpoint: Mapped[str]
    event_type: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    trigger: Mapped[str]
    attempts: Mapped[int]
    tries: Mapped[int]
    reason: Mapped[str | None]
    last_outcome: Mapped[str | None]
    last_status: Mapped[int | None]
    last_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None]
    run: Mapped[str | None]
    claimed_by: Mapped[str | None]
    version: Mapped[int]


class AttemptRow(TenantOwned, PlaneBase):
    """One try of one delivery; append-only by trigger."""

    __tablename__ = "plane_webhook_attempt"
    __table_args__ = (
        Index("ix_plane_webhook_attempt_delivery", "tenant_id", "delivery", "number"),
        Index("ix_plane_webhook_attempt_endpoint", "tenant_id", "endpoint", "started_at", "outcome"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery: Mapped[str]
    endpoint: Mapped[str]
    number: Mapped[int]
    trigger: Mapped[str]
    run: Mapped[str | None]
    started_at: Mapped[datetime]
    took_ms: Mapped[int]
    outcome: Mapped[str]
    status: Mapped[int | None]
    error: Mapped[str | None]
    keys: Mapped[list[Any]]
    sent_headers: Mapped[list[Any]]
    got_headers: Mapped[list[Any]]
    got_body: Mapped[str | None]


class RunRow(TenantOwned, PlaneBase):
    """A bulk replay; counters move without the version, the state only with it."""

    __tablename__ = "plane_webhook_run"
    __table_args__ = (Index("ix_plane_webhook_run_planned_at", "tenant_id", "planned_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    selector: Mapped[dict[str, Any]]
    digest: Mapped[str]
    planned: Mapped[int]
    excluded: Mapped[dict[str, Any]]
    per_endpoint: Mapped[dict[str, Any]]
    per_type: Mapped[dict[str, Any]]
    oldest_at: Mapped[datetime | None]
    newest_at: Mapped[datetime | None]
    rate_per_s: Mapped[int]
    planned_by: Mapped[str]
    planned_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    version: Mapped[int]
    sent: Mapped[int]
    skipped: Mapped[int]
    released: Mapped[int]
    failures_in_row: Mapped[int]
    skipped_by: Mapped[dict[str, Any]]
    request: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    because: Mapped[str | None]
    counting: Mapped[dict[str, Any] | None]


class RunItemRow(TenantOwned, PlaneBase):
    """One planned delivery; the list itself is frozen. `prior_*` is how the delivery stood when it was released."""

    __tablename__ = "plane_webhook_run_item"
    __table_args__ = (
        UniqueConstraint("tenant_id", "run", "delivery", name="uq_plane_webhook_run_item_delivery"),
        Index("ix_plane_webhook_run_item_state", "tenant_id", "run", "state", "position"),
    )

    run: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    delivery: Mapped[str]
    endpoint: Mapped[str]
    state: Mapped[str]
    tries: Mapped[int]
    reason: Mapped[str | None]
    prior_state: Mapped[str | None]
    prior_reason: Mapped[str | None]
    prior_tries: Mapped[int | None]
    prior_due_at: Mapped[datetime | None]
