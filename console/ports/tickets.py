"""The ticket system behind a reference."""

from typing import Protocol

from console.domain.ids import TenantId
from console.domain.reasons import ReferenceVerdict


class Tickets(Protocol):
    """Knows tickets, incidents, contracts and invoices by their reference."""

    def verdict(self, *, kind: str, reference: str, tenant: TenantId) -> ReferenceVerdict:
        """Return whether a reference exists, belongs to the tenant and is open; raises OutsideError."""
        ...
