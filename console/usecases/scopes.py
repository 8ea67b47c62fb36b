"""The only place where a TenantScope is made: from a lease, an approved request, a claimed job, or what is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import NotFoundError
from console.domain.ids import PlaneId, ReasonCode, RuleId, StaffId, TenantId
from console.domain.jobs import Job
from console.domain.leases import Lease, LeaseEnd
from console.domain.requests import Request
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow, ScopeBasis, TenantScope
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.house import House
from console.usecases.impersonations_ending import end_on_lease_in
from console.usecases.job_outcomes import JobRefusedError
from console.usecases.recording import emit, row_ref

_EXECUTION_MINUTES = 5
NEEDS_LEASE = (RuleId("tenant.no_lease"),)
SYSTEM = StaffId("system")
NO_REASON = ReasonCode("NONE")


def lease_on(house: House, unit: ControlUnit, actor: Actor, tenant: TenantId, *, now: datetime) -> Lease | Deny:
    """Return the actor's open lease on a tenant; one that ran out is ended here, with its entry."""
    unit.freezes.hold()  # before any row that a freeze would end
    lease = unit.leases.open_on(actor.staff, tenant)
    if lease is None:
        remedy = "Open it with a reason first."
        return denied(DenyCode.NO_LEASE, "You have not opened this tenant.", remedy, rules=NEEDS_LEASE)
    because = lease.ended_because(now)
    if because is None:
        return lease
    expire_lease(unit, actor, lease, because=because, now=now)
    remedy = "Open the tenant again with a reason."
    sentence = (
        "Your lease ran out."
        if because is LeaseEnd.TIME
        else f"Your lease ended after {lease.idle_minutes} idle minutes."
    )
    return denied(DenyCode.LEASE_ENDED, sentence, remedy, rules=NEEDS_LEASE)


def expire_lease(unit: ControlUnit, actor: Actor, lease: Lease, *, because: LeaseEnd, now: datetime) -> None:
    """End a lease that the clock has ended, exactly once, with its entry."""
    end_on_lease_in(unit, lease, by=because, now=now)
    if unit.leases.end(lease.id, by=because, at=now):
        row = unit.directory.get(lease.tenant)
        emit(
            unit,
            actor,
            "lease.expired",
            at=now,
            tenant=row_ref(row, source="lease"),
            reason=lease.reason,
            facts={"lease": lease.id, "because": because.value, "minutes": lease.minutes_used(now)},
        )


def scope_of_lease(lease: Lease, row: DirectoryRow) -> TenantScope:
    """Return the scope that a lease proves."""
    return TenantScope(
        tenant=lease.tenant,
        plane=row.plane,
        staff=lease.staff,
        basis=ScopeBasis.LEASE,
        reason=lease.reason.code,
        not_after=lease.until,
        lease=lease.id,
    )


def scope_of_request(request: Request, row: DirectoryRow, actor: Actor, *, now: datetime) -> TenantScope:
    """Return the scope in which an approved request runs, for a few minutes and this tenant only."""
    return TenantScope(
        tenant=row.id,
        plane=row.plane,
        staff=actor.staff,
        basis=ScopeBasis.REQUEST,
        reason=request.reason.code,
        not_after=now + timedelta(minutes=_EXECUTION_MINUTES),
        request=request.id,
    )


def scope_of_job(job: Job, row: DirectoryRow, *, now: datetime) -> TenantScope:
    """Return the scope in which one claim of a job runs: this tenant only, no longer than its lease.

    Raises: JobRefusedError for any tenant but the one that the job names, if it names one.
    """
    if job.tenant is not None and job.tenant != row.id:
        raise JobRefusedError("The job belongs to another tenant.")
    return TenantScope(
        tenant=row.id,
        plane=row.plane,
        staff=job.actor or SYSTEM,
        basis=ScopeBasis.JOB,
        reason=job.reason or NO_REASON,
        not_after=job.lease_until or now,
        request=job.request,
    )


def scope_of_sender(tenant: TenantId, plane: PlaneId, *, now: datetime) -> TenantScope:
    """Return the scope in which the sender works off what is due at one tenant, for a few minutes."""
    return TenantScope(
        tenant=tenant,
        plane=plane,
        staff=SYSTEM,
        basis=ScopeBasis.SENDER,
        reason=NO_REASON,
        not_after=now + timedelta(minutes=_EXECUTION_MINUTES),
    )


def directory_row(unit: ControlUnit, tenant: TenantId) -> DirectoryRow:
    """Return a tenant's directory row; raises NotFoundError."""
    row = unit.directory.get(tenant)
    if row is None:
        raise NotFoundError("There is no such tenant.")
    return row


def plane_in(house: House, unit: ControlUnit, scope: TenantScope) -> TenantPlane | None:
    """Return the tenant's data inside the open unit, or None when it lives on another plane."""
    return unit.tenant(scope) if house.planes.shares_control(scope.plane) else None


@contextmanager
def tenant_data(house: House, unit: ControlUnit, scope: TenantScope) -> Iterator[TenantPlane]:
    """Open a tenant's data for reading: in the same transaction where the plane shares the database."""
    shared = plane_in(house, unit, scope)
    if shared is not None:
        yield shared
        return
    with house.planes.read(scope) as plane:
        yield plane
