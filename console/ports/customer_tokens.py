"""Tokens of customers' programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import TenantId
from console.domain.trust.tokens import CustomerToken


class CustomerTokens(Protocol):
    """Reads and writes tokens inside one unit of work."""

    def add(self, token: CustomerToken, *, hashed: str) -> None:
        """Store a token by its hash."""
        ...

    def by_hash(self, hashed: str) -> CustomerToken | None:
        """Return the token behind a hash, revoked or not."""
        ...

    def of(self, tenant: TenantId) -> Sequence[CustomerToken]:
        """Return a tenant's tokens, newest first."""
        ...

    def revoke(self, token: str, tenant: TenantId, *, at: datetime) -> bool:
        """Revoke a tenant's token; False when it is none or was revoked before."""
        ...

    def used(self, token: str, *, at: datetime) -> None:
        """Remember when a token was used last."""
        ...
