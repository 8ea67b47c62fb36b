"""Billing on a tenant's plane: our mirror of the provider, whose customer a tenant is, what we asked the provider for.

Always tables of ours. `plane_usage_event` alone may be a view over the product's own events (docs/planes.md).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import PlaneBase, TenantOwned

_LINKED = text("unlinked_at IS NULL")
_ENDS = text("valid_until IS NOT NULL")
_UNSETTLED = text("settled_at IS NULL")


class BillingObjectRow(TenantOwned, PlaneBase):
    """What the provider last said of one object: canonical document, digest, and the raw snapshot beside it.

    `parent` is what it hangs on (the subscription of an invoice, the payment of a refund or dispute, the invoice of a
    credit note); `at` is when it was made. Money in minor units.
    """

    __tablename__ = "plane_billing_object"
    __table_args__ = (
        Index("ix_plane_billing_object_at", "tenant_id", "kind", "at", "id"),
        Index("ix_plane_billing_object_parent", "tenant_id", "kind", "parent"),
        Index("ix_plane_billing_object_number", "tenant_id", "kind", "number"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    parent: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[str]
    currency: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    canonical: Mapped[dict[str, Any]]
    digest: Mapped[str]
    raw: Mapped[dict[str, Any]]
    api_version: Mapped[str]
    fetched_at: Mapped[datetime]
    is_deleted: Mapped[bool]


class BillingCustomerRow(TenantOwned, PlaneBase):
    """That a customer of the provider is this tenant; the newest row of a customer counts, `unlinked_at` ends it."""

    __tablename__ = "plane_billing_customer"
    __table_args__ = (
        Index("ix_plane_billing_customer_customer", "customer", sqlite_where=_LINKED, postgresql_where=_LINKED),
    )

    customer: Mapped[str] = mapped_column(primary_key=True)
    linked_at: Mapped[datetime] = mapped_column(primary_key=True)
    linked_by: Mapped[str]
    because: Mapped[str]
    unlinked_at: Mapped[datetime | None]


class ProviderWriteRow(TenantOwned, PlaneBase):
    """One thing that we asked the provider to do: written before the call, settled after it, never forgotten.

    `id` is the execution, and the idempotency key is derived from it; `state` is wanted, sent, done or refused.
    """

    __tablename__ = "plane_provider_write"
    __table_args__ = (
        Index("ix_plane_provider_write_at", "tenant_id", "wanted_at", "id"),
        Index("ix_plane_provider_write_subject", "tenant_id", "subject", "wanted_at"),
        Index(
            "ix_plane_provider_write_unsettled",
            "tenant_id",
            "wanted_at",
            sqlite_where=_UNSETTLED,
            postgresql_where=_UNSETTLED,
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str]
    subject: Mapped[str]
    command: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str]
    currency: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    version: Mapped[int]
    wanted_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    result_kind: Mapped[str | None]
    result_id: Mapped[str | None]
    error: Mapped[str | None]


class BillingHoldRow(TenantOwned, PlaneBase):
    """That a dispute was noted: held while open, reversed once when lost, restored when won."""

    __tablename__ = "plane_billing_hold"

    dispute: Mapped[str] = mapped_column(primary_key=True)
    payment: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    opened_at: Mapped[datetime]
    outcome: Mapped[str | None]
    reversals: Mapped[int]
    plan_at_purchase: Mapped[str | None]
    plan_used: Mapped[str | None]
    updated_at: Mapped[datetime]


class EffectiveSetRow(TenantOwned, PlaneBase):
    """What the product is told that a tenant may use; the newest version, and from what it was computed."""

    __tablename__ = "plane_effective_set"
    __table_args__ = (
        Index("ix_plane_effective_set_ends", "valid_until", "tenant_id", sqlite_where=_ENDS, postgresql_where=_ENDS),
    )

    version: Mapped[int]
    computed_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    inputs_digest: Mapped[str]
    source_version: Mapped[int]
    cause: Mapped[str]
    rows: Mapped[list[Any]]


class UsageEventRow(TenantOwned, PlaneBase):
    """One raw event of use, as the product counted it."""

    __tablename__ = "plane_usage_event"
    __table_args__ = (
        Index("ix_plane_usage_event_at", "tenant_id", "feature_key", "at", "id"),
        Index("ix_plane_usage_event_since", "tenant_id", "at", "row"),
    )

    row: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    feature_key: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    received_at: Mapped[datetime]
