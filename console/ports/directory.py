"""The small cross-tenant index that search reads."""

from collections.abc import Sequence
from typing import Protocol

from console.domain.ids import MessageId, TenantId
from console.domain.search_terms import SearchTerms
from console.domain.tenancy import DirectoryRow, SearchHit, TenantStatus


class Directory(Protocol):
    """Reads and writes directory rows inside one unit of work."""

    def get(self, tenant: TenantId) -> DirectoryRow | None:
        """Return the row of a tenant."""
        ...

    def external_id(self, tenant: TenantId) -> str | None:
        """Return by which id the product knows a tenant."""
        ...

    def by_slug(self, slug: str) -> DirectoryRow | None:
        """Return the row with a slug."""
        ...

    def many(self, tenants: Sequence[TenantId]) -> dict[TenantId, DirectoryRow]:
        """Return the rows of several tenants in one statement."""
        ...

    def page(self, *, after: TenantId | None, limit: int, plan: str | None = None) -> Sequence[DirectoryRow]:
        """Return tenants of one plan or all in order of id, those after one: how work over the fleet goes on."""
        ...

    def count(self) -> int:
        """Return how many tenants there are; for work over the whole fleet, never for a page."""
        ...

    def set_status(self, tenant: TenantId, status: TenantStatus) -> None:
        """Follow a change of status on the plane."""
        ...

    def link_customer(self, tenant: TenantId, customer: str) -> None:
        """Let a tenant be found by a customer of the billing provider; once more changes nothing."""
        ...

    def note_messages(self, tenant: TenantId, messages: Sequence[MessageId]) -> None:
        """Let a tenant be found by ids of webhook messages; once more changes nothing."""
        ...

    def unlink_customer(self, tenant: TenantId, customer: str) -> None:
        """Let a tenant no longer be found by a customer; once more changes nothing."""
        ...


class Fleet(Protocol):
    """Cross-tenant reads, on an engine and role that see only what they need."""

    def search(self, terms: SearchTerms, *, limit: int) -> Sequence[SearchHit]:
        """Return tenants that match, exact kinds before name fragments, in a stable order."""
        ...
