"""The register of overrides: dates, owners and money over all tenants."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, func, insert, select
from sqlalchemy.orm import Session

from console.domain.ids import TenantId
from console.domain.override_register import Registered
from console.ports.override_register import Which
from console.storage.access_tables import RegisteredRow, RegisterRoundRow
from console.storage.control_tables import StaffRow
from console.storage.rows import changed, table_of

_ONLY = 1
_ACTIVE = select(StaffRow.id).where(StaffRow.is_active.is_(True))  # whoever has left answers for nothing


class StoredRegister:
    """The OverrideRegister of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def of(self, tenant: TenantId) -> Sequence[Registered]:
        """Return what is registered of one tenant."""
        wanted = select(RegisteredRow).where(RegisteredRow.tenant == tenant).order_by(RegisteredRow.override)
        return [_shown(row) for row in self._session.scalars(wanted)]

    def replace(self, tenant: TenantId, rows: Sequence[Registered]) -> None:
        """Put these in place of all that was registered of a tenant."""
        changed(self._session, delete(RegisteredRow).where(RegisteredRow.tenant == tenant))
        if rows:
            self._session.execute(insert(table_of(RegisteredRow)), [asdict(row) for row in rows])

    def forget_older(self, before: datetime) -> int:
        """Remove what no round has seen since; return how many."""
        return changed(self._session, delete(RegisteredRow).where(RegisteredRow.checked_at < before))

    def page(self, which: Which, *, ends_before: datetime, limit: int) -> Sequence[Registered]:
        """Return overrides, those that end first before the others; `ends_before` bounds what ends soon."""
        row = RegisteredRow
        kept: dict[Which, list[ColumnElement[bool]]] = {
            Which.ENDS_SOON: [row.until.is_not(None), row.until <= ends_before],
            Which.NO_OWNER: [row.owner.not_in(_ACTIVE)],
            Which.REDUNDANT: [row.is_redundant.is_(True)],
            Which.ORPHANED: [row.is_orphaned.is_(True)],
            Which.ALL: [],
        }
        endless = case((row.until.is_(None), 1), else_=0)
        wanted = select(row).where(*kept[which]).order_by(endless, row.until, row.tenant, row.override).limit(limit)
        return [_shown(each) for each in self._session.scalars(wanted)]

    def totals(self) -> Sequence[tuple[str, int, int]]:
        """Return for each currency how many overrides cost how much a month."""
        row = RegisteredRow
        wanted = (
            select(row.currency, func.count(), func.sum(row.monthly_minor))
            .where(row.monthly_minor > 0)
            .group_by(row.currency)
            .order_by(row.currency)
        )
        return [(currency, many, int(minor)) for currency, many, minor in self._session.execute(wanted)]

    def round(self) -> tuple[datetime, TenantId | None] | None:
        """Return when the round began that is under way, and the last tenant that it has seen; None without one."""
        row = self._session.scalar(select(RegisterRoundRow))
        return None if row is None else (row.began_at, None if row.after is None else TenantId(row.after))

    def set_round(self, began_at: datetime | None, after: TenantId | None) -> None:
        """Remember how far a round has come; None ends it."""
        changed(self._session, delete(RegisterRoundRow))
        if began_at is not None:
            values = {"id": _ONLY, "began_at": began_at, "after": after}
            self._session.execute(insert(table_of(RegisterRoundRow)), [values])


def _shown(row: RegisteredRow) -> Registered:
    return Registered(
        tenant=TenantId(row.tenant),
        override=row.override,
        starts_at=row.starts_at,
        until=row.until,
        owner=row.owner,
        monthly_minor=row.monthly_minor,
        currency=row.currency,
        is_redundant=row.is_redundant,
        is_orphaned=row.is_orphaned,
        checked_at=row.checked_at,
        reminded_at=row.reminded_at,
    )
