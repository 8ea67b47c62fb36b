"""End leases together with what they rest on: by hand, or with the session that opened them."""

from datetime import datetime

from console.domain.ids import SessionKey, StaffId
from console.domain.leases import Lease, LeaseEnd
from console.domain.staff import Actor, StaffSession
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
        facts={"lease": lease.id, "because": by.value, "minutes": lease.minutes_used(now)},
    )
    return True


def end_leases_of_session(unit: ControlUnit, actor: Actor, session: SessionKey, *, by: LeaseEnd, now: datetime) -> int:
    """End every lease that a session opened; return how many."""
    return sum(end_lease_in(unit, actor, lease, by=by, now=now) for lease in unit.leases.of_session(session))


def expire_session_in(unit: ControlUnit, actor: Actor, session: StaffSession, *, because: str, now: datetime) -> bool:
    """End a session that is over, and the leases that it opened, with their entries; False when it was ended before."""
    if not unit.sessions.revoke(session.key, now):
        return False
    end_leases_of_session(unit, actor, session.key, by=LeaseEnd.SIGN_OUT, now=now)
    emit(unit, actor, "session.expired", at=now, facts={"because": because})
    return True


def end_session_in(unit: ControlUnit, actor: Actor, session: StaffSession, *, now: datetime) -> bool:
    """End somebody's session and the leases that it opened, with their entries; False when it was over before."""
    if not unit.sessions.revoke(session.key, now):
        return False
    end_leases_of_session(unit, actor, session.key, by=LeaseEnd.REVOKED, now=now)
    emit(unit, actor, "session.revoked", at=now, facts={"session": session.key, "staff": session.staff})
    return True


def end_sessions_of(unit: ControlUnit, actor: Actor, staff: StaffId, *, now: datetime) -> int:
    """End every session of a person; return how many were alive."""
    return sum(end_session_in(unit, actor, session, now=now) for session in unit.sessions.live_of(staff, now))
