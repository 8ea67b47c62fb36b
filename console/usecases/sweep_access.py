"""Recalculate what has reached its end: an expiry takes effect at its moment, and here it is also stored and told."""

from datetime import datetime

from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import TenantId
from console.domain.jobs import Job
from console.usecases.freezing import FrozenError
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.scopes import scope_of_job
from console.usecases.tell_access import follow_access
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
        with written_tenant(house, scope_of_job(job, row, now=now)) as written:
            return follow_access(house, job, row, written, cause=SWEEP_JOB, now=now).is_written
    except (OutsideError, NotFoundError, ScopeError, FrozenError):
        return False
