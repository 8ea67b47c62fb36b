"""What tenants are shown of staff's accesses, and what keeps something back."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from console.domain.disclosure import LegalHold
from console.domain.ids import StaffId, TenantId
from console.ports.disclosures import Disclosure
from console.storage.prepared import Prepared
from console.storage.rows import add, add_unless_taken, changed, done, found, table_of
from console.storage.sheets import add_all
from console.storage.trust_tables import DisclosureCursorRow, DisclosureRow, LegalHoldRow, StaffCountryRow

_ONLY = 1
_START = -1
_DISCLOSED, _CURSOR, _HOLDS = table_of(DisclosureRow), table_of(DisclosureCursorRow), table_of(LegalHoldRow)
_LAST = Prepared(
    select(_DISCLOSED.c.tenant, _DISCLOSED.c.number)
    .where(_DISCLOSED.c.tenant == bindparam("tenant"), _DISCLOSED.c.number.is_not(None))
    .order_by(_DISCLOSED.c.number.desc())
    .limit(1)
)
_SHOWN = Prepared(
    update(_DISCLOSED)
    .where(_DISCLOSED.c.event == bindparam("which"), _DISCLOSED.c.number.is_(None))
    .values(number=bindparam("given"), shown_at=bindparam("since"))
)


class StoredDisclosures:
    """The DisclosureBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def position(self) -> int:
        """Return the last place of the trail that was looked at, -1 before the first."""
        position = self._session.scalar(select(_CURSOR.c.position))
        return _START if position is None else int(position)

    def move_on(self, before: int, to: int) -> bool:
        """Move that place by one conditional update; False when somebody else did."""
        if before == _START:
            add_unless_taken(self._session, DisclosureCursorRow, {"id": _ONLY, "position": _START})
        return changed(self._session, update(_CURSOR).where(_CURSOR.c.position == before).values(position=to)) == 1

    def add(self, disclosures: Sequence[Disclosure]) -> None:
        """Store accesses that are not known yet: those with a number are shown, the others wait."""
        if disclosures:
            add_all(self._session.connection(), DisclosureRow, [asdict(each) for each in disclosures])

    def last_numbers(self, tenants: Collection[TenantId]) -> dict[TenantId, int]:
        """Return the last number that each of these tenants was shown, where there is one."""
        each = [found(self._session, _LAST, tenant=tenant) for tenant in sorted(tenants)]
        return {TenantId(row.tenant): row.number for rows in each for row in rows}

    def due(self, now: datetime, *, limit: int) -> Sequence[Disclosure]:
        """Return what waits and is due, longest first."""
        row = _DISCLOSED.c
        wanted = select(_DISCLOSED).where(row.number.is_(None), row.due_at <= now).order_by(row.due_at, row.event)
        return [_disclosure(each) for each in self._session.execute(wanted.limit(limit))]

    def show(self, disclosures: Sequence[Disclosure]) -> None:
        """Show accesses that waited, under the numbers that they were given."""
        for each in disclosures:
            done(self._session, _SHOWN, which=each.event, given=each.number, since=each.shown_at)

    def postpone(self, disclosure: Disclosure, *, due_at: datetime) -> None:
        """Let it wait longer."""
        row = _DISCLOSED.c
        waiting = update(_DISCLOSED).where(row.event == disclosure.event, row.number.is_(None))
        changed(self._session, waiting.values(due_at=due_at))

    def hurry(self, tenant: TenantId, reference: str, *, due_at: datetime) -> int:
        """Let what waits under a reference wait no longer than that; return how many."""
        row = _DISCLOSED.c
        mine = (row.tenant == tenant, row.reference == reference, row.number.is_(None), row.due_at > due_at)
        return changed(self._session, update(_DISCLOSED).where(*mine).values(due_at=due_at))

    def shown(self, tenant: TenantId, *, before: int | None, limit: int) -> Sequence[Disclosure]:
        """Return what is shown, newest number first, `before` exclusive."""
        row = _DISCLOSED.c
        wanted = select(_DISCLOSED).where(row.tenant == tenant, row.number.is_not(None))
        if before is not None:
            wanted = wanted.where(row.number < before)
        return [_disclosure(each) for each in self._session.execute(wanted.order_by(row.number.desc()).limit(limit))]

    def shown_after(self, tenant: TenantId, *, number: int, limit: int) -> Sequence[Disclosure]:
        """Return what is shown, oldest number first, those above `number`."""
        row = _DISCLOSED.c
        wanted = select(_DISCLOSED).where(row.tenant == tenant, row.number > number).order_by(row.number).limit(limit)
        return [_disclosure(each) for each in self._session.execute(wanted)]

    def waiting(self, tenant: TenantId, *, limit: int) -> Sequence[Disclosure]:
        """Return what is not shown yet, soonest first."""
        row = _DISCLOSED.c
        wanted = select(_DISCLOSED).where(row.tenant == tenant, row.number.is_(None)).order_by(row.due_at, row.event)
        return [_disclosure(each) for each in self._session.execute(wanted.limit(limit))]

    def count_under(self, tenant: TenantId, reference: str) -> tuple[int, int]:
        """Return how many accesses under a reference are shown, and how many wait."""
        row = _DISCLOSED.c
        wanted = select(func.count(row.number), func.count()).where(row.tenant == tenant, row.reference == reference)
        shown, every = self._session.execute(wanted).one()
        return shown, every - shown

    def countries(self, staff: Sequence[StaffId]) -> dict[StaffId, str]:
        """Return in which countries staff members work, where it is known."""
        wanted = select(StaffCountryRow.staff, StaffCountryRow.country).where(StaffCountryRow.staff.in_(staff))
        return {StaffId(who): country for who, country in self._session.execute(wanted)} if staff else {}

    def set_country(self, staff: StaffId, country: str | None) -> None:
        """Remember in which country somebody works, or forget it."""
        changed(self._session, delete(StaffCountryRow).where(StaffCountryRow.staff == staff))
        if country is not None:
            self._session.execute(insert(table_of(StaffCountryRow)), [{"staff": staff, "country": country}])


class StoredLegalHolds:
    """The LegalHolds of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, hold: LegalHold) -> None:
        """Store a hold."""
        add(self._session, LegalHoldRow, asdict(hold))

    def get(self, hold: str) -> LegalHold | None:
        """Return one hold, released or not."""
        return next((_hold(row) for row in self._session.execute(select(_HOLDS).where(_HOLDS.c.id == hold))), None)

    def of(self, tenant: TenantId) -> Sequence[LegalHold]:
        """Return a tenant's holds, newest first."""
        wanted = select(_HOLDS).where(_HOLDS.c.tenant == tenant).order_by(_HOLDS.c.set_at.desc(), _HOLDS.c.id.desc())
        return [_hold(row) for row in self._session.execute(wanted)]

    def release(self, hold: LegalHold, *, by: StaffId, at: datetime) -> bool:
        """Release by one conditional update; False when it was released before."""
        standing = update(_HOLDS).where(_HOLDS.c.id == hold.id, _HOLDS.c.released_at.is_(None))
        return changed(self._session, standing.values(released_at=at, released_by=by)) == 1


def _disclosure(row: Any) -> Disclosure:  # noqa: ANN401  a row of the table
    return Disclosure(**{**row._mapping, "tenant": TenantId(row.tenant)})  # noqa: SLF001  SQLAlchemy's own name


def _hold(row: Any) -> LegalHold:  # noqa: ANN401  a row of the table
    return LegalHold(**{**row._mapping, "tenant": TenantId(row.tenant)})  # noqa: SLF001  SQLAlchemy's own name
