"""Break-glass: an emergency path that skips prior approval, tells everybody, and owes a review."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.ids import RequestId, StaffId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassUse:
    """One use of break-glass, or the rehearsal of one.

    Shape: `told` counts who was notified when it began; it taints the tenant until `tainted_until`.
    """

    request: RequestId
    tenant: TenantId
    staff: StaffId
    name: str
    is_drill: bool
    reference: str
    told: int
    at: datetime
    tainted_until: datetime


def is_intent(typed: str, slug: str) -> bool:
    """Return whether somebody typed the tenant's slug, exactly."""
    return typed.strip() == slug
