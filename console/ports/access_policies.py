"""What each tenant permits of staff's work, and how it wants to be told."""

from datetime import datetime
from typing import Protocol

from console.domain.ids import TenantId
from console.domain.trust.access_policy import AccessPolicy


class AccessPolicyBook(Protocol):
    """Reads and writes access policies inside one unit of work."""

    def of(self, tenant: TenantId) -> AccessPolicy:
        """Return a tenant's policy; the default where nobody set one."""
        ...

    def put(self, tenant: TenantId, policy: AccessPolicy, *, by: str, at: datetime) -> bool:
        """Store a policy in place of version `policy.version`; False when somebody was faster."""
        ...
