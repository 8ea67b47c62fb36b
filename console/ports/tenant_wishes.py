"""What a tenant wishes staff to do for its members; the customer's own access policy answers this once it is there."""

from typing import Protocol

from console.domain.ids import TenantId


class TenantWishes(Protocol):
    """Knows which tenants let staff act for their members."""

    def allows_impersonation(self, tenant: TenantId) -> bool:
        """Return whether a tenant allows it at this moment."""
        ...
