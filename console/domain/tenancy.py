"""Tenants as the directory shows them, and the scope that opens exactly one of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from console.domain.ids import LeaseId, PlaneId, ReasonCode, RequestId, StaffId, TenantId

HUES = 12


class TenantStatus(StrEnum):
    """Whether a tenant can use the product."""

    ACTIVE = "active"
    TRIAL = "trial"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class IsolationTier(StrEnum):
    """How a tenant's data is kept apart."""

    SHARED = "shared"
    REGIONAL = "regional"
    DEDICATED = "dedicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRow:
    """All that may be known of a tenant without a lease."""

    id: TenantId
    slug: str
    name: str
    region: str
    plan: str
    status: TenantStatus
    tier: IsolationTier
    plane: PlaneId

    @property
    def hue(self) -> int:
        """Return one of twelve hues, fixed by the id, so that two tabs differ at a glance."""
        return _hue_of(self.id)

    @property
    def initials(self) -> str:
        """Return up to two letters for the monogram."""
        words = [word for word in self.name.split() if word[:1].isalnum()]
        return "".join(word[0] for word in words[:2]).upper()[:2] or self.slug[:2].upper()


@lru_cache(maxsize=4_096)
def _hue_of(tenant: TenantId) -> int:
    return sha256(tenant.encode()).digest()[0] % HUES


class ScopeBasis(StrEnum):
    """What a scope was derived from."""

    LEASE = "lease"
    REQUEST = "request"
    JOB = "job"
    SENDER = "sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantScope:
    """Proof that one person may reach one tenant's data until a moment; minted only by usecases/scopes.py."""

    tenant: TenantId
    plane: PlaneId
    staff: StaffId
    basis: ScopeBasis
    reason: ReasonCode
    not_after: datetime
    lease: LeaseId | None = None
    request: RequestId | None = None


class SearchKind(StrEnum):
    """How a search text was understood."""

    ID = "id"
    SLUG = "slug"
    NAME = "name"
    DOMAIN = "domain"
    MEMBER_EMAIL = "member_email"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One tenant found, and by which kind of key; never the data behind the key."""

    tenant: DirectoryRow
    matched: SearchKind
