"""End leases together with what they rest on."""

from datetime import datetime

from console.domain.ids import SessionKey
from console.domain.leases import Lease, LeaseEnd
from console.domain.staff import Actor
from console.ports.store import ControlUnit
from console.usecases.recording import emit, row_ref


def end_lease_in(unit: ControlUnit, actor: Actor, lease: Lease, *, by: LeaseEnd, now: datetime) -> bool:
    """End one lease in the open unit, with its entry; False when it was over before."""
    if not unit.leases.end(lease.id, by=by, at=now):
        return False
    row = unit.directory.get(lease.tenant)
    emit(
        unit,
        actor,
        "lease.end",
        at=now,
        tenant=row_ref(row, source="lease"),
        reason=lease.reason,
        facts={"lease": lease.id, "because": by.value},
    )
    return True


def end_leases_of_session(unit: ControlUnit, actor: Actor, session: SessionKey, *, by: LeaseEnd, now: datetime) -> int:
    """End every lease that a session opened; return how many."""
    return sum(end_lease_in(unit, actor, lease, by=by, now=now) for lease in unit.leases.of_session(session))
