"""Stands where nothing can be frozen yet."""

from console.domain.ids import StaffId, TenantId


class NothingFrozen:
    """Says that elevated access goes on, because there is no switch that could have stopped it."""

    def stops(self, staff: StaffId, tenant: TenantId) -> bool:
        """Return no."""
        return False
