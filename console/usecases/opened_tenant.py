"""The one way to a page of an opened tenant: the lease, policy, the entry and the data, in that order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from console.domain.break_glass import GlassUse
from console.domain.decisions import Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.field_classes import FieldClass
from console.domain.ids import TenantId
from console.domain.leases import Lease
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse, row_ref
from console.usecases.scopes import directory_row, lease_on, scope_of_lease, tenant_data

T = TypeVar("T")


def one(_page: object) -> int:
    """Return that a page shows one record, whatever its parts."""
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The frame of every tenant page: which tenant, under which lease, in the shadow of which break-glass."""

    tenant: DirectoryRow
    lease: Lease
    taint: GlassUse | None = None


def read_opened(
    house: House,
    actor: Actor,
    tenant: TenantId,
    *,
    page: str,
    read: Callable[[ControlUnit, Opened, TenantPlane], T],
    records: Callable[[T], int],
    shows: tuple[FieldClass, ...] = (FieldClass.BUSINESS,),
    about: tuple[TargetRef, ...] = (),
    is_activity: bool = True,
) -> T | Deny:
    """Return what `read` finds on an opened tenant, recorded as one page with what it is about and how much it shows.

    Shape: `records` counts the rows that are shown; `shows` are the classes of field that stand there in clear, the
    personal ones never do; what a page asks by itself is no activity and does not keep the lease from idling out.
    Raises: NotFoundError for an unknown tenant, and whatever `read` raises, in which case nothing was shown.
    """
    now = house.clock.now()
    targets = (TargetRef(type="page", id=page, name=page), *about)
    with house.store.write() as unit:
        row = directory_row(unit, tenant)
        lease = lease_on(house, unit, actor, tenant, now=now)
        if not isinstance(lease, Deny):
            decision = ask(
                house,
                query(
                    actor,
                    "tenant.read",
                    now=now,
                    tenant=tenant,
                    leased=lease.tenant,
                    reason=lease.reason.code,
                    facts={"page": page},
                ),
                unit,
            )
            refusal = refusal_of(decision)
            if not isinstance(refusal, Deny):
                if is_activity and now - lease.last_used_at >= timedelta(seconds=1):
                    unit.leases.touch(lease.id, now)
                with tenant_data(house, unit, scope_of_lease(lease, row)) as plane:
                    shadow = unit.glass.tainting(tenant, now)
                    found = read(unit, Opened(tenant=row, lease=lease, taint=shadow), plane)
                emit(
                    unit,
                    actor,
                    "tenant.read",
                    at=now,
                    tenant=row_ref(row, source="lease"),
                    reason=lease.reason,
                    authorisation=authorised(house, decision),
                    targets=targets,
                    exposure=Exposure(records=records(found), fields=tuple(each.value for each in shows)),
                    facts={"lease": lease.id},
                )
                return found
        else:
            refusal = lease
    refuse(house, actor, "tenant.read_refused", refusal, tenant=row_ref(row, source="directory"), targets=targets)
    return refusal
