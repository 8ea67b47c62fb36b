"""Mass recalculations: their plans and runs."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.errors import ConflictError
from console.domain.ids import Digest, RequestId, RunId, TenantId
from console.domain.recalculations import PlannedTenant, Progress, Sweep, SweepState, TenantState
from console.storage.access_tables import SweepRow, SweepTenantRow
from console.storage.rows import changed, table_of

_COLUMNS = tuple(field.name for field in fields(Sweep))
_MOVABLE = frozenset(_COLUMNS) - {"id", "state", "plan", "planned_by", "planned_at", "expires_at", "version"}


class StoredRecalculations:
    """The RecalculationBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, sweep: Sweep) -> None:
        """Store a run that is to be planned. Raises: ConflictError."""
        values = {**{name: getattr(sweep, name) for name in _COLUMNS}, "state": sweep.state.value}
        try:
            with self._session.begin_nested():
                self._session.execute(insert(table_of(SweepRow)), [values])
        except IntegrityError as broken:
            message = "There is such a run already."
            raise ConflictError(message, run=sweep.id) from broken

    def get(self, run: RunId) -> Sweep | None:
        """Return one run."""
        row = self._session.scalar(select(SweepRow).where(SweepRow.id == run))
        return None if row is None else _shown(row)

    def newest(self, *, limit: int) -> Sequence[Sweep]:
        """Return the newest runs."""
        wanted = select(SweepRow).order_by(SweepRow.planned_at.desc(), SweepRow.id.desc()).limit(limit)
        return [_shown(row) for row in self._session.scalars(wanted)]

    def move(self, sweep: Sweep, to: SweepState, **moved: object) -> bool:
        """Change a run by one conditional update on state and version; `moved` as in Sweep. False: was faster."""
        unknown = set(moved) - _MOVABLE
        if unknown:
            message = f"These do not move with the state: {', '.join(sorted(unknown))}."
            raise TypeError(message)
        fenced = update(SweepRow).where(
            SweepRow.id == sweep.id, SweepRow.version == sweep.version, SweepRow.state == sweep.state.value
        )
        values: dict[str, Any] = {**moved, "state": to.value, "version": sweep.version + 1}
        return changed(self._session, fenced.values(values)) == 1

    def plan_more(self, tenants: Sequence[PlannedTenant]) -> None:
        """Add tenants to a plan."""
        if tenants:
            self._session.execute(insert(table_of(SweepTenantRow)), [_row(each) for each in tenants])

    def order(self, run: RunId, canaries: frozenset[TenantId]) -> None:
        """Give the planned tenants their places: canaries first, then by id."""
        row = SweepTenantRow
        of_run = row.run == run
        changed(self._session, update(row).where(of_run, row.tenant.in_(canaries)).values(is_canary=True))
        placed = select(
            row.tenant,
            func.row_number().over(order_by=(case((row.is_canary, 0), else_=1), row.tenant)).label("nth"),
        ).where(of_run)
        places = placed.subquery()
        nth = select(places.c.nth).where(places.c.tenant == row.tenant).scalar_subquery()
        changed(self._session, update(row).where(of_run).values(place=nth))

    def tenants(
        self, run: RunId, *, after: int, limit: int, state: TenantState | None = None, losers_only: bool = False
    ) -> Sequence[PlannedTenant]:
        """Return planned tenants in their order, from the place after `after`."""
        row = SweepTenantRow
        wanted = select(row).where(row.run == run, row.place > after)
        if state is not None:
            wanted = wanted.where(row.state == state.value)
        if losers_only:
            wanted = wanted.where(row.losses > 0)
        return [_planned(each) for each in self._session.scalars(wanted.order_by(row.place).limit(limit))]

    def settle(self, planned: PlannedTenant, state: TenantState, *, because: str | None, at: datetime) -> bool:
        """Move a tenant on that waits; False when it was settled before."""
        row = SweepTenantRow
        waiting = update(row).where(
            row.run == planned.run, row.tenant == planned.tenant, row.state == TenantState.WAITING.value
        )
        return changed(self._session, waiting.values(state=state.value, because=because, settled_at=at)) == 1

    def progress(self, run: RunId) -> Progress:
        """Return how far a run has come, counted from its rows."""
        state = SweepTenantRow.state
        counted = select(state, func.count()).where(SweepTenantRow.run == run).group_by(state)
        found = {str(row[0]): int(row[1]) for row in self._session.execute(counted)}
        return Progress(**found)


def _shown(row: SweepRow) -> Sweep:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Sweep(
        **{
            **values,
            "id": RunId(row.id),
            "state": SweepState(row.state),
            "after": None if row.after is None else TenantId(row.after),
            "digest": None if row.digest is None else Digest(row.digest),
            "request": None if row.request is None else RequestId(row.request),
        }
    )


def _row(planned: PlannedTenant) -> dict[str, Any]:
    return {
        "run": planned.run,
        "tenant": planned.tenant,
        "place": planned.place,
        "is_canary": planned.is_canary,
        "is_first": planned.is_first,
        "gains": planned.gains,
        "losses": planned.losses,
        "state": planned.state.value,
        "because": planned.because,
        "settled_at": None,
    }


def _planned(row: SweepTenantRow) -> PlannedTenant:
    return PlannedTenant(
        run=RunId(row.run),
        tenant=TenantId(row.tenant),
        gains=row.gains,
        losses=row.losses,
        is_first=row.is_first,
        place=row.place,
        is_canary=row.is_canary,
        state=TenantState(row.state),
        because=row.because,
    )
