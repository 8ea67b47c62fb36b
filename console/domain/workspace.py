"""What a tenant's plane holds: account, members, subscription, invoices, notes."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.ids import MemberId, TenantId
from console.domain.tenancy import TenantStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The tenant itself on its plane; `version` moves with every change of the row."""

    tenant: TenantId
    name: str
    status: TenantStatus
    suspended_because: str | None
    country: str
    created_at: datetime
    version: int
    entitlement_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person inside a tenant; `email` and `phone` are masked wherever they are shown."""

    id: MemberId
    name: str
    email: str
    phone: str | None
    role: str
    is_active: bool
    joined_at: datetime
    last_seen_at: datetime | None


# How products call the people who answer for a tenant; a view of the product's own schema translates others into these.
ADMINISTRATOR_ROLES = ("admin", "administrator", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What the tenant pays for, as the mirror of the billing provider says; money in minor units."""

    plan_key: str
    plan_name: str
    status: str
    provider_customer: str
    seats: int
    amount_minor: int
    currency: str
    started_at: datetime
    renews_at: datetime
    mirrored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice as mirrored, and what the provider last told us of it; money in minor units."""

    number: str
    status: str
    provider_status: str
    amount_minor: int
    currency: str
    issued_at: datetime
    due_at: datetime
    paid_at: datetime | None
    mirrored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a staff member wrote about a tenant."""

    id: str
    author: str
    text: str
    at: datetime
