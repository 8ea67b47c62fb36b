"""Keep the register of overrides: look at every tenant that has one, slice by slice, and remind the owners in time."""

from dataclasses import replace
from datetime import datetime, timedelta

from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import StaffId, TenantId
from console.domain.jobs import Job
from console.domain.moments import day_of
from console.domain.override_register import Registered, carried_over, registered
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.notices import tell
from console.usecases.scopes import scope_of_job, tenant_data

REGISTER_JOB = "entitlement.register"
REGISTER_EVERY_S = 6 * 3_600
_TENANTS = 50
_GONE = timedelta(days=2)  # a plane that was silent for a whole round keeps its rows for the next


def keep_register(house: House, job: Job) -> Done | Again:
    """Register the overrides of a slice of tenants; a round begins anew when the last one is over."""
    now = house.clock.now()
    with house.store.read() as unit:
        began_at, after = unit.register.round() or (now, None)
    waiting = house.access_fleet.with_overrides(after=after, limit=_TENANTS)
    for _plane, tenant in waiting:
        _look(house, job, tenant, now=now)
    is_over = len(waiting) < _TENANTS
    with house.store.write() as unit:
        if is_over:
            unit.register.set_round(None, None)
            unit.register.forget_older(began_at - _GONE)
        else:
            unit.register.set_round(began_at, waiting[-1][1])
    return Done() if is_over else Again(at=now)


def _look(house: House, job: Job, tenant: TenantId, *, now: datetime) -> None:
    """Register one tenant's overrides and remind their owners; a tenant out of reach is left as it is."""
    try:
        with house.store.read() as unit:
            row = unit.directory.get(tenant)
            if row is None:
                return
            with tenant_data(house, unit, scope_of_job(job, row, now=now)) as plane:
                found = registered(plane.inputs(), tenant, now)
    except (OutsideError, NotFoundError, ScopeError):
        return
    with house.store.write() as unit:
        known = {each.override: each for each in unit.register.of(tenant)}
        rows = [carried_over(each, known.get(each.override)) for each in found]
        unit.register.replace(tenant, [_reminded(house, unit, each, row, now=now) for each in rows])


def _reminded(house: House, unit: ControlUnit, each: Registered, row: DirectoryRow, *, now: datetime) -> Registered:
    if each.until is None or not each.wants_reminder(now):
        return each
    owner = unit.staff.get(StaffId(each.owner))
    if owner is None or not owner.is_active:
        return each
    tell(
        house,
        unit,
        owner.id,
        kind="override_ends",
        sentence=f"An override of yours at {row.name} ends on {day_of(each.until)}.",
        path=f"/t/{row.slug}/entitlements",
        at=now,
    )
    return replace(each, reminded_at=now)
