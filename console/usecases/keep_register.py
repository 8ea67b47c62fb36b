"""Keep the register of overrides: look at every tenant that has one, slice by slice, and remind the owners in time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from console.domain.errors import NotFoundError, OutsideError, ScopeError
from console.domain.ids import PlaneId, StaffId, TenantId
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


def keep_register(house: House, job: Job) -> Done | Again:
    """Register the overrides of a slice of tenants; a round begins anew when the last one is over.

    Shape: who is registered is looked at as well as who has an override now, so that a line goes once it is known that
    there is no such override, and never because a plane is silent.
    """
    now = house.clock.now()
    with house.store.read() as unit:
        began_at, after = unit.register.round() or (now, None)
        known = unit.register.tenants(after=after, limit=_TENANTS)
    listed = house.access_fleet.with_overrides(after=after, limit=_TENANTS)
    waiting = sorted({*listed.tenants, *known})[:_TENANTS]
    silent = set(listed.silent)
    for tenant in waiting:
        _look(house, job, tenant, silent, now=now)
    is_over = len(waiting) < _TENANTS
    with house.store.write() as unit:
        if is_over:
            unit.register.set_round(None, None)
        else:
            unit.register.set_round(began_at, waiting[-1])
    return Done() if is_over else Again(at=now)


def _look(house: House, job: Job, tenant: TenantId, silent: set[PlaneId], *, now: datetime) -> None:
    """Register one tenant's overrides and remind their owners; a tenant out of reach is left as it was read last."""
    with house.store.read() as unit:
        row = unit.directory.get(tenant)
    found = () if row is None else _found(house, job, row, silent, now=now)
    if found is None:
        return
    with house.store.write() as unit:
        known = {each.override: each for each in unit.register.of(tenant)}
        rows = [carried_over(each, known.get(each.override)) for each in found]
        told = rows if row is None else [_reminded(house, unit, each, row, now=now) for each in rows]
        unit.register.replace(tenant, told)


def _found(
    house: House, job: Job, row: DirectoryRow, silent: set[PlaneId], *, now: datetime
) -> Sequence[Registered] | None:
    """Return a tenant's overrides; None where it is out of reach, a silent plane being asked for one tenant only."""
    if row.plane in silent:
        return None
    try:
        with house.store.read() as unit, tenant_data(house, unit, scope_of_job(job, row, now=now)) as plane:
            return registered(plane.inputs(), row.id, now)
    except NotFoundError:  # the plane answers, and has no such tenant
        return ()
    except ScopeError:
        return None
    except OutsideError:
        silent.add(row.plane)
        return None


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
