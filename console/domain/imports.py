"""The records that an import file brings and the demo world makes: one shape for both, and the ids made from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeAlias

from console.domain.ids import DeliveryId, EndpointId, MemberId, TenantId
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    BillingRecord,
    EffectiveSetRecord,
)
from console.domain.import_entitlements import (
    AddOnRecord,
    CatalogueRecord,
    EntitlementRecord,
    FeatureRecord,
    OwnedEntitlementRecord,
    PlanRecord,
    PlanVersionEntitlementRecord,
    PlanVersionRecord,
    UsageRecord,
)
from console.domain.product_jobs import ProductJobRecord

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for second in _ALPHABET for first in _ALPHABET)  # ten bits, the lowest five first
_SHIFTS = range(0, 26 * 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRecord:
    """One tenant: its directory row, its account on the plane, and the keys that search finds it by."""

    external_id: str
    slug: str
    name: str
    region: str
    plan: str
    status: str
    tier: str
    plane: str
    domains: tuple[str, ...]
    provider_customer: str
    country: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """One person inside a tenant; `tenant` is the tenant's external id."""

    tenant: str
    external_id: str
    name: str
    email: str
    phone: str | None
    role: str
    is_active: bool
    joined_at: datetime
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRecord:
    """What a tenant pays for, as the mirror says; at most one per tenant; money in minor units."""

    tenant: str
    plan: str
    status: str
    provider_customer: str
    seats: int
    amount_minor: int
    currency: str
    started_at: datetime
    renews_at: datetime
    mirrored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRecord:
    """One invoice as mirrored, and what the provider last told us of it; money in minor units."""

    tenant: str
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
class WebhookEndpointRecord:
    """One address that a tenant is told at; no event types means all; `secret` signs and is sealed at once."""

    tenant: str
    external_id: str
    url: str
    created_at: datetime
    description: str = ""
    event_types: tuple[str, ...] = ()
    state: str = "active"
    rate_per_s: int = 10
    failing_since: datetime | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One message on its way to one endpoint (its external id), and how that went so far; `at` is the last attempt.

    Shape: `failure` says what happened where no status came back; without `payload` nothing can be sent again;
    `due_at` hands a pending delivery to the sender of the house, None leaves it to the product.
    """

    tenant: str
    message: str
    endpoint: str
    event_type: str
    outcome: str
    status_code: int | None
    attempts: int
    at: datetime
    created_at: datetime | None = None
    failure: str | None = None
    payload: str | None = None
    payload_until: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttemptRecord:
    """One earlier attempt of a delivery; its last one comes with the delivery itself. Units: `took_ms` milliseconds."""

    tenant: str
    message: str
    endpoint: str
    number: int
    at: datetime
    took_ms: int = 0
    status_code: int | None = None
    failure: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRecord:
    """One note that a staff member wrote about a tenant."""

    tenant: str
    external_id: str
    author: str
    text: str
    at: datetime


Record: TypeAlias = (
    TenantRecord
    | MemberRecord
    | SubscriptionRecord
    | InvoiceRecord
    | WebhookEndpointRecord
    | DeliveryRecord
    | DeliveryAttemptRecord
    | ProductJobRecord
    | NoteRecord
    | CatalogueRecord
    | OwnedEntitlementRecord
    | BillingRecord
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """One thing wrong with one row: the line (from 1), the field, and what to do."""

    line: int
    field: str
    remedy: str


@lru_cache(maxsize=4_096)  # rows of one tenant stand together
def tenant_id_of(external_id: str) -> TenantId:
    """Return the id that a tenant keeps however often it is imported."""
    return TenantId(_named("ten", external_id))


def member_id_of(tenant: str, external_id: str) -> MemberId:
    """Return the id that a member keeps; `tenant` is the tenant's external id."""
    return MemberId(_named("mem", tenant, external_id))


@lru_cache(maxsize=4_096)  # its deliveries and their attempts name it again
def endpoint_id_of(tenant: str, external_id: str) -> EndpointId:
    """Return the id that a webhook endpoint keeps; `tenant` is the tenant's external id."""
    return EndpointId(_named("whe", tenant, external_id))


@lru_cache(maxsize=16_384)  # its attempts name it again
def delivery_id_of(tenant: str, message: str, endpoint: str) -> DeliveryId:
    """Return the id that a delivery keeps; `tenant` and `endpoint` are external ids."""
    return DeliveryId(_named("whd", tenant, message, endpoint))


def attempt_id_of(tenant: str, message: str, endpoint: str, *, number: int) -> str:
    """Return the id that an attempt keeps; `tenant` and `endpoint` are external ids."""
    return _named("wha", tenant, message, endpoint, str(number))


def webhook_key_id_of(tenant: str, endpoint: str, fingerprint: str) -> str:
    """Return the id of a signing key; its secret has a part in it by its keyed fingerprint only."""
    return _named("whk", tenant, endpoint, fingerprint)


def identity_of(record: Record) -> tuple[str, ...]:
    """Return the key that two records of one kind may not share: the external id, with its tenant where it has one."""
    known = _IDENTITIES.get(type(record))
    return (record.tenant, record.external_id) if known is None else known(record)  # type: ignore[union-attr]


def _own_identity(record: Any) -> tuple[str, ...]:  # noqa: ANN401  a record that says what it is
    identity: tuple[str, ...] = record.identity
    return identity


_IDENTITIES: Mapping[type[Any], Callable[[Any], tuple[str, ...]]] = {
    TenantRecord: lambda record: (record.external_id,),
    **dict.fromkeys((PlanRecord, FeatureRecord, AddOnRecord), lambda record: (record.key,)),
    **dict.fromkeys((EntitlementRecord, PlanVersionRecord, PlanVersionEntitlementRecord, UsageRecord), _own_identity),
    **dict.fromkeys((BillingObjectRecord, BillingCustomerRecord, BillingHoldRecord), _own_identity),
    **dict.fromkeys((SubscriptionRecord, EffectiveSetRecord), lambda record: (record.tenant,)),
    InvoiceRecord: lambda record: (record.number,),
    DeliveryRecord: lambda record: (record.tenant, record.message, record.endpoint),
    DeliveryAttemptRecord: lambda record: (record.tenant, record.message, record.endpoint, str(record.number)),
}


def _named(prefix: str, *parts: str) -> str:
    """Return prefix and 26 base32 letters of a digest; lengths stand before the parts, so that no two lists collide."""
    text = f"{len(prefix)}:{prefix}" + "".join([f"{len(part)}:{part}" for part in parts])
    number = int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:17])
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1_023] for shift in _SHIFTS])}"
