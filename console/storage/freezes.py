"""Freezes: who lies under one is read afresh by whoever is about to do something."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, text, update
from sqlalchemy.orm import Session

from console.domain.freezes import DRILL_MINUTES, Door, Freeze, FreezeScope, FreezeState, Sighting, narrowest
from console.domain.ids import FreezeId, ReasonCode, RequestId, StaffId, TenantId
from console.domain.reasons import Reason
from console.storage.control_tables import StaffRow
from console.storage.guard_tables import FreezeRow, FreezeSightingRow
from console.storage.prepared import Prepared
from console.storage.rows import add, add_unless_taken, changed, done, found, table_of

# PostgreSQL's advisory locks: whoever looks shares it, whoever freezes has it alone. SQLite has one writer anyway.
_SHARED = Prepared(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('sallyport freeze', 0))"))
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('sallyport freeze', 0))")
_NOTING = text("SELECT pg_try_advisory_xact_lock(hashtextextended('sallyport sighting ' || :what, 0))")
_PATIENCE = (text("SET LOCAL lock_timeout = '30s'"), text("SET LOCAL statement_timeout = '35s'"))
_NOBODY = ""


class StoredFreezes:
    """The FreezeBook of one unit."""

    def __init__(self, session: Session, *, writing: bool) -> None:
        """Work inside the unit's transaction."""
        self._session = session
        self._is_writing = writing
        self._holds = False
        self._seen: dict[tuple[object, ...], list[Freeze]] = {}

    def hold(self) -> None:
        """Hold new freezes off until the unit ends."""
        if not self._holds and self._is_postgresql():
            done(self._session, _SHARED)
        self._holds = True

    def over(
        self, *, staff: StaffId | None, tenant: TenantId | None, now: datetime, groups: Collection[str] = ()
    ) -> Freeze | None:
        """Return the narrowest freeze over a person or a tenant."""
        every = self._covering(staff, tenant, groups, now)
        return narrowest(each for each in every if each.state_at(now) is FreezeState.STANDING)

    def drills(
        self, *, staff: StaffId | None, tenant: TenantId | None, now: datetime, groups: Collection[str] = ()
    ) -> Sequence[Freeze]:
        """Return the drills over a person or a tenant."""
        every = self._covering(staff, tenant, groups, now)
        return [each for each in every if each.state_at(now) is FreezeState.REHEARSING]

    def claim(self) -> None:
        """Wait until nothing is being executed, and let nothing begin before this unit ends."""
        if self._is_postgresql():
            for patience in _PATIENCE:
                self._session.execute(patience)
            self._session.execute(_ALONE)
        self._holds = True

    def add(self, freeze: Freeze) -> None:
        """Store a freeze."""
        self._seen.clear()
        add(
            self._session,
            FreezeRow,
            {
                "id": freeze.id,
                "scope": freeze.scope.value,
                "subject": freeze.subject,
                "name": freeze.name,
                "is_drill": freeze.is_drill,
                "reason_code": freeze.reason.code,
                "reason_reference": freeze.reason.reference,
                "reason_note": freeze.reason.note,
                "set_by": freeze.set_by,
                "set_at": freeze.set_at,
                "ended": freeze.ended,
                "lifted_at": freeze.lifted_at,
                "lifted_by": freeze.lifted_by,
                "request": freeze.request,
            },
        )

    def get(self, freeze: FreezeId) -> Freeze | None:
        """Return a freeze, lifted or not."""
        row = self._session.scalar(select(FreezeRow).where(FreezeRow.id == freeze))
        return None if row is None else _freeze(row)

    def lift(self, freeze: FreezeId, *, by: StaffId, at: datetime) -> bool:
        """Lift a freeze by one conditional update; False when it was lifted before, or is a drill."""
        self._seen.clear()
        live = update(FreezeRow).where(
            FreezeRow.id == freeze, FreezeRow.lifted_at.is_(None), FreezeRow.is_drill.is_(False)
        )
        return changed(self._session, live.values(lifted_at=at, lifted_by=by)) == 1

    def standing(self) -> Sequence[Freeze]:
        """Return every freeze that is not lifted, newest first."""
        live = select(FreezeRow).where(FreezeRow.lifted_at.is_(None), FreezeRow.is_drill.is_(False))
        return [_freeze(row) for row in self._session.scalars(live.order_by(FreezeRow.set_at.desc(), FreezeRow.id))]

    def newest(self, *, limit: int) -> Sequence[Freeze]:
        """Return freezes and drills, newest first."""
        wanted = select(FreezeRow).order_by(FreezeRow.set_at.desc(), FreezeRow.id.desc()).limit(limit)
        return [_freeze(row) for row in self._session.scalars(wanted)]

    def because_of(self, reference: str) -> Sequence[Freeze]:
        """Return the freezes that name something as their reason, lifted or not, newest first."""
        named = select(FreezeRow).where(FreezeRow.reason_reference == reference)
        return [_freeze(row) for row in self._session.scalars(named.order_by(FreezeRow.set_at.desc(), FreezeRow.id))]

    def sighted(self, freeze: FreezeId, door: Door, *, at: datetime) -> None:
        """Note that a door would have refused; only the first time counts, and the second waits for nobody."""
        if self._is_writing and self._is_first(freeze, door):
            add_unless_taken(self._session, FreezeSightingRow, {"drill": freeze, "door": door.value, "at": at})

    def sightings(self, freeze: FreezeId) -> Sequence[Sighting]:
        """Return when each door first saw a drill."""
        seen = select(FreezeSightingRow).where(FreezeSightingRow.drill == freeze)
        return [
            Sighting(door=Door(row.door), at=row.at)
            for row in self._session.scalars(seen.order_by(FreezeSightingRow.at, FreezeSightingRow.door))
        ]

    def _covering(
        self, staff: StaffId | None, tenant: TenantId | None, groups: Collection[str], now: datetime
    ) -> list[Freeze]:
        key = (staff, tenant, *sorted(groups))
        if key not in self._seen:
            rows = found(
                self._session,
                _COVERING,
                staff=staff or _NOBODY,
                tenant=tenant or _NOBODY,
                groups=sorted(groups) or [_NOBODY],
                since=now - timedelta(minutes=DRILL_MINUTES),
            )
            self._seen[key] = [_freeze(row) for row in rows]
        return self._seen[key]

    def _is_first(self, freeze: FreezeId, door: Door) -> bool:
        """Return whether nobody else notes the same this very moment, whose end the row itself would wait for."""
        return not self._is_postgresql() or bool(self._session.scalar(_NOTING, {"what": f"{freeze} {door.value}"}))

    def _is_postgresql(self) -> bool:
        return self._session.connection().dialect.name == "postgresql"


_TABLE, _STAFF = table_of(FreezeRow), table_of(StaffRow)
_VENDOR = select(_STAFF.c.vendor).where(_STAFF.c.id == bindparam("staff")).scalar_subquery()
_COVERING = Prepared(
    select(_TABLE).where(
        _TABLE.c.lifted_at.is_(None),
        _TABLE.c.is_drill.is_(False) | (_TABLE.c.set_at > bindparam("since")),
        or_(
            _TABLE.c.scope == FreezeScope.ALL.value,
            (_TABLE.c.scope == FreezeScope.PERSON.value) & (_TABLE.c.subject == bindparam("staff")),
            (_TABLE.c.scope == FreezeScope.TENANT.value) & (_TABLE.c.subject == bindparam("tenant")),
            (_TABLE.c.scope == FreezeScope.VENDOR.value)
            & ((_TABLE.c.subject == _VENDOR) | _TABLE.c.subject.in_(bindparam("groups", expanding=True))),
        ),
    )
)


def _freeze(row: Any) -> Freeze:  # noqa: ANN401  a row, mapped or not
    return Freeze(
        id=FreezeId(row.id),
        scope=FreezeScope(row.scope),
        subject=row.subject,
        name=row.name,
        is_drill=row.is_drill,
        reason=Reason(code=ReasonCode(row.reason_code), reference=row.reason_reference, note=row.reason_note),
        set_by=None if row.set_by is None else StaffId(row.set_by),
        set_at=row.set_at,
        ended=row.ended,
        lifted_at=row.lifted_at,
        lifted_by=None if row.lifted_by is None else StaffId(row.lifted_by),
        request=None if row.request is None else RequestId(row.request),
    )
