"""Recalculate what has reached its end: an expiry takes effect at its moment, and here it is also stored and told."""

from datetime import datetime

from console.domain.effective_store import Recalculation
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import TenantId
from console.domain.jobs import Job
from console.domain.recalculations import Recalculated
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.freezing import FrozenError
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.recalculate_access import recalculate_access
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import scope_of_job
from console.usecases.written_tenant import written_tenant

SWEEP_JOB = "entitlement.sweep"
SWEEP_EVERY_S = 60
_TENANTS = 100


def sweep_access(house: House, job: Job) -> Done | Again:
    """Recalculate a slice of the sets whose end has come; goes on at once while there is more that can be done."""
    now = house.clock.now()
    waiting = house.access_fleet.ended(now, limit=_TENANTS)
    moved = sum(_swept(house, job, tenant, now=now) for _plane, tenant in waiting)
    return Again(at=now) if moved and len(waiting) == _TENANTS else Done()


def _swept(house: House, job: Job, tenant: TenantId, *, now: datetime) -> bool:
    """Recalculate one tenant; False where it cannot be reached now, and the next slot tries again."""
    with house.store.read() as unit:
        row = unit.directory.get(tenant)
    if row is None:
        return False
    try:
        return recalculate_tenant(house, job, row, cause=SWEEP_JOB, now=now).is_written
    except (OutsideError, NotFoundError, ScopeError, FrozenError):
        return False


def recalculate_tenant(house: House, job: Job, row: DirectoryRow, *, cause: str, now: datetime) -> Recalculation:
    """Recalculate one tenant in a transaction of its own, with its entry. Raises: OutsideError, NotFoundError."""
    with written_tenant(house, scope_of_job(job, row, now=now)) as written:
        done = recalculate_access(house, written.plane, cause=cause, now=now)
        if written.unit is not None:
            record_recalculation(written.unit, job, row, done, cause=cause, at=now)
    if written.unit is None:
        with house.store.write() as unit:
            record_recalculation(unit, job, row, done, cause=cause, at=now)
    return done


def record_recalculation(
    unit: ControlUnit, job: Job, row: DirectoryRow, done: Recalculation, *, cause: str, at: datetime
) -> None:
    """Write the entry of a recalculation that stored something: how many features were gained and lost, and why."""
    if done.is_written:
        record_recalculated(unit, job, row, Recalculated.of(done), cause=cause, at=at)


def record_recalculated(
    unit: ControlUnit, job: Job, row: DirectoryRow, said: Recalculated, *, cause: str, at: datetime
) -> None:
    """Write what is said of a recalculation, which may have been kept since a crash."""
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "access.recalculated",
        at=at,
        tenant=row_ref(row, source="job"),
        targets=(TargetRef(type="effective_set", id=row.id, name=f"version {said.version}"),),
        correlation=job.request,
        changes=said.changes,
        facts={"cause": cause, "stood": said.stood, "gained": said.gained, "lost": said.lost},
    )
