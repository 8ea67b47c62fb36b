"""Stands where no tenant can state a wish yet."""

from console.domain.ids import TenantId


class EveryTenantAllows:
    """Says of every tenant that it lets staff act for its members: nothing was asked of anybody."""

    def allows_impersonation(self, tenant: TenantId) -> bool:
        """Return yes."""
        return True
