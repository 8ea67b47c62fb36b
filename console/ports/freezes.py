"""What is frozen: the one switch that ends elevated access at once."""

from typing import Protocol

from console.domain.ids import StaffId, TenantId


class Freezes(Protocol):
    """Knows whose elevated access is frozen."""

    def stops(self, staff: StaffId, tenant: TenantId) -> bool:
        """Return whether this person, this tenant or everything is frozen at this moment."""
        ...
