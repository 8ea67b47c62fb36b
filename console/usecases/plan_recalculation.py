"""Plan a mass recalculation: look at every tenant, slice by slice, and freeze who gains and who loses."""

from collections.abc import Sequence
from datetime import datetime

from console.domain.effective_store import recalculation
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import RunId
from console.domain.jobs import Job
from console.domain.recalculations import PlannedTenant, Sweep, SweepState, canaries_of, frozen_digest
from console.domain.tenancy import DirectoryRow, TenantStatus
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.recording import emit_as
from console.usecases.scopes import scope_of_job, tenant_data

PLAN_JOB = "entitlement.plan_recalculation"
_AT_ONCE = 50
_EVERYBODY = 10_000_000


def plan_recalculation(house: House, job: Job) -> Done | Again:
    """Look at one slice of tenants. Raises: JobRefusedError when there is nothing to plan."""
    now = house.clock.now()
    run = RunId(str(job.payload.get("run")))
    with house.store.read() as unit:
        sweep = unit.recalculations.get(run)
        if sweep is None:
            raise JobRefusedError("There is no such recalculation.")
        if sweep.state is not SweepState.PLANNING:
            return Done()
        rows = unit.directory.page(after=sweep.after, plan=sweep.plan, limit=_AT_ONCE)
    found, unreadable = _looked_at(house, job, sweep, rows, now=now)
    with house.store.write() as unit:
        is_over = len(rows) < _AT_ONCE
        moved = {
            "after": rows[-1].id if rows else sweep.after,
            "looked_at": sweep.looked_at + len(rows),
            "unreadable": sweep.unreadable + unreadable,
        }
        unit.recalculations.plan_more(found)
        closing = _closing(unit, sweep) if is_over else {}
        to = SweepState.PLANNED if is_over else SweepState.PLANNING
        if not unit.recalculations.move(sweep, to, **moved, **closing):
            raise JobRefusedError("The plan moved meanwhile.")
        if is_over:
            _record(unit, job, sweep, planned=int(str(closing["planned"])), at=now)
    return Done() if is_over else Again(at=now)


def _looked_at(
    house: House, job: Job, sweep: Sweep, rows: Sequence[DirectoryRow], *, now: datetime
) -> tuple[list[PlannedTenant], int]:
    """Return those whose stored set is not up to date, and how many could not be read."""
    found: list[PlannedTenant] = []
    unreadable = 0
    for row in rows:
        if row.status is TenantStatus.CLOSED:
            continue
        try:
            planned = _planned(house, job, sweep, row, now=now)
        except (OutsideError, NotFoundError, ScopeError):
            unreadable += 1
            continue
        if planned is not None:
            found.append(planned)
    return found, unreadable


def _planned(house: House, job: Job, sweep: Sweep, row: DirectoryRow, *, now: datetime) -> PlannedTenant | None:
    with house.store.read() as unit, tenant_data(house, unit, scope_of_job(job, row, now=now)) as plane:
        version = plane.account().entitlement_version
        done = recalculation(plane.effective_set(), plane.inputs(), source_version=version, now=now)
    if not done.is_written:
        return None
    return PlannedTenant(
        run=sweep.id,
        tenant=row.id,
        gains=len(done.effects.gains),
        losses=len(done.effects.losses),
        is_first=done.effects.is_first,
    )


def _closing(unit: ControlUnit, sweep: Sweep) -> dict[str, object]:
    """Put the planned tenants in their order and return the plan's figures, with the digest over the frozen list."""
    listed = unit.recalculations.tenants(sweep.id, after=-1, limit=_EVERYBODY)
    unit.recalculations.order(sweep.id, canaries_of(listed))
    ordered = unit.recalculations.tenants(sweep.id, after=0, limit=_EVERYBODY)
    return {
        "planned": len(ordered),
        "gaining": sum(each.gains > 0 and not each.is_loser for each in ordered),
        "losing": sum(each.is_loser for each in ordered),
        "digest": frozen_digest(ordered),
    }


def _record(unit: ControlUnit, job: Job, sweep: Sweep, *, planned: int, at: datetime) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "access.planned",
        at=at,
        targets=(TargetRef(type="recalculation", id=sweep.id),),
        correlation=job.request,
        facts={"plan": sweep.plan or "all", "planned": planned},
    )
