"""Leases and the budget of distinct tenants."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, case, distinct, func, insert, select, type_coerce, update
from sqlalchemy.orm import Session

from console.domain.freezes import FreezeScope
from console.domain.ids import LeaseId, ReasonCode, SessionKey, StaffId, TenantId
from console.domain.leases import Lease, LeaseEnd
from console.domain.reasons import Reason
from console.ports.leases import TenantBudget
from console.storage.control_tables import LeaseRow, LeaseTopUpRow, StaffRow
from console.storage.prepared import Kept, Prepared
from console.storage.rows import changed, done, found, kept, table_of
from console.storage.types import stored_micros

_MINUTE_US = 60_000_000
_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)


class StoredLeases:
    """The LeaseBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, lease: Lease) -> None:
        """Store a new lease."""
        self._session.execute(
            insert(LeaseRow).values(
                id=lease.id,
                staff=lease.staff,
                session=lease.session,
                tenant=lease.tenant,
                reason_code=lease.reason.code,
                reason_reference=lease.reason.reference,
                reason_note=lease.reason.note,
                opened_at=lease.opened_at,
                last_used_at=lease.last_used_at,
                not_after=lease.not_after,
                idle_minutes=lease.idle_minutes,
                ended_at=lease.ended_at,
                ended_by=lease.ended_by,
            )
        )

    def get(self, lease: LeaseId) -> Lease | None:
        """Return a lease, ended or not."""
        return next(iter(self._many(select(LeaseRow).where(LeaseRow.id == lease))), None)

    def open_of(self, staff: StaffId) -> Sequence[Lease]:
        """Return the leases of a person that nothing has ended in the store, newest first."""
        leases = kept(self._session, _OPEN, _KEPT, staff=staff)
        return sorted(leases, key=lambda lease: (lease.opened_at, lease.id), reverse=True)

    def open_on(self, staff: StaffId, tenant: TenantId) -> Lease | None:
        """Return the person's newest not-ended lease on a tenant."""
        return next(iter(kept(self._session, _OPEN_ON, _KEPT, staff=staff, tenant=tenant)), None)

    def touch(self, lease: LeaseId, at: datetime) -> None:
        """Move the idle clock; it never goes back."""
        done(self._session, _TOUCH, its_id=lease, moment=at)

    def end(self, lease: LeaseId, *, by: LeaseEnd, at: datetime) -> bool:
        """End a lease by one conditional update; False when it was ended before."""
        live = update(LeaseRow).where(LeaseRow.id == lease, LeaseRow.ended_at.is_(None))
        return changed(self._session, live.values(ended_at=at, ended_by=by)) == 1

    def of_session(self, session: SessionKey) -> Sequence[Lease]:
        """Return the not-ended leases that a session opened."""
        same = select(LeaseRow).where(LeaseRow.session == session, LeaseRow.ended_at.is_(None))
        return self._many(same.order_by(LeaseRow.opened_at, LeaseRow.id))

    def open_under(self, scope: FreezeScope, subject: str, *, limit: int) -> Sequence[Lease]:
        """Return not-ended leases of a person, a vendor's people, on a tenant, or of all."""
        wanted = select(LeaseRow).where(LeaseRow.ended_at.is_(None))
        if scope is FreezeScope.PERSON:
            wanted = wanted.where(LeaseRow.staff == subject)
        elif scope is FreezeScope.TENANT:
            wanted = wanted.where(LeaseRow.tenant == subject)
        elif scope is FreezeScope.VENDOR:
            wanted = wanted.where(LeaseRow.staff.in_(select(StaffRow.id).where(StaffRow.vendor == subject)))
        # as the index of the open ones has them
        return self._many(wanted.order_by(LeaseRow.staff, LeaseRow.id).limit(limit))

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Lease]:
        """Return not-ended leases whose clocks have run out."""
        idle_end = type_coerce(LeaseRow.last_used_at, BigInteger) + LeaseRow.idle_minutes * _MINUTE_US
        late = select(LeaseRow).where(
            LeaseRow.ended_at.is_(None),
            (LeaseRow.not_after <= now) | (idle_end <= stored_micros(now)),
        )
        return self._many(late.order_by(LeaseRow.not_after, LeaseRow.id).limit(limit))

    def lock_budget(self, staff: StaffId) -> None:
        """Serialise lease opening per person until the unit ends; SQLite has one writer anyway."""
        budget = select(StaffRow.id).where(StaffRow.id == staff)
        self._session.execute(budget.with_for_update(key_share=True))  # rows that only name the person need not wait

    def budget(self, staff: StaffId, now: datetime) -> TenantBudget:
        """Return the distinct tenants of the last 60 minutes and 24 hours, and live top-ups."""
        counts = found(self._session, _BUDGET, staff=staff, hour=now - _HOUR, day=now - _DAY)[0]
        extra = found(self._session, _EXTRA, staff=staff, now=now)[0][0]
        return TenantBudget(last_hour=counts[0], last_day=counts[1], extra=int(extra))

    def has_opened(self, staff: StaffId, tenant: TenantId, since: datetime) -> bool:
        """Return whether a person already opened a tenant since a moment."""
        wanted = select(LeaseRow.id).where(
            LeaseRow.staff == staff, LeaseRow.tenant == tenant, LeaseRow.opened_at >= since
        )
        return self._session.scalar(wanted.limit(1)) is not None

    def top_up(self, staff: StaffId, *, extra: int, until: datetime, by: StaffId, at: datetime) -> None:
        """Add tenants to somebody's budget until a moment."""
        self._session.execute(
            insert(LeaseTopUpRow).values(staff=staff, extra=extra, until=until, granted_by=by, granted_at=at)
        )

    def _many(self, wanted: Select[LeaseRow]) -> list[Lease]:
        return [_lease(row) for row in self._session.scalars(wanted)]


_TABLE = table_of(LeaseRow)
_ALL_OPEN = select(_TABLE).where(_TABLE.c.staff == bindparam("staff"), _TABLE.c.ended_at.is_(None))
_BUDGET = Prepared(
    select(
        func.count(distinct(case((_TABLE.c.opened_at > bindparam("hour"), _TABLE.c.tenant)))),
        func.count(distinct(_TABLE.c.tenant)),
    ).where(_TABLE.c.staff == bindparam("staff"), _TABLE.c.opened_at > bindparam("day"))
)
_TOP_UPS = table_of(LeaseTopUpRow)
_EXTRA = Prepared(
    select(func.coalesce(func.sum(_TOP_UPS.c.extra), 0)).where(
        _TOP_UPS.c.staff == bindparam("staff"),
        _TOP_UPS.c.until > bindparam("now"),
        _TOP_UPS.c.granted_at <= bindparam("now"),
    )
)
_TOUCH = Prepared(
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("its_id"), _TABLE.c.ended_at.is_(None), _TABLE.c.last_used_at < bindparam("moment"))
    .values(last_used_at=bindparam("moment"))
)
# In the order of the index of open leases: in any other order SQLite would look through all that a person ever had.
_OPEN = Prepared(_ALL_OPEN.order_by(_TABLE.c.id))
_OPEN_ON = Prepared(
    _ALL_OPEN.where(_TABLE.c.tenant == bindparam("tenant"))
    .order_by(_TABLE.c.opened_at.desc(), _TABLE.c.id.desc())
    .limit(1)
)


def _lease(row: Any) -> Lease:  # noqa: ANN401  a row, mapped or not
    return Lease(
        id=LeaseId(row.id),
        staff=StaffId(row.staff),
        session=None if row.session is None else SessionKey(row.session),
        tenant=TenantId(row.tenant),
        reason=Reason(code=ReasonCode(row.reason_code), reference=row.reason_reference, note=row.reason_note),
        opened_at=row.opened_at,
        last_used_at=row.last_used_at,
        not_after=row.not_after,
        idle_minutes=row.idle_minutes,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else LeaseEnd(row.ended_by),
    )


_KEPT = Kept(_lease)
