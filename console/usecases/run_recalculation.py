"""Work off a mass recalculation: canaries, a wait, then slice by slice, and stop where it does not go as planned."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.effective_store import recalculation
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import ExecutionId, RunId
from console.domain.jobs import Job
from console.domain.recalculations import (
    CANARY_NOT_CURRENT,
    CANARY_WAIT_S,
    JOB_DEAD,
    PlannedTenant,
    Recalculated,
    Sweep,
    SweepState,
    TenantState,
    stop_reason,
)
from console.domain.tenancy import DirectoryRow
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.freezing import FrozenError
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError, forget_failures
from console.usecases.recalculate_access import recalculate_access
from console.usecases.recording import emit_as
from console.usecases.scopes import directory_row, scope_of_job, tenant_data
from console.usecases.tell_access import record_recalculated, tell_later
from console.usecases.written_tenant import WrittenTenant, written_tenant

RUN_JOB = "entitlement.run_recalculation"
_SLICE_S = 2
_LOOK_AGAIN_S = 5
_CANARIES_AT_MOST = 10
_LOSES_MORE = "It would lose more than was planned."


def run_recalculation(house: House, job: Job) -> Done | Again:
    """Do one slice. Raises: JobRefusedError when there is nothing to run.

    1 does it run · 2 canaries, and the wait after them · 3 a slice · 4 does it go as planned
    """
    now = house.clock.now()
    run = RunId(str(job.payload.get("run")))
    with house.store.read() as unit:
        sweep = unit.recalculations.get(run)
        # 1
        if sweep is None or sweep.state in {SweepState.PLANNING, SweepState.PLANNED}:
            raise JobRefusedError("There is no such recalculation that was set going.")
        if sweep.state is SweepState.PAUSED:
            return Again(at=now + timedelta(seconds=_LOOK_AGAIN_S))
        if sweep.state is not SweepState.RUNNING:
            return Done()
        most = sweep.rate_per_s * _SLICE_S
        waiting = unit.recalculations.tenants(run, after=0, limit=most, state=TenantState.WAITING)
    # 2
    canaries = [each for each in waiting if each.is_canary]
    if not canaries and sweep.canaries_done_at is None:
        return _end_canaries(house, job, sweep, now=now)
    if not canaries and sweep.canaries_done_at and now < sweep.canaries_done_at + timedelta(seconds=CANARY_WAIT_S):
        return Again(at=sweep.canaries_done_at + timedelta(seconds=CANARY_WAIT_S))
    # 3
    for number, each in enumerate(canaries or waiting):
        _work_off(house, job, each, now=now)
        if not number:
            forget_failures(house, job)
        # 4
        if _stopped(house, job, sweep, now=now):
            return Again(at=now + timedelta(seconds=_LOOK_AGAIN_S))
    if not waiting:
        return _finish(house, job, sweep, now=now)
    return Again(at=now + timedelta(seconds=_SLICE_S))


def rest_recalculation(house: House, job: Job) -> None:
    """Pause a run whose job is dead, so that people see it."""
    with house.store.write() as unit:
        sweep = unit.recalculations.get(RunId(str(job.payload.get("run"))))
        if sweep is None or sweep.state is not SweepState.RUNNING:
            return
        if unit.recalculations.move(sweep, SweepState.PAUSED, because=JOB_DEAD):
            _record(unit, job, "access.paused", replace(sweep, because=JOB_DEAD), at=house.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worked:
    """What became of one tenant, and what its entry says; None where nothing was stored.

    Shape: what its plane keeps (`is_kept`) another worker may have said already; the rest is stored with its entry.
    """

    state: TenantState
    because: str | None = None
    said: Recalculated | None = None
    is_kept: bool = False


def _work_off(house: House, job: Job, planned: PlannedTenant, *, now: datetime) -> None:
    """Recalculate one tenant, unless it would lose more than was planned; whatever happened before, it ends the same.

    On the control store's own database the tenant is settled in the very transaction of its effect. Another plane keeps
    with the effect what is to be said of it: a process that dies between the two finds that when it comes back.
    """
    try:
        with house.store.read() as unit:
            row = directory_row(unit, planned.tenant)
        with written_tenant(house, scope_of_job(job, row, now=now)) as written:
            worked = _worked(house, written, planned, now=now)
            if written.unit is not None:
                _settle(written.unit, job, row, planned, worked, at=now)
    except (OutsideError, NotFoundError, ScopeError, FrozenError) as broken:  # held is only what would lose more
        with house.store.write() as unit:
            is_ours = unit.recalculations.settle(planned, TenantState.FAILED, because=str(broken), at=now)
            found = unit.directory.get(planned.tenant)
            if is_ours and isinstance(broken, OutsideError) and found and not house.planes.shares_control(found.plane):
                # it may have committed, and only its answer have been lost
                tell_later(unit, _effect(planned), cause=planned.run, correlation=job.request, row=found, at=now)
        return
    if written.unit is None:
        with house.store.write() as unit:
            _settle(unit, job, row, planned, worked, at=now)


def _worked(house: House, written: WrittenTenant, planned: PlannedTenant, *, now: datetime) -> _Worked:
    """Recalculate one tenant in the open transaction, alone on it; elsewhere only if that was not done before."""
    plane, effect = written.plane, _effect(planned)
    plane.take_turn()
    kept = None if written.unit is not None else plane.applied(effect)
    if kept is not None:
        return _Worked(state=TenantState.DONE, said=Recalculated.read(kept), is_kept=True)
    if _loses_more(plane, planned, now=now):
        return _Worked(state=TenantState.HELD, because=_LOSES_MORE)
    done = recalculate_access(house, plane, cause=planned.run, now=now)
    said = Recalculated.of(done) if done.is_written else None
    is_kept = said is not None and written.unit is None
    if said is not None and is_kept:
        plane.mark_applied(effect, outcome=said.text(), at=now)
    return _Worked(state=TenantState.DONE, said=said, is_kept=is_kept)


def _effect(planned: PlannedTenant) -> ExecutionId:
    return ExecutionId(f"{planned.run}:{planned.tenant}")


def _settle(
    unit: ControlUnit, job: Job, row: DirectoryRow, planned: PlannedTenant, worked: _Worked, *, at: datetime
) -> None:
    """Settle a tenant, with its entry; where another worker was faster, what a plane keeps is said already."""
    is_ours = unit.recalculations.settle(planned, worked.state, because=worked.because, at=at)
    if worked.said is not None and (is_ours or not worked.is_kept):
        record_recalculated(unit, row, worked.said, cause=planned.run, correlation=job.request, at=at)


def _loses_more(plane: TenantPlane, planned: PlannedTenant, *, now: datetime) -> bool:
    """Return whether the tenant would now lose more features than the plan that was agreed to says."""
    version = plane.account().entitlement_version
    done = recalculation(plane.effective_set(), plane.inputs(), source_version=version, now=now)
    return len(done.effects.losses) > planned.losses


def _end_canaries(house: House, job: Job, sweep: Sweep, *, now: datetime) -> Done | Again:
    """Look again at each canary: what was stored must still be what its inputs give; then wait for people to look."""
    with house.store.read() as unit:
        first = unit.recalculations.tenants(sweep.id, after=0, limit=_CANARIES_AT_MOST, state=TenantState.DONE)
    is_good = all(_is_current(house, job, each, now=now) for each in first if each.is_canary)
    with house.store.write() as unit:
        if is_good:
            unit.recalculations.move(sweep, SweepState.RUNNING, canaries_done_at=now, request=job.request)
            _record(unit, job, "access.started", sweep, at=now)
        else:
            unit.recalculations.move(sweep, SweepState.PAUSED, canaries_done_at=now, because=CANARY_NOT_CURRENT)
            _record(unit, job, "access.paused", replace(sweep, because=CANARY_NOT_CURRENT), at=now)
    return Again(at=now + timedelta(seconds=_LOOK_AGAIN_S))


def _is_current(house: House, job: Job, planned: PlannedTenant, *, now: datetime) -> bool:
    with house.store.read() as unit:
        row = directory_row(unit, planned.tenant)
        with tenant_data(house, unit, scope_of_job(job, row, now=now)) as plane:
            version = plane.account().entitlement_version
            return not recalculation(plane.effective_set(), plane.inputs(), source_version=version, now=now).is_written


def _stopped(house: House, job: Job, sweep: Sweep, *, now: datetime) -> bool:
    """Pause the run where it does not go as planned; also say whether people paused or cancelled it meanwhile."""
    with house.store.read() as unit:
        stands = unit.recalculations.get(sweep.id) or sweep
        because = stop_reason(unit.recalculations.progress(sweep.id))
    if stands.state is not SweepState.RUNNING:
        return True
    if because is None or stands.because == because:  # whoever resumes it has seen that
        return False
    with house.store.write() as unit:
        if unit.recalculations.move(stands, SweepState.PAUSED, because=because):
            _record(unit, job, "access.paused", replace(stands, because=because), at=now)
    return True


def _finish(house: House, job: Job, sweep: Sweep, *, now: datetime) -> Done:
    with house.store.write() as unit:
        if unit.recalculations.move(sweep, SweepState.FINISHED, finished_at=now):
            _record(unit, job, "access.finished", sweep, at=now)
    return Done()


def _record(unit: ControlUnit, job: Job, action: str, sweep: Sweep, *, at: datetime) -> None:
    stands = unit.recalculations.progress(sweep.id)
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        targets=(TargetRef(type="recalculation", id=sweep.id),),
        correlation=job.request,
        error=sweep.because if action == "access.paused" else None,
        facts={"planned": sweep.planned, "done": stands.done, "failed": stands.failed, "held": stands.held},
    )
