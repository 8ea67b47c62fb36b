"""Read shapes of a tenant plane: tables of ours, or views over the product's own schema (docs/planes.md)."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import PlaneBase, TenantOwned


class AccountRow(TenantOwned, PlaneBase):
    """The tenant as the product knows it."""

    __tablename__ = "plane_account"

    name: Mapped[str]
    status: Mapped[str]
    status_because: Mapped[str | None]
    country: Mapped[str]
    created_at: Mapped[datetime]


class MemberRow(TenantOwned, PlaneBase):
    """A person inside a tenant."""

    __tablename__ = "plane_member"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    role: Mapped[str]
    is_active: Mapped[bool]
    joined_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]


class SubscriptionRow(TenantOwned, PlaneBase):
    """What the tenant pays for; money in minor units."""

    __tablename__ = "plane_subscription"

    plan_key: Mapped[str]
    status: Mapped[str]
    provider_customer: Mapped[str]
    seats: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    started_at: Mapped[datetime]
    renews_at: Mapped[datetime]
    mirrored_at: Mapped[datetime]


class SubscriptionAddOnRow(TenantOwned, PlaneBase):
    """An add-on that the tenant bought, `quantity` times."""

    __tablename__ = "plane_subscription_add_on"

    id: Mapped[str] = mapped_column(primary_key=True)
    add_on_key: Mapped[str]
    quantity: Mapped[int]
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class InvoiceRow(TenantOwned, PlaneBase):
    """An invoice as the product mirrors it; money in minor units."""

    __tablename__ = "plane_invoice"
    __table_args__ = (Index(None, "tenant_id", "issued_at", "number"),)

    number: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    provider_status: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    issued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    mirrored_at: Mapped[datetime]


class ProductJobRow(TenantOwned, PlaneBase):
    """A background job of the product's own; Sallyport shows it and never steers it."""

    __tablename__ = "plane_product_job"
    __table_args__ = (
        Index(None, "tenant_id", "created_at", "id"),
        Index(None, "tenant_id", "state", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    queue: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    run_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class PlanRow(PlaneBase):
    """A plan of the catalogue; belongs to no tenant."""

    __tablename__ = "plane_plan"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class FeatureRow(PlaneBase):
    """A feature of the catalogue."""

    __tablename__ = "plane_feature"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]


class PlanEntitlementRow(PlaneBase):
    """What a plan gives of a feature."""

    __tablename__ = "plane_plan_entitlement"

    plan_key: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class AddOnRow(PlaneBase):
    """An add-on of the catalogue."""

    __tablename__ = "plane_add_on"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class AddOnEntitlementRow(PlaneBase):
    """What one unit of an add-on gives of a feature."""

    __tablename__ = "plane_add_on_entitlement"

    add_on_key: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
