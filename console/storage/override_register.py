"""The register of overrides: dates, owners and money over all tenants."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, bindparam, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from console.domain.ids import TenantId
from console.domain.override_register import Registered
from console.ports.override_register import Glance, Mark, Which
from console.storage.access_tables import RegisteredRow, RegisterRoundRow
from console.storage.control_tables import StaffRow
from console.storage.prepared import Prepared
from console.storage.rows import changed, found, table_of

_ONLY = 1
_ONE_DAY = timedelta(days=1)
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

    def tenants(self, *, after: TenantId | None, limit: int) -> Sequence[TenantId]:
        """Return tenants of which anything is registered, by id."""
        return [TenantId(row.tenant) for row in found(self._session, _TENANTS, after=after or "", most=limit)]

    def page(self, which: Which, *, ends_before: datetime, after: Mark | None, limit: int) -> Sequence[Registered]:
        """Return overrides, those that end first before the others; `ends_before` bounds what ends soon.

        1. those with an end, by it. 2. those without one, where there is room.
        """
        mark = self._mark(after)
        values = {"ends_before": ends_before} if which is Which.ENDS_SOON else {}
        rows: list[Any] = []
        # 1
        if mark is None or mark.until is not None:
            past = {} if mark is None else {"until": mark.until, "tenant": mark.tenant, "override": mark.override}
            rows += found(self._session, _DATED[which, mark is not None], most=limit, **values, **past)
        # 2
        if len(rows) < limit and which is not Which.ENDS_SOON:
            is_within = mark is not None and mark.until is None
            past = {"tenant": mark.tenant, "override": mark.override} if mark is not None and is_within else {}
            rows += found(self._session, _ENDLESS[which, is_within], most=limit - len(rows), **past)
        return [_shown(row) for row in rows]

    def _mark(self, after: Mark | None) -> Any:  # noqa: ANN401  a row of _MARK
        if after is None:
            return None
        tenant, override = after
        return next(iter(found(self._session, _MARK, tenant=tenant, override=override)), None)

    def glance(self, *, now: datetime, ends_before: datetime, most: int) -> Glance:
        """Return the figures of all parts, in one statement; none is counted further than `most`."""
        bounds = {"now": now, "tomorrow": now + _ONE_DAY, "ends_before": ends_before}
        (row,) = found(self._session, _GLANCE, most=most, **bounds)
        return Glance(
            counts={which: getattr(row, which.value) for which in Which},
            ends_tomorrow=row.tomorrow,
            looked_at=row.looked_at,
            newest_at=row.newest_at,
        )

    def totals(self) -> Sequence[tuple[str, int, int]]:
        """Return for each currency how many overrides cost how much a month."""
        return [(row.currency, row.many, int(row.minor)) for row in found(self._session, _TOTALS)]

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


_ROW = RegisteredRow
_ENDS_BEFORE: BindParameter[datetime] = bindparam("ends_before", type_=_ROW.until.type)
_MOST: BindParameter[int] = bindparam("most")
_KEPT: dict[Which, tuple[ColumnElement[bool], ...]] = {
    Which.ENDS_SOON: (_ROW.until.is_not(None), _ROW.until <= _ENDS_BEFORE),
    Which.NO_OWNER: (_ROW.owner.not_in(_ACTIVE),),
    Which.REDUNDANT: (_ROW.is_redundant.is_(True),),
    Which.ORPHANED: (_ROW.is_orphaned.is_(True),),
    Which.ALL: (),
}
_PLACE = (_ROW.tenant, _ROW.override)


def _paged(which: Which, *kept: ColumnElement[bool], order: tuple[Any, ...], past: bool) -> Prepared:
    """Return the statement of a page in an order, from its beginning or past a place that its columns name."""
    wanted = select(_ROW).where(*_KEPT[which], *kept)
    if past:
        wanted = wanted.where(tuple_(*order) > tuple_(*(bindparam(each.key, type_=each.type) for each in order)))
    return Prepared(wanted.order_by(*order).limit(_MOST))


_DATED = {
    (which, past): _paged(which, _ROW.until.is_not(None), order=(_ROW.until, *_PLACE), past=past)
    for which in Which
    for past in (False, True)
}
_ENDLESS = {
    (which, past): _paged(which, _ROW.until.is_(None), order=_PLACE, past=past)
    for which in Which
    for past in (False, True)
}
_MARK = Prepared(
    select(_ROW.tenant, _ROW.override, _ROW.until).where(
        _ROW.tenant == bindparam("tenant"), _ROW.override == bindparam("override")
    )
)
_TENANTS = Prepared(
    select(_ROW.tenant).where(_ROW.tenant > bindparam("after")).distinct().order_by(_ROW.tenant).limit(_MOST)
)
_TOTALS = Prepared(
    select(_ROW.currency, func.count().label("many"), func.sum(_ROW.monthly_minor).label("minor"))
    .where(_ROW.monthly_minor > 0)
    .group_by(_ROW.currency)
    .order_by(_ROW.currency)
)


def _counted(*kept: ColumnElement[bool]) -> ScalarSelect[int]:
    some = select(_ROW.override).where(*kept).limit(_MOST).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


_GLANCE = Prepared(
    select(
        *(_counted(*kept).label(which.value) for which, kept in _KEPT.items()),
        _counted(
            _ROW.until > bindparam("now", type_=_ROW.until.type),
            _ROW.until <= bindparam("tomorrow", type_=_ROW.until.type),
        ).label("tomorrow"),
        select(func.min(_ROW.checked_at)).scalar_subquery().label("looked_at"),
        select(func.max(_ROW.checked_at)).scalar_subquery().label("newest_at"),
    )
)


def _shown(row: Any) -> Registered:  # noqa: ANN401  a row of any making
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
