"""Directory rows inside a unit of work."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.errors import NotFoundError
from console.domain.ids import MessageId, PlaneId, TenantId
from console.domain.search_terms import folded
from console.domain.tenancy import DirectoryRow, IsolationTier, SearchKind, TenantStatus
from console.storage.directory_tables import DirectoryTenantRow
from console.storage.faults import is_taken
from console.storage.prepared import Kept, Prepared
from console.storage.rows import changed, found, kept, table_of


class StoredDirectory:
    """The Directory of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def get(self, tenant: TenantId) -> DirectoryRow | None:
        """Return the row of a tenant."""
        return next(iter(kept(self._session, _BY_ID, SHOWN, tenant=tenant)), None)

    def external_id(self, tenant: TenantId) -> str | None:
        """Return by which id the product knows a tenant."""
        rows = found(self._session, _EXTERNAL_ID, tenant=tenant)
        return None if not rows else str(rows[0][0])

    def by_slug(self, slug: str) -> DirectoryRow | None:
        """Return the row with a slug."""
        return next(iter(kept(self._session, _BY_SLUG, SHOWN, slug=slug)), None)

    def many(self, tenants: Sequence[TenantId]) -> dict[TenantId, DirectoryRow]:
        """Return the rows of several tenants in one statement."""
        if not tenants:
            return {}
        rows = kept(self._session, _MANY, SHOWN, tenants=list(set(tenants)))
        return {row.id: row for row in rows}

    def page(self, *, after: TenantId | None, limit: int, plan: str | None = None) -> Sequence[DirectoryRow]:
        """Return tenants of one plan or all in order of id, those after one: how work over the fleet goes on."""
        given = {"after": after or "", "most": limit}
        if plan is None:
            return [shown_row(row) for row in found(self._session, _PAGE, **given)]
        return [shown_row(row) for row in found(self._session, _PAGE_OF_PLAN, plan=plan, **given)]

    def count(self) -> int:
        """Return how many tenants there are; for work over the whole fleet, never for a page."""
        return int(found(self._session, _COUNT)[0][0])

    def set_status(self, tenant: TenantId, status: TenantStatus) -> None:
        """Follow a change of status on the plane."""
        found = update(DirectoryTenantRow).where(DirectoryTenantRow.id == tenant).values(status=status)
        if changed(self._session, found) != 1:
            message = "The directory has no such tenant."
            raise NotFoundError(message, tenant=tenant)

    def link_customer(self, tenant: TenantId, customer: str) -> None:
        """Let a tenant be found by a customer of the billing provider; once more changes nothing."""
        key = {"tenant": tenant, "value": folded(customer), "kind": SearchKind.CUSTOMER.value}
        try:
            with self._session.begin_nested():
                self._session.execute(_LINK, key)
        except IntegrityError as broken:  # somebody said the same at the same moment
            if not is_taken(broken):
                raise

    def note_messages(self, tenant: TenantId, messages: Sequence[MessageId]) -> None:
        """Let a tenant be found by ids of webhook messages; once more changes nothing."""
        values = sorted({folded(each) for each in messages})
        if values:
            keys = [{"tenant": tenant, "value": each, "kind": SearchKind.MESSAGE.value} for each in values]
            self._session.execute(_NOTE, keys)

    def unlink_customer(self, tenant: TenantId, customer: str) -> None:
        """Let a tenant no longer be found by a customer; once more changes nothing."""
        self._session.execute(_UNLINK, {"tenant": tenant, "value": folded(customer)})


# Views of the directory's keys that show these alone: the application has no right to the others.
_LINK = text(
    "INSERT INTO directory_customer (value, tenant_id, kind) SELECT :value, :tenant, :kind "
    "WHERE NOT EXISTS (SELECT 1 FROM directory_customer WHERE value = :value AND tenant_id = :tenant)"
)
_NOTE = text(
    "INSERT INTO directory_message (value, tenant_id, kind) SELECT :value, :tenant, :kind "
    "WHERE NOT EXISTS (SELECT 1 FROM directory_message WHERE value = :value AND tenant_id = :tenant)"
)
_UNLINK = text("DELETE FROM directory_customer WHERE value = :value AND tenant_id = :tenant")
_TABLE = table_of(DirectoryTenantRow)
_EXTERNAL_ID = Prepared(
    select(table_of(DirectoryTenantRow).c.external_id).where(table_of(DirectoryTenantRow).c.id == bindparam("tenant"))
)
_BY_SLUG = Prepared(select(_TABLE).where(_TABLE.c.slug == bindparam("slug")))
_BY_ID = Prepared(select(_TABLE).where(_TABLE.c.id == bindparam("tenant")))
_PAGE = Prepared(select(_TABLE).where(_TABLE.c.id > bindparam("after")).order_by(_TABLE.c.id).limit(bindparam("most")))
_PAGE_OF_PLAN = Prepared(
    select(_TABLE)
    .where(_TABLE.c.id > bindparam("after"), _TABLE.c.plan == bindparam("plan"))
    .order_by(_TABLE.c.id)
    .limit(bindparam("most"))
)
_COUNT = Prepared(select(func.count()).select_from(_TABLE))
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
