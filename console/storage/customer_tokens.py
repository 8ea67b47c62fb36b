"""Tokens of customers' programs, by their hashes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.domain.ids import TenantId
from console.domain.trust.tokens import CustomerToken
from console.storage.rows import add, changed
from console.storage.trust_tables import CustomerTokenRow


class StoredCustomerTokens:
    """The CustomerTokens of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, token: CustomerToken, *, hashed: str) -> None:
        """Store a token by its hash."""
        add(self._session, CustomerTokenRow, {**asdict(token), "hash": hashed})

    def by_hash(self, hashed: str) -> CustomerToken | None:
        """Return the token behind a hash, revoked or not."""
        row = self._session.scalar(select(CustomerTokenRow).where(CustomerTokenRow.hash == hashed))
        return None if row is None else _token(row)

    def of(self, tenant: TenantId) -> Sequence[CustomerToken]:
        """Return a tenant's tokens, newest first."""
        row = CustomerTokenRow
        wanted = select(row).where(row.tenant == tenant).order_by(row.made_at.desc(), row.id.desc())
        return [_token(found) for found in self._session.scalars(wanted)]

    def revoke(self, token: str, tenant: TenantId, *, at: datetime) -> bool:
        """Revoke a tenant's token; False when it is none or was revoked before."""
        row = CustomerTokenRow
        live = update(row).where(row.id == token, row.tenant == tenant, row.revoked_at.is_(None))
        return changed(self._session, live.values(revoked_at=at)) == 1

    def used(self, token: str, *, at: datetime) -> None:
        """Remember when a token was used last."""
        changed(self._session, update(CustomerTokenRow).where(CustomerTokenRow.id == token).values(used_at=at))


def _token(row: Any) -> CustomerToken:  # noqa: ANN401  a mapped row
    return CustomerToken(
        id=row.id,
        tenant=TenantId(row.tenant),
        label=row.label,
        may_decide=row.may_decide,
        made_by=row.made_by,
        made_at=row.made_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
