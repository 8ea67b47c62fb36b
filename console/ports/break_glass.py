"""Uses of break-glass as the control store keeps them."""

from datetime import datetime
from typing import Protocol

from console.domain.break_glass import GlassUse
from console.domain.ids import RequestId, TenantId


class GlassBook(Protocol):
    """Reads and writes uses of break-glass inside one unit of work."""

    def add(self, use: GlassUse) -> None:
        """Store a use."""
        ...

    def of(self, request: RequestId) -> GlassUse | None:
        """Return the use behind a request."""
        ...

    def tainting(self, tenant: TenantId, at: datetime) -> GlassUse | None:
        """Return the newest use, no drill, in whose shadow a tenant stood at a moment."""
        ...
