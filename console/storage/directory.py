"""Directory rows inside a unit of work."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from console.domain.errors import NotFoundError
from console.domain.ids import PlaneId, TenantId
from console.domain.tenancy import DirectoryRow, IsolationTier, TenantStatus
from console.storage.directory_tables import DirectoryTenantRow
from console.storage.prepared import Kept, Prepared
from console.storage.rows import changed, kept, table_of


class StoredDirectory:
    """The Directory of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def get(self, tenant: TenantId) -> DirectoryRow | None:
        """Return the row of a tenant."""
        return next(iter(kept(self._session, _BY_ID, SHOWN, tenant=tenant)), None)

    def by_slug(self, slug: str) -> DirectoryRow | None:
        """Return the row with a slug."""
        return next(iter(kept(self._session, _BY_SLUG, SHOWN, slug=slug)), None)

    def many(self, tenants: Sequence[TenantId]) -> dict[TenantId, DirectoryRow]:
        """Return the rows of several tenants in one statement."""
        if not tenants:
            return {}
        rows = kept(self._session, _MANY, SHOWN, tenants=list(set(tenants)))
        return {row.id: row for row in rows}

    def set_status(self, tenant: TenantId, status: TenantStatus) -> None:
        """Follow a change of status on the plane."""
        found = update(DirectoryTenantRow).where(DirectoryTenantRow.id == tenant).values(status=status)
        if changed(self._session, found) != 1:
            message = "The directory has no such tenant."
            raise NotFoundError(message, tenant=tenant)


_TABLE = table_of(DirectoryTenantRow)
_BY_SLUG = Prepared(select(_TABLE).where(_TABLE.c.slug == bindparam("slug")))
_BY_ID = Prepared(select(_TABLE).where(_TABLE.c.id == bindparam("tenant")))
_MANY = Prepared(select(_TABLE).where(_TABLE.c.id.in_(bindparam("tenants", expanding=True))))


def shown_row(row: Any) -> DirectoryRow:  # noqa: ANN401  a row, mapped or not
    """Return the row as everybody may see it."""
    return DirectoryRow(
        id=TenantId(row.id),
        slug=row.slug,
        name=row.name,
        region=row.region,
        plan=row.plan,
        status=TenantStatus(row.status),
        tier=IsolationTier(row.tier),
        plane=PlaneId(row.plane),
    )


SHOWN = Kept(shown_row)
