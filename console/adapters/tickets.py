"""Ticket systems: none, and the one of the demo."""

import re

from console.domain.ids import TenantId
from console.domain.reasons import ReferenceVerdict

_ENDINGS = {
    "404": ReferenceVerdict.UNKNOWN,
    "403": ReferenceVerdict.FOREIGN,
    "410": ReferenceVerdict.CLOSED,
}
_NUMBER = re.compile(r"([0-9]+)\s*$")


class UncheckedTickets:
    """Stands where no ticket system is connected: nothing is vouched for."""

    def verdict(self, *, kind: str, reference: str, tenant: TenantId) -> ReferenceVerdict:
        """Return UNCHECKED, which the record shows."""
        return ReferenceVerdict.UNCHECKED


class DemoTickets:
    """Says OPEN of every reference, except numbers that end in 404 (unknown), 403 (another tenant's), 410 (closed)."""

    def verdict(self, *, kind: str, reference: str, tenant: TenantId) -> ReferenceVerdict:
        """Return what the ending of the reference's number means."""
        number = _NUMBER.search(reference)
        if not reference.strip():
            return ReferenceVerdict.UNKNOWN
        return _ENDINGS.get(number[1][-3:], ReferenceVerdict.OPEN) if number else ReferenceVerdict.OPEN
